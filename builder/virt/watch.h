// watch.h - events of domains, as libvirt reports them.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_WATCH_H
#define AIRBUILD_VIRT_WATCH_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"
#include "virt/virt.h"

#include <stdint.h>

enum virt_event_kind {
    VIRT_EVENT_STARTED,   // booted or restored
    VIRT_EVENT_STOPPED,   // off by request: shut down, pulled or saved
    VIRT_EVENT_CRASHED,   // off because its QEMU failed or died
    VIRT_EVENT_PANICKED,  // its kernel panicked
    VIRT_EVENT_SUSPENDED, // paused
    VIRT_EVENT_RESUMED,
    VIRT_EVENT_LOST, // the connection to libvirt broke; domain is ""; no event follows
};

struct virt_event {
    enum virt_event_kind kind;
    char *domain;
    const char *reason; // a constant for people: "shut down", "power pulled", ...; or ""
};
void virt_event_free(struct virt_event *event);
#define VIRT_EVENT_AUTO CLEANUP(virt_event_free)

struct virt_watch;
// Follows the events of the domains in names. Queues at most 1024 events, then drops
// the oldest. A second watch of a connection is ERR_BUSY.
int virt_watch_new(
    struct virt *virt, const struct strv *names, struct virt_watch **ret, struct error *err);
void virt_watch_freep(struct virt_watch **watch); // before virt_close
#define VIRT_WATCH_AUTO CLEANUP(virt_watch_freep)

// Returns 1 and the next event; 0 when none came within timeout_ms (0: takes a queued one only);
// -1: ERR_INTERRUPTED.
int virt_watch_next(
    struct virt_watch *watch, int64_t timeout_ms, struct virt_event *ret, struct error *err);

#endif
