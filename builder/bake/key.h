// key.h - inside bake/ only: the names of images, digests of all that goes into them.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_KEY_H
#define AIRBUILD_BAKE_KEY_H

#include "bake/source.h"

// Caller frees. A base that only the network knows the digest of gets a key that no image has.
int base_key(const struct bake_source *source, struct store *store, char **ret, struct error *err);
char *disk_key(const char *sha256); // of a base that is a disk with that digest; caller frees
char *layer_key(const struct bake_source *source); // caller frees

#endif
