// record.h - cluster.json: which cluster this is, and what it was launched as, so that a changed
// spec or image is noticed.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_RECORD_H
#define AIRBUILD_CLUSTER_RECORD_H

#include "base/error.h"
#include "base/str.h"
#include "spec/spec.h"

#include <stdbool.h>

#define RECORD_FILE "cluster.json"
#define RECORD_ID_LENGTH 32 // hex digits, 128 random bits

struct record_node {
    char *name;
    char *image; // key of the image its disk lies over
};

struct record {
    char *id;      // of the cluster, for its whole life; NULL: the version before made it
    bool old;      // the version before made it: not all that is its own carries the id
    bool founded;  // all disks were made, and a domain may have been started since
    char *spec;    // spec_canonical of the spec it was launched with
    char *network; // the libvirt network it was launched on; NULL: a bridge of the host
    struct record_node *nodes;
    size_t node_count;
};

// FOLDER/cluster.json. ERR_NOT_FOUND when there is none; ERR_DAMAGED when it is not one of ours;
// ERR_CONFLICT when a newer airbuild wrote it; ERR_ACCESS when it may not be read.
int record_load(const char *folder, struct record **ret, struct error *err);
int record_save(const char *folder, const struct record *record, struct error *err);
struct record *record_new(const struct spec *spec, const char *id); // no node yet
// Key of the image below a node's disk, or NULL.
const char *record_image(const struct record *record, const char *node);
void record_set_image(struct record *record, const char *node, const char *key);
// The value that the spec had for a key of spec_canonical, "uri"; NULL: none. Caller frees.
char *record_value(const struct record *record, const char *key);
// Where the spec asks for something else than a canonical one, as "redis.quorum: was 2, now 3".
// What the spec does not say itself is no difference (see spec_recall).
void record_differences(const char *was, const struct spec *spec, struct strv *ret);
void record_free(struct record *record);
void record_freep(struct record **record);
#define RECORD_AUTO __attribute__((cleanup(record_freep)))

#endif
