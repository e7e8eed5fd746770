// source.h - inside bake/ only: what an image of a plan is made from, and the key that follows.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_SOURCE_H
#define AIRBUILD_BAKE_SOURCE_H

#include "bake/bake.h"
#include "bake/distro.h"
#include "bake/recipe.h"
#include "base/cleanup.h"

struct bake_source {
    struct recipe *recipe; // NULL for a base that is a disk image
    // The base: of a base itself, and of the one below a layer. Never AUTO. Of an official image,
    // image is the version and snapshot its day, unless the spec specifies another.
    struct spec_base base;
    bool replaced;    // of a base: the pinned image left the mirrors, and base is its replacement
    bool unresolved;  // of a base: only the network knows its digest, so its key is provisional
    char *base_key;   // of the image below a layer; NULL for a base
    size_t base_item; // index of that image in the plan
};
void bake_source_free(struct bake_source *source);
DEFINE_FREEP(struct bake_source, bake_source_free)
#define BAKE_SOURCE_AUTO CLEANUP(bake_source_freep)

// A disk image that becomes a base.
struct base_disk {
    char *path;   // where it is
    char *origin; // for people: the path, or the URL it came from
    char *sha256; // of a download, for the manifest; else NULL
};
void base_disk_clear(struct base_disk *disk);
#define BASE_DISK_AUTO CLEANUP(base_disk_clear)

// Keys: equal inputs, equal key. Callers free. A base that is unresolved gets a key that no image
// has. ERR_NOT_FOUND: no such base file.
int base_key(const struct bake_source *source, struct store *store, char **ret, struct error *err);
char *disk_key(const char *sha256); // of a base that is a disk with that digest
char *layer_key(const struct bake_source *source);

#endif
