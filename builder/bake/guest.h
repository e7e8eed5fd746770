// guest.h - inside bake/ only: one libguestfs appliance with one disk. Every call has the deadline
// of its step, ends on a signal, and keeps libguestfs' own message in its error.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_GUEST_H
#define AIRBUILD_BAKE_GUEST_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"

#include <guestfs.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bake_job;
struct watch;

// Members but job are for guest*.c only.
struct guest {
    guestfs_h *g;
    struct watch *watch;
    const struct bake_job *job;
    char *step;
    char *proxies; // prefix of every command; "" without a network
};

struct guest_disk {
    const char *path;        // written to
    const char *format;      // "qcow2" or "raw"
    const char *create_over; // create it, backed by this qcow2 (relative to it); or NULL
};

// Boots the appliance with the disk. Nothing is mounted yet.
int guest_start(const struct bake_job *job, const struct guest_disk *disk, bool network,
    struct guest **ret, struct error *err);
// Unmounts, flushes and powers off: only then is the disk complete.
int guest_finish(struct guest *guest, struct error *err);
void guest_free(struct guest *guest); // kills an appliance that was not finished
DEFINE_FREEP(struct guest, guest_free)
#define GUEST_AUTO CLEANUP(guest_freep)

// Names the step that begins now, for people. The calls up to the next step share timeout_ms (more
// under TCG).
void guest_step(struct guest *guest, int64_t timeout_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Start of guest_layout's root, and its distance from the end of the disk.
#define GUEST_ROOT_START (34ULL << 20)
#define GUEST_ROOT_TAIL (1ULL << 20)
// Partitions the disk (GPT: BIOS boot, ESP, root) and mounts it at / and /boot/efi. Makes the root
// ext4 with that label; label NULL: it has a file system already.
int guest_layout(struct guest *guest, const char *label, struct error *err);
// Grows the partition table, root (a device of guest_inspect) and its file system after the disk
// was made larger. A root that is not the last partition stays as it is. Nothing is mounted.
int guest_grow(struct guest *guest, const char *root, struct error *err);
// Mounts [{"device", "path", "options"}] in that order; options may be absent.
int guest_mount(struct guest *guest, const json_t *mounts, struct error *err);
// Finds the one operating system of the disk: ret_system gets "packages" (libguestfs'
// package format), "name", "root" (a kernel argument), "mounts".
int guest_inspect(struct guest *guest, json_t **ret_system, struct error *err);

int guest_unpack(struct guest *guest, const char *tar, struct error *err); // over /
// Runs a shell text in the guest's root with sh -eu, and this host's proxies. ret_output may be
// NULL.
int guest_run(struct guest *guest, const char *text, char **ret_output, struct error *err);
// Runs a function of images/scripts/NAME.sh, with words (may be NULL).
int guest_script(struct guest *guest, const char *name, const char *verb, const struct strv *words,
    char **ret_output, struct error *err);
// Makes missing folders with 0755; owner root.
int guest_write(struct guest *guest, const char *path, unsigned mode, const void *data,
    size_t length, struct error *err);
int guest_exists(struct guest *guest, const char *path, bool *ret, struct error *err);
// Finds the newest name (by version) that matches a glob, "/boot/vmlinuz-*"; NULL: none.
int guest_newest(struct guest *guest, const char *glob, char **ret_path, struct error *err);
int guest_download(struct guest *guest, const char *path, const char *to, struct error *err);
// Copies one file of the host in, and makes missing folders.
int guest_upload(struct guest *guest, const char *from, const char *to, struct error *err);
// Copy every file of a folder of the guest into one of the host, and the other way.
int guest_copy_out(struct guest *guest, const char *from, const char *to, struct error *err);
int guest_copy_in(struct guest *guest, const char *from, const char *to, struct error *err);
int guest_trim(struct guest *guest, struct error *err); // free unused blocks

// ---- for guest*.c only - -------------------------------------------------------------------------

// Sets libguestfs' own message, or why the watch ended the call; returns -1.
int guest_error(struct guest *guest, struct error *err);

// Frees a list of strings that libguestfs returned.
void guest_names_free(char ***names);
#define NAMES_AUTO CLEANUP(guest_names_free)

#endif
