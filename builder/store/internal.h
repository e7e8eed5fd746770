// internal.h - inside store/ only: the folders of a store and the looks that its files share.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_STORE_INTERNAL_H
#define AIRBUILD_STORE_INTERNAL_H

#include "base/digest.h"
#include "store/store.h"

#define STORE_DISK "disk.qcow2"
#define STORE_KERNEL "kernel"
#define STORE_INITRD "initrd"
#define STORE_MANIFEST "manifest.json"

enum { STORE_FORMAT = 1, STORE_FOLDER_MODE = 0755, STORE_MANIFEST_MAX = 4 * 1024 * 1024 };

struct store {
    char *folder;              // HOME/store, canonical
    char *images;              // HOME/store/images
    char *locks;               // HOME/store/locks
    char *packages;            // HOME/store/packages
    char *sets;                // HOME/store/packages/sets
    char *downloads;           // HOME/store/downloads
    char *users;               // HOME/store/users
    struct progress *progress; // who is told of a wait; may be NULL
    int64_t wait_ms;           // the longest
};

extern const char *const store_files[]; // of an image, NULL-terminated, without the manifest

bool store_is_key(const char *name); // 64 hex digits
char *store_image_folder(const struct store *store, const char *key);
char *store_draft_folder(const struct store *store, const char *key);
int store_lock_key(
    const struct store *store, const char *key, int64_t wait_ms, int *ret_fd, struct error *err);

// The manifest of a folder, its "format" checked; ERR_DAMAGED otherwise.
int store_read_manifest(const char *folder, const char *key, struct jv **ret, struct error *err);
// The manifest of an image, or NULL when it cannot be read; caller frees.
struct jv *store_peek_manifest(const struct store *store, const char *key);
// {"bytes", "time_ns", "sha256"} of one file.
int store_describe_file(const char *path, struct jv **ret, struct error *err);
// Compare the files of folder with its manifest. thorough: read them all, else only those whose
// time differs.
int store_check_files(
    const char *folder, const struct jv *manifest, bool thorough, struct error *err);

// Nobody pins while this lock is held, so what has no user then may be removed.
int store_lock_users(const struct store *store, int *ret_fd, struct error *err);
int store_users_locked(
    const struct store *store, const char *key, struct strv *ret_folders, struct error *err);

// The lock of a key, waited for as patiently as was set.
int store_wait_key(const struct store *store, const char *key, int *ret_fd, struct error *err);
// ERR_NOT_FOUND when there is no image of that key.
int store_require(const struct store *store, const char *key, struct error *err);
int store_keys(const struct store *store, struct strv *ret_keys, struct error *err); // all images
bool store_is_base(const char *folder, const char *key); // its manifest can be read and says so

#endif
