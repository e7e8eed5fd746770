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

// Read the manifest of an image in a folder of images, which is the store's or an exported one;
// caller frees. ERR_DAMAGED: it cannot be read, or is of another image; ERR_CONFLICT: a later
// version of airbuild wrote it.
int manifest_read(const char *images, const char *key, json_t **ret, struct error *err);
// Also compare the image's files with it: ERR_DAMAGED, but *ret is set. thorough: read them all,
// else only those whose time differs.
int manifest_check(
    const char *images, const char *key, bool thorough, json_t **ret, struct error *err);
json_t *manifest_peek(const char *images, const char *key); // NULL: it cannot be read; caller frees
bool manifest_is_base(const char *images, const char *key); // it can be read and names no base
// SHA-256 of the image's disk as recorded, or NULL.
const char *manifest_disk_digest(const json_t *manifest);

// Make the files of folder read-only and set the member "files" to their sizes, times and digests.
// ERR_DAMAGED: it had other digests.
int manifest_record_files(const char *folder, json_t *manifest, struct error *err);
// Set "backing_sha256" to the digest of the base in the store, if it names a base. ERR_CONFLICT: it
// had another digest.
int manifest_record_base(const struct store *store, json_t *manifest, struct error *err);

#endif
