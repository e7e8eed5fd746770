// internal.h - what the files of virt/ share: libvirt's handles, its errors made into ours, its
// event loop, calls with a deadline. Inside virt/ only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_INTERNAL_H
#define AIRBUILD_VIRT_INTERNAL_H

#include "base/error.h"
#include "virt/domain.h"
#include "virt/virt.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdatomic.h>
#include <stdint.h>

#define CALL_MS 30000 // deadline of a call that libvirt answers at once when all is well

struct virt {
    virConnectPtr conn;
    bool watched; // a watch is open
    bool acting;  // for a cluster:
    char *cluster, *id, *folder;
    bool old;
};

static inline void
domain_freep(virDomainPtr *domain)
{
    if (*domain != NULL)
        virDomainFree(*domain);
}
#define DOMAIN_AUTO __attribute__((cleanup(domain_freep)))

static inline void
network_freep(virNetworkPtr *network)
{
    if (*network != NULL)
        virNetworkFree(*network);
}
#define NETWORK_AUTO __attribute__((cleanup(network_freep)))

// ---- fault.c: the one translator ----

// "WHAT: libvirt's own message" of this thread's last libvirt error, and what to do next; always
// -1. No function of libvirt may be called between the failure and this, a virDomainGetName among
// its arguments neither: each forgets the last error.
int fault_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
// What comes of an error of libvirt: told by its code, the part of libvirt it is from and the errno
// it holds, never by its words, which are in the daemon's language. message: its own, in one line.
// Pure, for fault_set and its test.
int fault_translate(
    struct error *err, const virError *fault, const char *message, const char *what);
void fault_silence(void); // libvirt prints nothing itself from here on
// What our metadata say of whose something is; NULL: they do not.
struct mark {
    const char *cluster, *id, *folder;
};
// What cannot be done with something that is not ours. Always -1.
int fault_foreign(struct error *err, const char *kind, const char *name, const struct mark *mark,
    const char *cluster);

// ---- owner.c ----

// Whether something with this mark belongs to the cluster that the connection acts for. disk: the
// first one of a domain, NULL when there is none.
bool owner_has(const struct virt *virt, const struct mark *mark, const char *disk);

// ---- loop.c: libvirt's events, served by a thread of ours ----

int loop_take(struct error *err); // the first one starts it; before any connection is opened
void loop_drop(void);             // the last one ends it; after the connection is closed
// Wait until the loop is through with what it does now: a callback that was removed before is not
// under way any more. false: it was not within 5 s.
bool loop_settle(void);

// ---- call.c: calls that may block ----

struct call;
struct call_thread {
    _Atomic enum { CALL_RUNNING, CALL_ENDED, CALL_GIVEN_UP } state;
    int done; // eventfd: readable when it has ended
    int (*function)(struct call *call, struct error *err);
    int result;
    struct error err;
};

// One call of libvirt: what it is given and what comes of it.
struct call {
    char *what;         // "starting the domain 'work11'", for messages
    virConnectPtr conn; // these three are references of its own, or NULL
    virDomainPtr domain;
    virNetworkPtr network;
    char *text; // a name, XML or a command; then the answer
    unsigned flags;
    int timeout_s;
    int (*on_domain)(virDomainPtr domain, unsigned flags);
    int (*on_network)(virNetworkPtr network);
    // More that can come of it.
    virDomainPtr *domains;
    int count;
    int state, reason;
    bool saved, active;
    struct virt_host host;
    double idle;
    struct call_thread thread; // call.c's own
};
// conn, domain and network may be NULL. Free it by CALL_AUTO.
struct call *call_new(virConnectPtr conn, virDomainPtr domain, virNetworkPtr network,
    const char *what, ...) __attribute__((format(printf, 4, 5)));
void call_freep(struct call **call);
#define CALL_AUTO __attribute__((cleanup(call_freep)))

// Run function(*call), once, in a thread of its own and wait: at most timeout_ms, then ERR_TIMEOUT
// "WHAT took longer than N s"; also ended by interruption. libvirt has no way to break off a call:
// one that is given up goes on by itself, with all that is in it, and *call becomes NULL. 0: what
// is in it is the caller's, to read and to TAKE().
int call_run(struct call **call, int64_t timeout_ms,
    int (*function)(struct call *call, struct error *err), struct error *err);

// ---- domain.c ----

// The domain of that name, ours and of that cluster (any cluster of ours when NULL): ERR_NOT_FOUND,
// ERR_CONFLICT.
int domain_find(
    struct virt *virt, const char *cluster, const char *name, virDomainPtr *ret, struct error *err);
// The same, but *ret is NULL when there is no such domain.
int domain_seek(
    struct virt *virt, const char *cluster, const char *name, virDomainPtr *ret, struct error *err);
// How a domain is.
struct condition {
    enum virt_state state;
    const char *reason;   // a constant for people; "" when there is nothing to say
    enum error_code held; // see struct virt_domain_info
    bool asleep;          // its guest suspended itself: it is woken, not resumed
};
static inline bool
state_is_up(enum virt_state state)
{
    return state == VIRT_RUNNING || state == VIRT_PAUSED;
}
// Our condition for one of libvirt's states and its reason. Pure.
struct condition state_of(int state, int reason);
// Ask for a domain's XML (in ret->text), its state, its reason, and whether its memory is saved.
int domain_describe(virDomainPtr domain, unsigned xml_flags, struct call **ret, struct error *err);
// Asked of libvirt. *ret is only set on success.
int domain_condition(virDomainPtr domain, struct condition *ret, struct error *err);
// State and, as a constant for people, why (ret_reason may be NULL).
int domain_state(
    virDomainPtr domain, enum virt_state *ret, const char **ret_reason, struct error *err);

// ---- link.c ----

// The first <interface> of a domain's XML with its link up or down; caller frees; NULL when there
// is none.
char *link_xml(const char *domain_xml, bool up);

// ---- power.c ----

int power_press(virDomainPtr domain, bool agent, struct error *err); // agent: ask the guest's agent
// Set a domain going that stands still, as its condition wants it; one that is held is refused.
int power_resume(virDomainPtr domain, const struct condition *condition, struct error *err);

#endif
