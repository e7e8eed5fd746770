// frozen.h - frozen sets: the memory, disk and seed of each node of a converged cluster, and its
// secrets, saved at one moment. A set is found by what it depends on; it never changes.
//
// HOME/store/frozen/KEY/ (0700) has manifest.json, secrets.json and NODE/ with disk.qcow2,
// memory.zst and seed.iso; and `damaged`, the reason, once a launch found that it is. .KEY and
// .KEY.old are drafts. Who makes or removes a set holds the lock HOME/store/locks/KEY, and who
// thaws it shares it. A set keeps no image.
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
#define FROZEN_MANIFEST "manifest.json"

#define FROZEN_DAMAGED "damaged"

enum { FROZEN_FORMAT = 1 };

struct frozen_set {
    char *key;
    char *folder;
    json_t *manifest; // NULL: it cannot be read
    char *damage;     // why it cannot be thawed, after its name: "lacks work11/memory.zst"; or NULL
    bool newer;       // a later airbuild made it
    int lock;         // that of frozen_find, which keeps it from being removed; -1: not held
};
void frozen_set_freep(struct frozen_set **set);
#define FROZEN_SET_AUTO CLEANUP(frozen_set_freep)

// Returns what the memory of a cluster depends on, as a JSON object; its digest is the key of a
// set. images: by node. Caller frees.
int frozen_depends(const struct session *session, struct image *const *images, bool kvm,
    json_t **ret, struct error *err);
void frozen_key(const json_t *depends, char ret_key[65]);

// Finds the set that matches, and shares its lock. *ret is NULL when there is none that can be
// thawed; *ret_why (caller frees) then says how it is damaged or how the newest set of this cluster
// differs, as "no frozen set matches (...)", or is NULL when the cluster has no set.
int frozen_find(struct store *store, const struct spec *spec, const json_t *depends,
    struct frozen_set **ret, char **ret_why, struct error *err);
void frozen_release(struct frozen_set *set); // it may be removed from here on
// Remembers the damage that err tells, so that the set is not used again. Adds to err what to do.
int frozen_give_up(const struct frozen_set *set, struct error *err);

// Reads what is known of a set, and compares names and sizes of its files with its manifest.
struct frozen_set *frozen_load(const char *sets, const char *key);
// Adds "files" to the manifest of a set: sizes and, but for the memory, which has a checksum of its
// own, digests.
int frozen_record_files(const char *folder, json_t *manifest, struct error *err);
// Reads all of a set that frozen_load found no damage in. ERR_DAMAGED.
int frozen_verify(const struct frozen_set *set, struct error *err);

char *frozen_folder(const struct store *store); // of all sets; caller frees

// Returns the path of a node's file in a set, or of a file of the set for node NULL; caller frees.
char *frozen_path(const char *folder, const char *node, const char *file);
// Returns the UUID that a node's domain had, or NULL.
const char *frozen_uuid(const struct frozen_set *set, const char *node);

#endif
