// sets.h - all frozen sets of the store, whichever clusters they are of.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_SETS_H
#define AIRBUILD_CLUSTER_SETS_H

#include "cluster/cluster.h"
#include "cluster/frozen.h"

struct sets {
    struct frozen_set **items; // the oldest first; those whose age is not known before
    size_t count, capacity;
};
void sets_free(struct sets *sets);
#define SETS_AUTO CLEANUP(sets_free)

// Lists the sets. ret_strangers: a sentence for each thing in their folder that is none.
int sets_list(
    const struct store *store, struct sets *ret, struct strv *ret_strangers, struct error *err);
uint64_t sets_folder_bytes(const char *folder); // of a set, on disk
// Returns whether the store has all images of a set, as they were.
bool sets_has_images(const struct store *store, const struct frozen_set *set);

// Finds, as frozen_find, the set that a launch would thaw if there were no cluster. The session is
// connected.
int sets_find(const struct session *session, const struct launch_options *options,
    struct frozen_set **ret, char **ret_why, struct error *err);
// The same in a session of its own.
int cluster_find_set(const struct launch_options *options, struct frozen_set **ret, char **ret_why,
    struct error *err);

// Removes the sets that cannot be thawed, and of each cluster and spec all but the newest; and the
// drafts of freezes that were killed. Leaves those that the spec of options would thaw, with KVM or
// without; of a later airbuild; and that another airbuild makes or thaws. gone: "NAME KEY" of each
// image that is regarded as removed. options->haproxy or redis NULL: the spec has no set. Adds
// "frozen KEY (REASON)" to ret_removed, and bytes to ret_bytes.
int sets_prune(const struct store *store, const struct launch_options *options,
    const struct strv *gone, bool dry_run, struct strv *ret_removed, uint64_t *ret_bytes,
    struct error *err);

#endif
