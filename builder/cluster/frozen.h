// frozen.h - frozen sets: the memory, disk and seed of each node of a converged cluster, and its
// secrets, saved at one moment. A set is found by what it depends on; it never changes.
//
// HOME/store/frozen/KEY/ (0700) has manifest.json, secrets.json and NODE/ with disk.qcow2,
// memory.zst and seed.iso; .KEY is a draft, whose maker holds the lock HOME/store/locks/KEY.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_FROZEN_H
#define AIRBUILD_CLUSTER_FROZEN_H

#include "base/cleanup.h"
#include "base/error.h"
#include "cluster/session.h"
#include "store/store.h"

#include <jansson.h>
#include <stdbool.h>

#define FROZEN_DISK "disk.qcow2"
#define FROZEN_MEMORY "memory.zst"
#define FROZEN_SEED "seed.iso"
#define FROZEN_SECRETS "secrets.json"

struct frozen_set {
    char *key;
    char *folder;
    json_t *manifest;
};
void frozen_set_freep(struct frozen_set **set);
#define FROZEN_SET_AUTO CLEANUP(frozen_set_freep)

// Returns what the memory of a cluster depends on, as a JSON object; its digest is the key of a
// set. images: their keys, by node. Caller frees.
int frozen_depends(const struct session *session, const struct strv *images, bool kvm, json_t **ret,
    struct error *err);
void frozen_key(const json_t *depends, char ret_key[65]);

// Finds the set that matches. *ret is NULL when there is none; *ret_why (caller frees) then says
// how the newest set of this cluster differs, or is NULL when it has no set. ERR_DAMAGED.
int frozen_find(const struct spec *spec, const json_t *depends, struct frozen_set **ret,
    char **ret_why, struct error *err);

// Returns the path of a node's file in a set, or of a file of the set for node NULL; caller frees.
char *frozen_path(const char *folder, const char *node, const char *file);
// Returns the UUID that a node's domain had, or NULL.
const char *frozen_uuid(const struct frozen_set *set, const char *node);

#endif
