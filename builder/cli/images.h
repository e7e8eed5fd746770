// images.h - the actions of `airbuild images` on images in the store: list, verify, prune, show,
// export, import. Baking is in command_images.c.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_IMAGES_H
#define AIRBUILD_CLI_IMAGES_H

#include "cli/cli.h"
#include "store/store.h"

#include <jansson.h>
#include <stdbool.h>

// Digits of a key in text output, and the fewest that select something.
enum { IMAGES_KEY_SHOWN = 12, IMAGES_PREFIX_LEAST = 4 };

// Each returns the exit status, or -1 and *err.
int images_list(struct cli *cli, struct error *err);
int images_verify(struct cli *cli, struct error *err);
int images_prune(struct cli *cli, struct error *err);
int images_show(struct cli *cli, struct error *err);
int images_export(struct cli *cli, struct error *err);
int images_import(struct cli *cli, struct error *err);

// Returns {"name", "key", "family", "backing", "disk", "disk_bytes", "virtual_bytes", "created"};
// caller frees.
json_t *images_json(const struct image *image);

// Appends the images that clusters without pins in the store use: an earlier airbuild launched
// them.
int images_unpinned(struct store *store, struct strv *ret_keys, struct error *err);

// Prints the plan's warnings, one line each, on standard error; call it last.
void images_warn(const struct strv *warnings);

#endif
