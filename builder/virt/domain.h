// domain.h - domains by name: look, define, start, stop, save, remove. Whatever does not belong to
// the cluster that the connection acts for (virt_act_for) is never changed: ERR_CONFLICT. A name
// that libvirt does not know is ERR_NOT_FOUND. Every call ends by its deadline (ERR_TIMEOUT) and on
// interruption (ERR_INTERRUPTED).
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_DOMAIN_H
#define AIRBUILD_VIRT_DOMAIN_H

#include "base/error.h"
#include "base/str.h"
#include "virt/virt.h"
#include "virt/xml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum virt_state {
    VIRT_ABSENT,  // no domain of that name
    VIRT_OFF,     // defined, not running
    VIRT_RUNNING, // going down on ACPI counts as running
    VIRT_PAUSED,  // it stands still, whatever the reason; its emulator holds the disk
    VIRT_CRASHED, // off since it crashed, panicked, or its qemu died
};
// "absent", "off", "running", "paused", "crashed"; a constant.
const char *virt_state_name(enum virt_state state);

struct virt_domain_info {
    char *name;
    enum virt_state state;
    const char *reason;   // a constant for people: "shut down", "power pulled", "panicked", ...; ""
                          // when there is none
    enum error_code held; // it cannot be set going: ERR_BUSY, libvirt is at work on it, or
                          // ERR_GUEST, only pulling its power helps; ERR_NONE: it can
    bool ours;            // belongs to the cluster that the connection acts for
    char *cluster, *id, *folder, *role, *spec, *image; // of the metadata; NULL when absent
    char *disk; // file of its first disk; NULL when it has none
    bool saved; // off, and its memory is kept: the next start continues from there
};
void virt_domain_info_free(struct virt_domain_info *info);
// The sentence for one that is held, with that code; 0 when it is not.
int virt_domain_held(const struct virt_domain_info *info, struct error *err);
#define VIRT_DOMAIN_INFO_AUTO __attribute__((cleanup(virt_domain_info_free)))

// A name that does not exist is no error: VIRT_ABSENT.
int virt_domain_look(
    struct virt *virt, const char *name, struct virt_domain_info *ret, struct error *err);

struct virt_domain_list {
    struct virt_domain_info *items; // sorted by name
    size_t count;
};
// The domains of ours of that cluster; NULL: all that carry our metadata, whosesoever they are.
int virt_domain_list(
    struct virt *virt, const char *cluster, struct virt_domain_list *ret, struct error *err);
void virt_domain_list_free(struct virt_domain_list *list);
#define VIRT_DOMAIN_LIST_AUTO __attribute__((cleanup(virt_domain_list_free)))

// How the domain that is defined differs from the wanted one: *ret_difference "memory is 512 MiB,
// wanted 640 MiB;
// ..." (caller frees), NULL when it does not. ERR_NOT_FOUND when there is none, ERR_CONFLICT when
// it is not ours.
int virt_domain_compare(
    struct virt *virt, const struct virt_domain *wanted, char **ret_difference, struct error *err);

// Define (or define anew, keeping its UUID) after libvirt's own schema check. ERR_CONFLICT when a
// domain of that name is not of wanted->cluster.
int virt_domain_define(struct virt *virt, const struct virt_domain *wanted, struct error *err);

// paused: start with its processors stopped (virt_domain_resume sets it going). Starting a running
// domain is fine; one that is held is ERR_BUSY or ERR_GUEST. A saved domain continues where it was
// saved.
int virt_domain_start(
    struct virt *virt, const char *cluster, const char *name, bool paused, struct error *err);

// Press the power button of all names at once (again every few seconds, then through the guest
// agent too) until they are off or timeout_ms passed. Names that still run then come back in
// *ret_left; that is no error. Absent names and ones that are off are fine; paused ones are resumed
// and sleeping ones woken first. Those that cannot be set going are not waited for. each, if not
// NULL, is called when one is off.
int virt_domain_shutdown(struct virt *virt, const char *cluster, const struct strv *names,
    int64_t timeout_ms, void (*each)(void *context, const char *name), void *context,
    struct strv *ret_left, struct error *err);
// Press the power button once and return.
int virt_domain_press_power(
    struct virt *virt, const char *cluster, const char *name, struct error *err);
// Pull the power. A domain that is off or absent is fine.
int virt_domain_pull(struct virt *virt, const char *cluster, const char *name, struct error *err);
// Remove a domain that is off, its saved memory included, and what libvirt remembers of snapshots
// and checkpoints in its disk; its disks stay. An absent one is fine. ERR_CONFLICT as
// virt_domain_removable.
int virt_domain_undefine(
    struct virt *virt, const char *cluster, const char *name, struct error *err);
// ERR_CONFLICT when somebody made a snapshot of it whose data are files of their own: they would be
// lost or forgotten. To be asked before anything of a cluster is removed.
int virt_domain_removable(
    struct virt *virt, const char *cluster, const char *name, struct error *err);

int virt_domain_suspend(
    struct virt *virt, const char *cluster, const char *name, struct error *err);
// Set a paused one going, or wake one that suspended itself; ERR_BUSY or ERR_GUEST when it is held.
int virt_domain_resume(struct virt *virt, const char *cluster, const char *name, struct error *err);
// Plug or unplug its network cable; until it is off or plugged again.
int virt_domain_link(
    struct virt *virt, const char *cluster, const char *name, bool up, struct error *err);
// Save its memory next to libvirt's own state and stop it; the next start continues from there.
int virt_domain_save(struct virt *virt, const char *cluster, const char *name, int64_t timeout_ms,
    struct error *err);
int virt_domain_drop_saved(
    struct virt *virt, const char *cluster, const char *name, struct error *err);

#endif
