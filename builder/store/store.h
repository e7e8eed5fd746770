// store.h - finished images by key (the digest of all that went into them), and the packages they
// were made from. An image is there whole or not at all; it is never changed after it was
// published. Nothing is baked here.
//
// HOME/store/images/KEY/ holds disk.qcow2, kernel, initrd (0444) and manifest.json;
// HOME/store/images/.KEY is a draft that somebody is making under the lock HOME/store/locks/KEY.
// HOME/store/users/KEY/ID pins an image for the cluster ID.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_STORE_STORE_H
#define AIRBUILD_STORE_STORE_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/progress.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_FOLDER_MODE = 0755 };

// Only store/ changes it. All paths are canonical.
struct store {
    char *folder;              // HOME/store
    char *images;              // HOME/store/images
    char *locks;               // HOME/store/locks
    char *packages;            // HOME/store/packages
    char *sets;                // HOME/store/packages/sets
    char *downloads;           // HOME/store/downloads
    char *users;               // HOME/store/users
    struct progress *progress; // reports waits; may be NULL
    int64_t wait_ms;           // the longest wait for another airbuild
    char *mark;                // path of the lock of store_bake_begin; NULL: not held
    int mark_fd;
};

// Opens the store of home (AIRBUILD_HOME); makes the folders that are missing (0711, packages
// 0755) and removes the drafts of interrupted bakes. ERR_ACCESS: home cannot be written.
int store_open(const char *home, struct store **ret, struct error *err);
void store_free(struct store *store);
void store_freep(struct store **store);
#define STORE_AUTO CLEANUP(store_freep)

bool store_is_key(const char *name); // 64 hex digits
// Adds the names in folder that are keys, sorted.
int store_keys(const char *folder, struct strv *ret_keys, struct error *err);
char *store_image_folder(const struct store *store, const char *key); // caller frees
char *store_draft_folder(const struct store *store, const char *key); // caller frees

// ---- locks ---------------------------------------------------------------------------------------------------------

// From here on a function that needs a lock of another airbuild waits for it, at most wait_ms, and
// reports that process to progress (may be NULL). Without this call it fails with ERR_BUSY at once.
void store_set_patience(struct store *store, struct progress *progress, int64_t wait_ms);

// Take the lock of an image, or another of that name, as lock_take does.
int store_lock(
    const struct store *store, const char *name, int64_t wait_ms, int *ret_fd, struct error *err);
// The same for an image, with the wait that store_set_patience allows.
int store_lock_image(const struct store *store, const char *key, int *ret_fd, struct error *err);

// Until store_bake_end this store bakes, exports or imports, and no image is removed.
int store_bake_begin(struct store *store, struct error *err);
void store_bake_end(struct store *store);
// Waits until no other airbuild bakes (ERR_BUSY names one that does), and keeps others from
// beginning until *ret_fd is closed. For those that remove images.
int store_alone(const struct store *store, int *ret_fd, struct error *err);

// ---- images --------------------------------------------------------------------------------------------------------

// All owned; paths are absolute and canonical.
struct image {
    char *key;    // 64 hex digits
    char *name;   // the recipe's: "base-debian", "haproxy", "redis"
    char *family; // "debian" or "arch"
    char *folder; // HOME/store/images/KEY
    char *disk;   // qcow2, 0444; a node's overlay names it as backing file with format qcow2
    char *kernel, *initrd; // for direct kernel boot
    char *cmdline;      // kernel arguments that go with them, "root=UUID=... ro console=ttyS0,..."
    char *backing;      // key of the base it is a layer over; NULL for a base
    char *backing_disk; // that base's disk; NULL for a base
    uint64_t virtual_bytes;
    uint64_t disk_bytes; // of disk.qcow2, without its base
    char *created;       // "2026-11-22T17:41:20Z"
    struct jv *manifest; // all that is known: packages with versions, inputs, tools, seconds
};
void image_free(struct image *image);
void image_freep(struct image **image);
#define IMAGE_AUTO CLEANUP(image_freep)

struct image_list {
    struct image **items;
    size_t count, capacity;
};
void image_list_free(struct image_list *list);
#define IMAGE_LIST_AUTO CLEANUP(image_list_free)

// The image of that key, after a quick look at it and its base: sizes and times as recorded
// (microseconds); a file whose time differs is read and its SHA-256 decides. ERR_NOT_FOUND;
// ERR_DAMAGED names image, file, difference and mend; ERR_CONFLICT: a later version made it.
// Interruptible.
int store_find(struct store *store, const char *key, struct image **ret, struct error *err);
bool store_has(const struct store *store, const char *key); // published, whatever its health

// All images, bases first, then by name and age. A damaged one, and one of a later version, is left
// out and its sentence added to ret_damaged.
int store_list(
    struct store *store, struct image_list *ret, struct strv *ret_damaged, struct error *err);

// Read every byte of the image and of its base and compare digests. ERR_DAMAGED as store_find.
int store_verify(struct store *store, const char *key, struct error *err);

// Remove the images that no cluster uses (store_users) and that neither keep nor the base of a kept
// one names, drafts included, and the packages and downloads that no kept image was made from.
// ret_removed: "NAME KEY" each; dry_run only tells. An image that is being made is kept. While
// somebody bakes, imports or exports nothing is removed: ERR_BUSY after the wait.
int store_prune(struct store *store, const struct strv *keep, bool dry_run,
    struct strv *ret_removed, uint64_t *ret_bytes, struct error *err);

// Remove one image (to bake it again). One that is absent is fine; ERR_CONFLICT names the cluster
// that uses it. The caller made sure that no other image lies over it.
int store_remove(struct store *store, const char *key, struct error *err);
// The same of one that is damaged: one that is well by now stays. ERR_DAMAGED: a cluster uses it;
// the sentence says which, and what to do.
int store_remove_damaged(struct store *store, const char *key, struct error *err);
// Add the keys of the bases of those images; of an image whose manifest cannot be read, of all
// bases.
int store_add_bases(struct store *store, struct strv *keys, struct error *err);

// Copy images and their bases into a new folder (KEY/ each), to carry to another machine; it
// appears whole or not at all. And import such a folder: every digest is checked, what is there
// already is left alone. ERR_CONFLICT: a layer over another build of its base than the one that is
// here. ret_keys: the images imported.
int store_export(
    struct store *store, const struct strv *keys, const char *folder, struct error *err);
int store_import(struct store *store, const char *folder, struct strv *ret_keys, struct error *err);

// ---- who uses an image ---------------------------------------------------------------------------------------------

// A disk of a node lies over the very bytes of an image and of its base, so neither may go while
// the cluster is there. A store is shared by all state folders and labs: who removes asks it alone.

// Keep the image and its base for the cluster ID, whose folder is FOLDER. It is on disk when this
// returns; again is fine, and a new folder takes the place of the old one. ERR_NOT_FOUND: the image
// is not there, or was removed just before.
int store_pin(
    struct store *store, const char *key, const char *id, const char *folder, struct error *err);
// Forget all pins of that cluster; none is fine.
int store_unpin(struct store *store, const char *id, struct error *err);
// The folders of the clusters that use the image, through layers over it too; each once.
int store_users(struct store *store, const char *key, struct strv *ret_folders, struct error *err);
// The same for a caller that holds store_lock_users, or that can do with a look at it.
int store_users_locked(
    const struct store *store, const char *key, struct strv *ret_folders, struct error *err);
// While this lock is held no image gets a new user.
int store_lock_users(const struct store *store, int *ret_fd, struct error *err);
// The keys of all images that clusters use, sorted; some may not be there.
int store_pinned(struct store *store, struct strv *ret_keys, struct error *err);
// The folders that pins name and that are not there, as far as this process can see: a lab's
// folders may be seen in that lab alone. forget: drop those pins.
int store_missing_users(
    struct store *store, bool forget, struct strv *ret_folders, struct error *err);

// ---- making an image -----------------------------------------------------------------------------------------------

struct draft; // an image in the making: a private folder beside the images, and the lock of its key

// Lock the key (ERR_BUSY names the process that makes the same image), then make the folder. *ret
// is NULL when the image exists by then.
int store_begin(struct store *store, const char *key, struct draft **ret, struct error *err);
const char *draft_folder(const struct draft *draft); // put disk.qcow2, kernel and initrd here

// The manifest needs "name", "family", "cmdline", "virtual_bytes" and, for a layer, "backing" (a
// key); key, creation time, sizes and digests are added. When it has "files" (it was made
// elsewhere) or "backing_sha256" (the digest of the base's disk) already, what is here must be the
// same: ERR_DAMAGED, ERR_CONFLICT. Published by one rename. The draft is spent when this succeeds.
int store_publish(struct draft *draft, struct jv *manifest, struct error *err);
void draft_free(
    struct draft *draft); // removes the folder of a draft that was not published; frees the lock
void draft_freep(struct draft **draft);
#define DRAFT_AUTO CLEANUP(draft_freep)

// ---- packages ------------------------------------------------------------------------------------------------------

// One set of packages, as downloaded for one image: HOME/store/packages/SHA256 are the files,
// HOME/store/packages/ sets/SET.json says which file names and digests belong together. SET is a
// digest of what asked for them.

// Keep the files of folder as set (moves them; a file that is there already is not kept twice).
int store_keep_packages(
    struct store *store, const char *set, const char *folder, struct error *err);
// The kept set: its lock, [{"file", "sha256", "bytes"}], sorted by file. ERR_NOT_FOUND when there
// is none.
int store_package_set(struct store *store, const char *set, struct jv **ret, struct error *err);
// Lay the files of a kept set into folder under their own names (hard links where possible),
// digests checked. ERR_DAMAGED: a file is not what it was; the set is forgotten then, so that the
// next bake downloads it anew.
int store_lay_packages(struct store *store, const char *set, const char *folder, struct error *err);

// ---- what is remembered --------------------------------------------------------------------------------------------

// HOME/store/NAME, a small file of JSON. It is an empty object when there is none; ERR_DAMAGED: it
// cannot be read. Caller frees.
int store_state_read(
    const struct store *store, const char *name, struct jv **ret, struct error *err);
// Set one member of it (NULL: all of it) as it is by then; value is taken over.
int store_state_put(
    struct store *store, const char *name, const char *member, struct jv *value, struct error *err);

// ---- files of the user ---------------------------------------------------------------------------------------------

// SHA-256 of a large file, remembered by path, size, time and inode, so that asking again takes no
// time.
int store_file_digest(struct store *store, const char *path, char **ret_hex, struct error *err);

#endif
