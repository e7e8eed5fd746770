// state.h - the one owner of a cluster's life on this host: whether it exists, whose it is, what it
// needs. It alone makes and removes the folder of a cluster. A cluster is born whole (id, record
// and secrets appear by one rename) and dies whole (one rename, then removal). What is done to a
// cluster is done under its lock, which is no part of the folder.
//
// CLUSTERS/NAME/            the cluster: cluster.json, secrets.json, nodes/, ssh/
// CLUSTERS/.NAME.lock       the lock
// CLUSTERS/.NAME.new-XXXXXX in the making; removed by the next who holds the lock
// CLUSTERS/.NAME.gone-ID    going; likewise, with the pins of its images
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_STATE_H
#define AIRBUILD_CLUSTER_STATE_H

#include "base/error.h"
#include "cluster/record.h"
#include "seed/secrets.h"
#include "spec/spec.h"

#include <stdbool.h>

// Take the cluster's lock (10 s, then ERR_BUSY) and remove what ended processes left of making and
// removing it. *ret_fd holds the lock until it is closed.
int state_lock(const struct spec *spec, int *ret_fd, struct error *err);

// What is there. Neither record nor secrets: there is no cluster, or the remnant of a first launch
// without a disk. Both: there is one. ERR_ACCESS: the folder is another user's, or unreadable;
// ERR_CONFLICT: a newer airbuild's; ERR_DAMAGED: a part is lost or not ours, nothing of it is used.
int state_load(const struct spec *spec, struct record **ret_record, struct secrets **ret_secrets,
    struct error *err);

// Whether there is anything to remove: the folder, or what a removal that was ended left.
bool state_any(const struct spec *spec);
// The record alone, for removing a cluster of which parts are lost: *ret stays NULL when it is lost
// or damaged. ERR_ACCESS and ERR_CONFLICT as state_load.
int state_load_bare(const struct spec *spec, struct record **ret, struct error *err);

// In the lock, when state_load found no cluster: make one. A remnant is replaced.
int state_create(const struct spec *spec, const char *id, struct record **ret_record,
    struct secrets **ret_secrets, struct error *err);
// In the lock: one of the version before is given an id.
int state_adopt(const struct spec *spec, struct record *record, const char *id, struct error *err);
// In the lock: remove the drafts of files that a killed process left beside them.
int state_tidy(const struct spec *spec, struct error *err);
// In the lock, after the domains and the network are gone: the folder with all that is in it, then
// the pins of id (NULL: not known) and the lock file.
int state_remove(const struct spec *spec, const char *id, struct error *err);

#endif
