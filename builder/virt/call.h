// call.h - calls into libvirt, each with a deadline. Inside virt/ only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_CALL_H
#define AIRBUILD_VIRT_CALL_H

#include "base/cleanup.h"
#include "base/error.h"
#include "virt/domain.h"
#include "virt/network.h"

#include <libvirt/libvirt.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CALL_MS 30000 // deadline of a call that a healthy libvirt answers at once

struct call;
typedef int call_function(struct call *call);

// The arguments and results of one call into libvirt.
struct call {
    char *what;         // "starting the domain 'work11'", for messages
    virConnectPtr conn; // these four are references of its own, or NULL
    virDomainPtr domain;
    virNetworkPtr network;
    virStreamPtr stream;
    char *name; // of the object to find
    char *text; // a URI, XML or a command; then the answer
    char *path; // of a file with the memory of a domain
    unsigned flags;
    int timeout_s;
    int (*on_domain)(virDomainPtr domain, unsigned flags);
    int (*on_network)(virNetworkPtr network);
    // More results.
    virDomainPtr *domains;
    int count;
    struct virt_domain_info info;
    struct virt_network_info network_info;
    struct virt_host host;
    double idle; // processors
    unsigned cpus;
    struct virt_capacity capacity;
    struct error err; // ERR_NONE when its function fails: "WHAT: ..." with libvirt's last error
    // call.c's own.
    _Atomic enum { CALL_RUNNING, CALL_ENDED, CALL_GIVEN_UP } state;
    int done; // eventfd: readable when it has ended
    call_function *function;
    int result;
};
// conn, domain and network may be NULL. Declare the variable with CALL_AUTO.
struct call *call_new(virConnectPtr conn, virDomainPtr domain, virNetworkPtr network,
    const char *what, ...) __attribute__((format(printf, 4, 5)));
void call_freep(struct call **call);
#define CALL_AUTO CLEANUP(call_freep)

// Runs function(*call), once, in a thread of its own. On success the caller may read the results
// and TAKE() them. ERR_TIMEOUT ("WHAT took longer than N s") after timeout_ms, ERR_INTERRUPTED: as
// libvirt cannot cancel a call, the thread goes on with *call, frees it, and *call becomes NULL.
int call_run(struct call **call, int64_t timeout_ms, call_function *function, struct error *err);
// Waits for a call that was started, as call_run does.
int call_finish(struct call **call, int64_t timeout_ms, struct error *err);
// Starts those of calls that are not NULL. Whatever they need from libvirt is there by then, as it
// may answer nothing else on the connection until they have ended. result: what made them returned,
// with err. Returns -1 if that or one of them failed; those that were not started become NULL.
// Each that was started must be finished.
int call_start_all(
    struct call **calls, size_t count, call_function *function, int result, struct error *err);
// Waits until no call that was given up goes on, for at most timeout_ms: such a call still changes
// what it was to change.
void call_settle(int64_t timeout_ms);
// Finishes those of calls that are not NULL, which become NULL. result: what begins them returned,
// with err. Returns -1 if that or one of them failed, with the first error.
int call_finish_all(
    struct call **calls, size_t count, int64_t timeout_ms, int result, struct error *err);

#endif
