// store.h - finished images by key (the digest of all their inputs), and the packages that they
// were made from. An image appears whole or not at all, and never changes. Nothing is baked here.
//
// HOME/store/images/KEY/ holds disk.qcow2, kernel, initrd (0444) and manifest.json;
// HOME/store/images/.KEY is a draft; its maker holds the lock HOME/store/locks/KEY.
// HOME/store/users/KEY/ID pins an image for the cluster ID.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_STORE_STORE_H
#define AIRBUILD_STORE_STORE_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"

#include <jansson.h>
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
DEFINE_FREEP(struct store, store_free)
#define STORE_AUTO CLEANUP(store_freep)

bool store_is_key(const char *name); // 64 hex digits
// Adds the names in folder that are keys, sorted.
int store_keys(const char *folder, struct strv *ret_keys, struct error *err);

// ---- locks ---------------------------------------------------------------------------------------------------------

// From here on a function that needs a lock of another airbuild waits for it, at most wait_ms, and
// reports that process to progress (may be NULL). Without this call it fails with ERR_BUSY at once.
void store_set_patience(struct store *store, struct progress *progress, int64_t wait_ms);

// Take the lock of an image, or another of that name, as lock_take does.
int store_lock(
    const struct store *store, const char *name, int64_t wait_ms, int *ret_fd, struct error *err);
// The same with a lock that many may share: of something that is used, and must not be removed.
int store_share(
    const struct store *store, const char *name, int64_t wait_ms, int *ret_fd, struct error *err);
// 1: taken; 0: another airbuild holds it; -1: error.
int store_try_lock(const struct store *store, const char *name, int *ret_fd, struct error *err);
// Take the lock of an image, with the wait that store_set_patience allows.
int store_lock_image(const struct store *store, const char *key, int *ret_fd, struct error *err);

// Until store_bake_end this store bakes, exports or imports, and no image is removed.
int store_bake_begin(struct store *store, struct error *err);
void store_bake_end(struct store *store);
// Waits until no other airbuild bakes (ERR_BUSY names one that does), and keeps others from
// beginning until *ret_fd is closed. For those that remove images.
int store_alone(const struct store *store, int *ret_fd, struct error *err);

// ---- images --------------------------------------------------------------------------------------------------------

// Owned; the constant strings are the manifest's. Paths are absolute and canonical.
struct image {
    const char *key;     // 64 hex digits
    const char *name;    // the recipe's: "base-debian", "haproxy", "redis"
    const char *family;  // "debian" or "arch"
    const char *cmdline; // kernel arguments, "root=UUID=... ro console=ttyS0,..."
    const char *backing; // key of its base; NULL for a base
    const char *created; // "2026-11-22T17:41:20Z"
    char *disk;          // qcow2, 0444; a node's overlay names it as backing file with format qcow2
    char *kernel, *initrd; // for direct kernel boot
    char *backing_disk;    // the base's disk; NULL for a base
    uint64_t virtual_bytes;
    uint64_t disk_bytes; // of disk.qcow2, without its base
    json_t *manifest;    // all that is known: packages with versions, inputs, tools, seconds
};
void image_free(struct image *image);
DEFINE_FREEP(struct image, image_free)
#define IMAGE_AUTO CLEANUP(image_freep)

struct image_list {
    struct image **items;
    size_t count, capacity;
};
void image_list_free(struct image_list *list);
#define IMAGE_LIST_AUTO CLEANUP(image_list_free)

// The image of that key; caller frees. Checks it and its base quickly: files must have the recorded
// size and time, or else the recorded SHA-256. ERR_NOT_FOUND; ERR_DAMAGED names image, file,
// difference and fix; ERR_CONFLICT: a later version of airbuild made it. Interruptible.
int store_find(struct store *store, const char *key, struct image **ret, struct error *err);
bool store_has(const struct store *store, const char *key); // published, maybe damaged

// All images: bases first, then by name and age. Those that are damaged or of a later version are
// left out; ret_damaged gets a sentence for each.
int store_list(
    struct store *store, struct image_list *ret, struct strv *ret_damaged, struct error *err);

// Read every byte of the image and of its base and compare digests. ERR_DAMAGED as store_find.
int store_verify(struct store *store, const char *key, struct error *err);

// Remove the images that no cluster uses and that are not in keep, nor the base of one in keep;
// then the packages and downloads that no remaining image was made from. An image that is being
// made stays. ret_removed: "NAME KEY" each. dry_run: remove nothing. ERR_BUSY: another airbuild
// bakes, imports or exports.
int store_prune(struct store *store, const struct strv *keep, bool dry_run,
    struct strv *ret_removed, uint64_t *ret_bytes, struct error *err);

// Remove one image. It may be absent. ERR_CONFLICT names the cluster that uses it. The caller makes
// sure that it is not the base of another image.
int store_remove(struct store *store, const char *key, struct error *err);
// Remove one image if it is damaged. ERR_DAMAGED names the cluster that uses it, and the fix.
int store_remove_damaged(struct store *store, const char *key, struct error *err);
// Add the keys of the bases of those images, and all bases if a manifest cannot be read.
int store_add_bases(struct store *store, struct strv *keys, struct error *err);

// Copy images and their bases into a new folder (KEY/ each), which appears whole or not at all.
int store_export(
    struct store *store, const struct strv *keys, const char *folder, struct error *err);
// Import such a folder after checking every digest; images that exist already are skipped.
// ret_keys: those that were imported. ERR_CONFLICT: the store has another build of the base of a
// layer.
int store_import(struct store *store, const char *folder, struct strv *ret_keys, struct error *err);

// ---- users of an image ---------------------------------------------------------------------------------------------

// A disk of a node is backed by the exact bytes of an image and of its base, so both stay while the
// cluster exists. Pins are in the store because state folders and labs share it.

// Keep the image and its base for the cluster ID, whose folder is FOLDER; the pin is on disk when
// this returns. Repeating it is fine; a new folder replaces the old one. ERR_NOT_FOUND: there is no
// such image (any more).
int store_pin(
    struct store *store, const char *key, const char *id, const char *folder, struct error *err);
// Remove all pins of that cluster, if there are any.
int store_unpin(struct store *store, const char *id, struct error *err);
// The folders of the clusters that use the image, or a layer over it; each once.
int store_users(struct store *store, const char *key, struct strv *ret_folders, struct error *err);
// The same without the lock, which the caller may hold.
int store_users_locked(
    const struct store *store, const char *key, struct strv *ret_folders, struct error *err);
// While this lock is held no image gets a new user.
int store_lock_users(const struct store *store, int *ret_fd, struct error *err);
// The folders of users that this process cannot see. They may exist: a lab's folders can be visible
// in that lab only. forget: remove their pins.
int store_missing_users(
    struct store *store, bool forget, struct strv *ret_folders, struct error *err);

// ---- making an image -----------------------------------------------------------------------------------------------

struct draft; // an unfinished image: a private folder beside the images, and the lock of its key

// Lock the key (ERR_BUSY names the process that makes the same image), then make the folder. *ret
// is NULL when the image exists by then.
int store_begin(struct store *store, const char *key, struct draft **ret, struct error *err);
const char *draft_folder(const struct draft *draft); // put disk.qcow2, kernel and initrd here

// Publish the draft by one rename; after success it can only be freed. The manifest needs "name",
// "family", "cmdline", "virtual_bytes" and, for a layer, "backing" (a key); key, creation time,
// sizes and digests are added. If it has "files" or "backing_sha256" (of the base's disk), the
// digests must match: else ERR_DAMAGED, ERR_CONFLICT.
int store_publish(struct draft *draft, json_t *manifest, struct error *err);
// Removes the folder of a draft that was not published, and releases the lock.
void draft_free(struct draft *draft);
DEFINE_FREEP(struct draft, draft_free)
#define DRAFT_AUTO CLEANUP(draft_freep)

// ---- packages ------------------------------------------------------------------------------------------------------

// The files are HOME/store/packages/SHA256. HOME/store/packages/sets/SET.json lists the names and
// digests of those that were downloaded for one image; SET is a digest of the request.

// Move the files of folder into the store as that set; each content is stored once.
int store_keep_packages(
    struct store *store, const char *set, const char *folder, struct error *err);
// The list of a set, [{"file", "sha256", "bytes"}], sorted by file; caller frees. ERR_NOT_FOUND:
// there is none.
int store_package_set(struct store *store, const char *set, json_t **ret, struct error *err);
// Put the files of a set into folder under their own names, as hard links where possible, and check
// their digests. ERR_DAMAGED: a file is damaged or missing; the set is then removed, so that the
// next bake downloads it again.
int store_lay_packages(struct store *store, const char *set, const char *folder, struct error *err);

// ---- state files ---------------------------------------------------------------------------------------------------

// Read HOME/store/NAME, a small JSON file; an empty object when it does not exist. Caller frees.
// ERR_DAMAGED: it is not valid JSON.
int store_state_read(const struct store *store, const char *name, json_t **ret, struct error *err);
// Read it, set one member (NULL: replace all of it) and write it, under a lock. Frees value.
int store_state_put(
    struct store *store, const char *name, const char *member, json_t *value, struct error *err);

// SHA-256 of a large file of the user; caller frees. Cached by path, size, times and inode.
int store_file_digest(struct store *store, const char *path, char **ret_hex, struct error *err);

#endif
