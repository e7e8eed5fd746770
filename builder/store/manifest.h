// manifest.h - the folder of an image: the names of its files, and the manifest that describes
// them.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_STORE_MANIFEST_H
#define AIRBUILD_STORE_MANIFEST_H

#include "store/store.h"

#include <jansson.h>

#define STORE_DISK "disk.qcow2"
#define STORE_KERNEL "kernel"
#define STORE_INITRD "initrd"
#define STORE_MANIFEST "manifest.json"

enum { STORE_FORMAT = 1 };

extern const char *const store_files[]; // of an image, NULL-terminated, without the manifest

// ERR_NOT_FOUND when there is no image of that key.
int store_require(const struct store *store, const char *key, struct error *err);

// The manifest of a folder; caller frees. ERR_DAMAGED: it cannot be read, or is of another image;
// ERR_CONFLICT: a later version of airbuild wrote it.
int manifest_read(const char *folder, const char *key, json_t **ret, struct error *err);
// The manifest of an image, NULL when it cannot be read; caller frees.
json_t *manifest_peek(const struct store *store, const char *key);
// SHA-256 of the image's disk as recorded, or NULL.
const char *manifest_disk_digest(const json_t *manifest);
// The manifest of its base, NULL for a base; caller frees. ERR_CONFLICT: the base in the store has
// another digest than "backing_sha256", if that is set.
int manifest_read_base(
    const struct store *store, const json_t *manifest, json_t **ret, struct error *err);
bool manifest_is_base(const char *folder, const char *key); // it can be read and names no base

// Make the files of folder read-only and set the member "files" to their sizes, times and digests.
// ERR_DAMAGED: it had other digests.
int manifest_record_files(const char *folder, json_t *manifest, struct error *err);
// Compare the files of folder with its manifest: ERR_DAMAGED. thorough: read them all, else only
// those whose time differs.
int manifest_check_files(
    const char *folder, const json_t *manifest, bool thorough, struct error *err);

#endif
