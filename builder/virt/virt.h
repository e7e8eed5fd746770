// virt.h - the connection to a hypervisor through libvirt, and what it says of its host.
// Domains are domain.h, networks network.h, events watch.h, the texts libvirt is given xml.h.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_VIRT_H
#define AIRBUILD_VIRT_VIRT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

struct virt; // one connection; to be used by one thread at a time

// Connect to a URI ("qemu:///system", "qemu+unix:///system?socket=/run/sock", "test:///default")
// within 20 s; a daemon that dies or hangs later fails the call under way after at most 20 s more.
// ERR_ACCESS when not permitted, ERR_LIBVIRT when nothing answers (the message says how to start
// it), ERR_TIMEOUT, ERR_INTERRUPTED.
int virt_open(const char *uri, struct virt **ret, struct error *err);
void virt_close(struct virt *virt); // NULL is fine; its watches must be freed before
void virt_closep(struct virt **virt);
#define VIRT_AUTO __attribute__((cleanup(virt_closep)))

// The cluster that a connection acts for. A domain or network is its own when it carries our mark
// with this id. One of the version before carries none: its name and a disk below the folder decide
// then. A connection that acts for nobody owns only what carries no id.
struct virt_owner {
    const char *cluster; // its name
    const char *id;      // NULL: its record is lost; a mark that names the folder counts then
    const char *folder;  // that its state is in, absolute
    bool old;            // launched by the version before: its network carries no id either
};
void virt_act_for(struct virt *virt, const struct virt_owner *owner); // copied; NULL: for nobody

// What the host can do; asked once a call.
struct virt_host {
    char *uri;        // as libvirt itself names it
    char *name;       // host name
    char *libvirt;    // version of the library and daemon, "9.0.0"
    char *hypervisor; // "QEMU 7.2.22"; NULL when libvirt does not say
    char *emulator;   // absolute path on that host; NULL when libvirt does not say
    char *arch;       // "x86_64"
    char *machine;    // "q35": the machine type airbuild uses there
    bool qemu_known;  // libvirt says as whom it runs emulators:
    uid_t qemu_user;
    gid_t qemu_group;
    unsigned cpus;
};
int virt_host_look(struct virt *virt, struct virt_host *ret, struct error *err);
static inline void
virt_host_free(struct virt_host *host)
{
    free(host->uri);
    free(host->name);
    free(host->libvirt);
    free(host->hypervisor);
    free(host->emulator);
    free(host->arch);
    free(host->machine);
    *host = (struct virt_host){0};
}
#define VIRT_HOST_AUTO __attribute__((cleanup(virt_host_free)))

// How many processors of the host nothing used for half a second, which this takes, and how many
// there are; both 0 when libvirt does not say.
int virt_host_idle(struct virt *virt, double *ret_idle, unsigned *ret_cpus, struct error *err);

#endif
