// thaw.h - the memory of nodes: brings domains back from files, compressed or as libvirt wrote
// them. In a session that holds the lock.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_THAW_H
#define AIRBUILD_CLUSTER_THAW_H

#include "cluster/frozen.h"
#include "cluster/session.h"
#include "cluster/survey.h"

#include <stdbool.h>

#define THAW_MEMORY "memory" // in a node's folder: what freeze saves, until the domain is back
#define THAW_MS 120000

// Returns whether a node that is off left its memory, whole and not older than its disk.
bool thaw_has_memory(const struct session *session, const char *node);

// Returns whether the cluster was being thawed when its launch was cut short, and no domain has run
// since: each that is defined still has the disk of the set. Such a thaw begins again.
bool thaw_was_cut(const struct session *session, const struct survey *survey);

// Starts, paused, the domains of nodes[i] that are true from what freeze saved, and removes that.
int thaw_saved(const struct session *session, struct image *const *images, bool kvm,
    const bool *nodes, struct error *err);

// Starts all domains, paused, from a frozen set, whose files are checked meanwhile. ERR_DAMAGED.
int thaw_set(const struct session *session, struct image *const *images, bool kvm,
    const struct frozen_set *set, struct error *err);

#endif
