// images.h - the actions of `airbuild images` on what is in the store already: list, verify, prune,
// export, import. Baking is in command_images.c, prune in images_prune.c, show in images_show.c.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_IMAGES_H
#define AIRBUILD_CLI_IMAGES_H

#include "cli/cli.h"
#include "store/store.h"

#include <stdbool.h>

struct images_values {
    const char *recipe;
    bool offline, rebuild, refresh, dry_run, forget_missing;
};

enum { IMAGES_KEY_SHOWN = 12 }; // digits of a key that people are shown

// Each returns the exit status, or -1 and *err.
int images_list(struct cli *cli, struct error *err);
int images_verify(struct cli *cli, struct error *err);
int images_prune(struct cli *cli, struct error *err);
int images_show(struct cli *cli, struct error *err);
int images_export(struct cli *cli, struct error *err);
int images_import(struct cli *cli, struct error *err);

// {"name", "key", "family", "backing", "disk", "disk_bytes", "virtual_bytes", "created"}; caller
// frees.
struct jv *images_json(const struct image *image);

struct jv *images_strings_json(const struct strv *list); // caller frees

// Keys of images that clusters without pins in the store use: an earlier airbuild launched them.
int images_unpinned(struct store *store, struct strv *ret_keys, struct error *err);

// Opens the store of this home; one that must wait for another airbuild tells progress so.
int images_open_store(struct progress *progress, struct store **ret, struct error *err);

// The plan's warnings, each a line on standard error: the last thing that a command says.
void images_warn(const struct strv *warnings);

#endif
