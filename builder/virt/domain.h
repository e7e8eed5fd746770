// domain.h - domains by name: inspect, define, start, stop, remove. One that does not belong
// to the cluster that the connection acts for (virt_act_for) is never changed: ERR_CONFLICT. A name
// that libvirt does not know is ERR_NOT_FOUND. Every call has a deadline (ERR_TIMEOUT) and ends on
// interruption (ERR_INTERRUPTED).
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_DOMAIN_H
#define AIRBUILD_VIRT_DOMAIN_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"
#include "virt/virt.h"
#include "virt/xml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum virt_state {
    VIRT_ABSENT,  // no domain of that name
    VIRT_OFF,     // defined, not running
    VIRT_RUNNING, // also while it shuts down
    VIRT_PAUSED,  // for any reason; its emulator holds the disk
    VIRT_CRASHED, // off because it crashed, panicked, or its QEMU died
};
// Returns "absent", "off", "running", "paused" or "crashed"; a constant.
const char *virt_state_name(enum virt_state state);

struct virt_domain_info {
    char *name;
    enum virt_state state;
    const char *reason;   // a constant for people: "shut down", "power pulled", "panicked", ...; ""
                          // when there is none
    enum error_code held; // why it cannot be started or resumed: ERR_BUSY, libvirt is working on
                          // it; ERR_GUEST, only pulling its power helps; ERR_NONE: it can
    bool asleep;          // paused: its guest suspended itself; resuming wakes it
    bool ours;            // belongs to the cluster that the connection acts for
    char *cluster, *id, *folder; // from the metadata; NULL when absent
    char *disk;                  // file of its first disk; NULL when it has none
    bool saved; // off, and its memory is saved: the next start continues from there
};
static inline void
virt_domain_info_free(struct virt_domain_info *info)
{
    free(info->name);
    free(info->cluster);
    free(info->id);
    free(info->folder);
    free(info->disk);
    *info = (struct virt_domain_info){0};
}
// Sets the error of one that is held; returns 0 when it is not.
int virt_domain_held(const struct virt_domain_info *info, struct error *err);
#define VIRT_DOMAIN_INFO_AUTO CLEANUP(virt_domain_info_free)

// A name that does not exist is not an error: VIRT_ABSENT.
int virt_domain_look(
    struct virt *virt, const char *name, struct virt_domain_info *ret, struct error *err);

struct virt_domain_list {
    struct virt_domain_info *items; // sorted by name
    size_t count;
};
// Lists our domains of that cluster; NULL: all that carry our metadata, of any owner.
int virt_domain_list(
    struct virt *virt, const char *cluster, struct virt_domain_list *ret, struct error *err);
void virt_domain_list_free(struct virt_domain_list *list);
#define VIRT_DOMAIN_LIST_AUTO CLEANUP(virt_domain_list_free)

// Returns its UUID; the caller frees it.
int virt_domain_uuid(
    struct virt *virt, const char *cluster, const char *name, char **ret, struct error *err);

// Compares the defined domain with the wanted one: *ret_difference "memory is '512 KiB', wanted
// '640 KiB'; ..." (caller frees), NULL when they are equal. ERR_NOT_FOUND when there is none,
// ERR_CONFLICT when it is not ours.
int virt_domain_compare(
    struct virt *virt, const struct virt_domain *wanted, char **ret_difference, struct error *err);

// Defines it, or redefines it with the UUID it has, after libvirt's own schema check. ERR_CONFLICT
// when a domain of that name does not belong to wanted->cluster.
int virt_domain_define(struct virt *virt, const struct virt_domain *wanted, struct error *err);

// paused: starts it with its processors stopped (until virt_domain_resume). Does nothing to a
// running domain; one that is held is ERR_BUSY or ERR_GUEST. A saved domain continues where it was
// saved.
int virt_domain_start(
    struct virt *virt, const char *cluster, const char *name, bool paused, struct error *err);

// Starts all of these, paused, so many at once. After an error none is being started any more,
// unless it was ERR_TIMEOUT or ERR_INTERRUPTED.
int virt_domain_start_all(struct virt *virt, const char *cluster, const struct strv *names,
    size_t at_once, struct error *err);

// Makes a running domain leave the host's processors to the others, or gives it its usual share
// again: by libvirt's cpu_shares, or where that has no cgroups by the niceness of the autogroup
// that the emulator is in. Does nothing where the host has neither, or on any error. When airbuild
// is killed meanwhile, the domain yields until it is off.
void virt_domain_yield(struct virt *virt, const char *cluster, const char *name, bool yields);

// Presses the power buttons of all names (again every few seconds, then through the guest agent,
// too) until they are off or timeout_ms has passed. *ret_left: the names that still run then; that
// is not an error. Skips absent ones and those that are off, resumes paused ones and wakes sleeping
// ones first, does not wait for those that cannot be resumed. each, if not NULL, is called when one
// is off.
int virt_domain_shutdown(struct virt *virt, const char *cluster, const struct strv *names,
    int64_t timeout_ms, void (*each)(void *context, const char *name), void *context,
    struct strv *ret_left, struct error *err);
// Presses the power button once and returns.
int virt_domain_press_power(
    struct virt *virt, const char *cluster, const char *name, struct error *err);
// Pulls the power. Does nothing to a domain that is off or absent.
int virt_domain_pull(struct virt *virt, const char *cluster, const char *name, struct error *err);
// Pulls the power of many side by side, as far as it can. virt_domain_pull then reports what
// failed.
void virt_domain_pull_all(
    struct virt *virt, const char *cluster, const char *const *names, size_t count);
// Undefines a domain that is off, with its saved memory and libvirt's metadata of snapshots and
// checkpoints in its disk; its disks stay. Does nothing when it is absent. ERR_CONFLICT as
// virt_domain_removable.
int virt_domain_undefine(
    struct virt *virt, const char *cluster, const char *name, struct error *err);
// ERR_CONFLICT when it has an external snapshot, whose files would be lost. Call it before anything
// of a cluster is removed.
int virt_domain_removable(
    struct virt *virt, const char *cluster, const char *name, struct error *err);

int virt_domain_suspend(
    struct virt *virt, const char *cluster, const char *name, struct error *err);
// Resumes a paused one, or wakes one that suspended itself; ERR_BUSY or ERR_GUEST when it is held.
int virt_domain_resume(struct virt *virt, const char *cluster, const char *name, struct error *err);
// Plugs or unplugs its network cable, until the domain is off or the next call.
int virt_domain_link(
    struct virt *virt, const char *cluster, const char *name, bool up, struct error *err);

#endif
