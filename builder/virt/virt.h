// virt.h - the connection to a hypervisor through libvirt, and the hypervisor's host.
// Domains are domain.h, networks network.h, events watch.h, XML documents xml.h.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_VIRT_H
#define AIRBUILD_VIRT_VIRT_H

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

struct virt; // one connection, for one thread at a time

// Connects to a URI ("qemu:///system", "qemu+unix:///system?socket=/run/sock", "test:///default")
// within 20 s. When the daemon dies or hangs later, a call under way fails after at most 20 s.
// ERR_ACCESS when not permitted, ERR_LIBVIRT when nothing answers (the message says how to start
// it), ERR_TIMEOUT, ERR_INTERRUPTED.
int virt_open(const char *uri, struct virt **ret, struct error *err);
void virt_close(struct virt *virt); // accepts NULL; free its watch before
DEFINE_FREEP(struct virt, virt_close)
#define VIRT_AUTO CLEANUP(virt_closep)
// Waits until libvirt has ended the calls that an interruption or a deadline cut short, for at most
// 30 s: one of them may still define or start a domain. For what removes all that was made.
void virt_settle(void);

// The cluster that a connection acts for. It owns a domain or network that carries our mark with
// its id. The version before wrote no id: then its name and a disk below the folder decide. A
// connection that acts for no cluster owns only what carries no id.
struct virt_owner {
    const char *cluster; // its name
    const char *id;      // NULL: its record is lost; then a mark with the folder counts
    const char *folder;  // of its state, absolute
    bool old;            // launched by the version before: its network carries no id, too
};
void virt_act_for(
    struct virt *virt, const struct virt_owner *owner); // copied; NULL: for no cluster

// The host and its abilities.
struct virt_host {
    char *libvirt;    // version of the library and daemon, "9.0.0"
    char *hypervisor; // "QEMU 7.2.22"; NULL: unknown
    char *arch;       // "x86_64"
    char *cpu;        // model and features of the host's processor, as libvirt names them
    bool qemu_known;  // libvirt reports the account it runs emulators as:
    uid_t qemu_user;
    gid_t qemu_group;
};
int virt_host_look(struct virt *virt, struct virt_host *ret, struct error *err);
static inline void
virt_host_free(struct virt_host *host)
{
    free(host->libvirt);
    free(host->hypervisor);
    free(host->arch);
    free(host->cpu);
    *host = (struct virt_host){0};
}
#define VIRT_HOST_AUTO CLEANUP(virt_host_free)

// Measures for half a second how many processors of the host are idle; *ret_cpus: how many there
// are. Both 0 when libvirt does not report it.
int virt_host_idle(struct virt *virt, double *ret_idle, unsigned *ret_cpus, struct error *err);
// What the host has. memory_free is in bytes as memory_total; it contains caches, which the host
// gives up when needed. Each is 0 when libvirt does not report it.
struct virt_capacity {
    unsigned cpus;
    uint64_t memory_free, memory_total;
};
int virt_host_capacity(struct virt *virt, struct virt_capacity *ret, struct error *err);
// What QEMU takes of the host's memory besides that of the machine, in MiB; for an emulated one
// also the code that it translated. Measured after drills: 189 to 197 together.
#define VIRT_QEMU_MIB 72
#define VIRT_TCG_CACHE_MIB 128

#endif
