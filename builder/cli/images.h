// images.h - the actions of `airbuild images` on what is in the store already: list, verify, prune,
// export, import. Baking is in command_images.c.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_IMAGES_H
#define AIRBUILD_CLI_IMAGES_H

#include "cli/cli.h"
#include "store/store.h"

#include <stdbool.h>

struct images_values {
    const char *recipe;
    bool offline, rebuild, refresh, dry_run;
};

// Each returns the exit status, or -1 and *err.
int images_list(struct cli *cli, struct error *err);
int images_verify(struct cli *cli, struct error *err);
int images_prune(struct cli *cli, struct error *err);
int images_export(struct cli *cli, struct error *err);
int images_import(struct cli *cli, struct error *err);

// {"name", "key", "family", "backing", "disk", "disk_bytes", "virtual_bytes", "created"}; caller
// frees.
struct jv *images_json(const struct image *image);

#endif
