// state.h - the one owner of a cluster's life on this host: whether it exists, whose it is, which
// images it needs. It alone makes and removes the folder of a cluster. A cluster is born whole (id,
// record and secrets appear by one rename) and dies whole (one rename, then removal). Changes need
// the cluster's lock, which is outside of the folder.
//
// CLUSTERS/NAME/            the cluster: cluster.json, secrets.json, nodes/, ssh/
// CLUSTERS/.NAME.lock       the lock
// CLUSTERS/.NAME.new-XXXXXX being made, or replaced; the next process that locks removes it
// CLUSTERS/.NAME.gone-ID    being removed; likewise, with the pins of its images
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_STATE_H
#define AIRBUILD_CLUSTER_STATE_H

#include "base/error.h"
#include "cluster/record.h"
#include "seed/secrets.h"
#include "spec/spec.h"

#include <stdbool.h>

// Takes the cluster's lock (10 s, then ERR_BUSY) and removes what killed processes left of making
// and removing it. *ret_fd holds the lock until it is closed.
int state_lock(const struct spec *spec, int *ret_fd, struct error *err);

// Loads both record and secrets, or neither when there is no cluster, or the remnant of a first
// launch without a disk. ERR_ACCESS: the folder is another user's, or unreadable; ERR_CONFLICT: a
// newer airbuild wrote it; ERR_DAMAGED: a part is lost or not ours, and nothing is loaded.
// ret_secrets NULL, to remove a cluster that has lost a part: loads the record alone, which stays
// NULL when it is lost or damaged.
int state_load(const struct spec *spec, struct record **ret_record, struct secrets **ret_secrets,
    struct error *err);

// Returns true when there is anything to remove: the folder, or the remnant of a removal.
bool state_has_any(const struct spec *spec);

// All below need the lock.

// Makes a cluster, when state_load found none, or in the place of the one of that id, whose domains
// are gone. Replaces a remnant. set: it gets the secrets of that, which it thaws; NULL: it gets new
// ones. renew: it keeps only the identities of these. *ret_before: the folder that was there, until
// the next process locks, or NULL; caller frees.
struct frozen_set;
int state_create(const struct spec *spec, const char *id, const struct frozen_set *set, bool renew,
    struct record **ret_record, struct secrets **ret_secrets, char **ret_before, struct error *err);
// Removes the cluster that state_create made, and puts the one before into its place.
int state_put_back(const struct spec *spec, const char *before, struct error *err);
// Removes temporary files of killed processes.
int state_tidy(const struct spec *spec, struct error *err);
// Removes the folder and its content, then the pins of id (NULL: unknown) and the lock file; after
// the domains and the network are gone.
int state_remove(const struct spec *spec, const char *id, struct error *err);

#endif
