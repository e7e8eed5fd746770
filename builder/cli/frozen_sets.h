// frozen_sets.h - the part of `airbuild images` that is about frozen sets.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_FROZEN_SETS_H
#define AIRBUILD_CLI_FROZEN_SETS_H

#include "cli/cli.h"
#include "cli/workspace.h"
#include "store/store.h"

#include <jansson.h>
#include <stddef.h>

// Adds a table of the sets to text, nothing when there is none, a sentence for each that is damaged
// to damaged, and {"key", "folder", "cluster", "nodes", "bytes", "created", "state"} of each to
// list.
int frozen_sets_list(const struct cli *cli, const struct store *store, struct buf *text,
    json_t *list, struct strv *damaged, struct error *err);
// The same, in full, for those whose key begins with word.
int frozen_sets_show(const struct cli *cli, const struct store *store, const char *word,
    struct buf *text, json_t *list, struct error *err);
// Reads all sets; *ret_count is their number.
int frozen_sets_verify(struct cli *cli, const struct store *store, struct strv *damaged,
    size_t *ret_count, struct error *err);

// Makes the set that a first launch of the spec thaws, unless it is there. Adds a line to text;
// *ret: {"key", "folder", "bytes", "made", "seconds"}, which the caller frees.
int frozen_sets_make(struct cli *cli, const struct spec *spec, const struct workspace *workspace,
    struct buf *text, json_t **ret, struct error *err);

#endif
