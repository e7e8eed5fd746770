// guest.h - inside bake/ only: one libguestfs appliance with one disk. Every call has the deadline
// of the step it is in, is ended by a signal, and keeps libguestfs' own words in its error.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_GUEST_H
#define AIRBUILD_BAKE_GUEST_H

#include "base/error.h"
#include "base/jv.h"
#include "base/progress.h"
#include "base/str.h"

#include <guestfs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watch;

// Members are for guest*.c alone.
struct guest {
    guestfs_h *g;
    struct watch *watch;
    bool kvm;
    char *task;
    char *step;
    char *proxies; // what every command in it begins with; "" without a network
    struct progress *progress;
};

struct guest_options {
    const char *disk;        // written to
    const char *format;      // "qcow2" or "raw"
    const char *create_over; // make it, a layer over this qcow2 (relative to it); or NULL
    const char *folder;      // the draft's: its file system's space is watched
    bool kvm;
    bool network;
    const char *task; // for progress
    struct progress *progress;
};

// Boot the appliance over the disk. Nothing is mounted yet.
int guest_start(const struct guest_options *options, struct guest **ret, struct error *err);
// Unmount, flush and power off: only after this is the disk whole.
int guest_finish(struct guest *guest, struct error *err);
void guest_free(struct guest *guest); // kills an appliance that was not finished
void guest_freep(struct guest **guest);
#define GUEST_AUTO __attribute__((cleanup(guest_freep)))

// Names the step that begins now, for people; the calls after it have timeout_ms together (more
// under TCG).
void guest_step(struct guest *guest, int64_t timeout_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Where the root of guest_layout begins and how many bytes before the end of the disk it ends.
#define GUEST_ROOT_START (34ULL << 20)
#define GUEST_ROOT_TAIL (1ULL << 20)
// A disk gets GPT: BIOS boot, ESP (label ESP), root; mounted at / and /boot/efi. The root is made
// ext4 with that label; label NULL: it is there already.
int guest_layout(struct guest *guest, const char *label, struct error *err);
// The disk was made larger: its partition table, the partition of root (a device of guest_inspect)
// and the file system on it follow. What is not the last partition stays as it is. Nothing is
// mounted before or after.
int guest_grow(struct guest *guest, const char *root, struct error *err);
// [{"device", "path", "options"}] in the order of mounting; options may be absent.
int guest_mount(struct guest *guest, const struct jv *mounts, struct error *err);
// Look for the one operating system of the disk: ret_system gets "distro", "packages" (the package
// format as libguestfs calls it), "name", "root" (a kernel argument), "mounts".
int guest_inspect(struct guest *guest, struct jv **ret_system, struct error *err);

int guest_unpack(struct guest *guest, const char *tar, struct error *err); // over /
// A shell text in the guest's root, run with sh -eu; with a network it knows the proxies of this
// host. ret_output may be NULL.
int guest_run(struct guest *guest, const char *text, char **ret_output, struct error *err);
// The same of a function of images/scripts/NAME, with words (may be NULL).
int guest_script(struct guest *guest, const char *name, const char *verb, const struct strv *words,
    char **ret_output, struct error *err);
// Folders on the way are made with 0755; owner root.
int guest_write(struct guest *guest, const char *path, unsigned mode, const void *data,
    size_t length, struct error *err);
int guest_exists(struct guest *guest, const char *path, bool *ret, struct error *err);
// Newest name that matches a glob, "/boot/vmlinuz-*" (by version); NULL when there is none.
int guest_newest(struct guest *guest, const char *glob, char **ret_path, struct error *err);
int guest_download(struct guest *guest, const char *path, const char *to, struct error *err);
// One file of the host; folders on the way are made.
int guest_upload(struct guest *guest, const char *from, const char *to, struct error *err);
// Every file of a folder of the guest into a folder of the host, and the other way.
int guest_copy_out(struct guest *guest, const char *from, const char *to, struct error *err);
int guest_copy_in(struct guest *guest, const char *from, const char *to, struct error *err);
int guest_trim(struct guest *guest, struct error *err); // give free blocks back

// ---- for guest*.c alone -------------------------------------------------------------------------

// libguestfs' own message, and why it came when we made it fail. Always returns -1.
int guest_error(struct guest *guest, struct error *err);

// For the lists of strings that libguestfs hands out.
void guest_names_free(char ***names);
#define NAMES_AUTO __attribute__((cleanup(guest_names_free)))

#endif
