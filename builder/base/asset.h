// asset.h - files of images/ and cloud-init/ and the pages of reports, compiled into the program.
// Files in the folder AIRBUILD_ASSETS are used instead of those of the same name.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_ASSET_H
#define AIRBUILD_BASE_ASSET_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

// Reads the file name, such as "images/redis.yaml", of at most 1 MiB. *ret_data ends with NUL, the
// caller frees it; ret_length may be NULL. ERR_NOT_FOUND.
int asset_read(const char *name, char **ret_data, size_t *ret_length, struct error *err);

// Reads the file name and puts the texts in place of the slots, each once and in this order. Caller
// frees *ret. ERR_DAMAGED: a slot is missing.
struct asset_slot {
    const char *slot, *text; // "@DATA@", what replaces it
};
int asset_fill(
    const char *name, const struct asset_slot *slots, size_t count, char **ret, struct error *err);

// Whether the folder AIRBUILD_ASSETS has the file name.
bool asset_is_own(const char *name);

// Adds the sorted names that begin with prefix, of the folder and the program.
void asset_list(const char *prefix, struct strv *ret_names);

#endif
