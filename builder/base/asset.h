// asset.h - the recipes, units and templates of images/ and cloud-init/, and the page of drills,
// compiled into the program. The folder that AIRBUILD_ASSETS names goes first, file by file.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_ASSET_H
#define AIRBUILD_BASE_ASSET_H

#include "base/error.h"
#include "base/str.h"

#include <stddef.h>

// name: "images/redis.yaml", "cloud-init/redis.yaml". A copy, NUL-terminated, at most 1 MiB; the
// caller frees. ERR_NOT_FOUND when there is none. ret_length may be NULL.
int asset_read(const char *name, char **ret_data, size_t *ret_length, struct error *err);

// Names that begin with prefix, sorted, from the folder and the program together.
void asset_list(const char *prefix, struct strv *ret_names);

#endif
