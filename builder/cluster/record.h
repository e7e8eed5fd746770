// record.h - cluster.json: what a cluster was launched as, so that a changed spec or image is
// noticed.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_RECORD_H
#define AIRBUILD_CLUSTER_RECORD_H

#include "base/error.h"
#include "base/str.h"
#include "spec/spec.h"

#define RECORD_FILE "cluster.json"

struct record_node {
    char *name;
    char *image; // key of the image its disk lies over
};

struct record {
    char *spec;    // spec_canonical of the spec it was launched with
    char *network; // the libvirt network it was launched on; NULL: a bridge of the host
    struct record_node *nodes;
    size_t node_count;
};

// FOLDER/cluster.json. ERR_NOT_FOUND when there is none; ERR_DAMAGED when it is not one of ours.
int record_load(const char *folder, struct record **ret, struct error *err);
int record_save(const char *folder, const struct record *record, struct error *err);
struct record *record_new(const struct spec *spec); // no node yet
// Key of the image below a node's disk, or NULL.
const char *record_image(const struct record *record, const char *node);
void record_set_image(struct record *record, const char *node, const char *key);
// Lines of two canonical specs that differ, as "redis.quorum: was 2, now 3".
void record_differences(const char *was, const char *now, struct strv *ret);
void record_free(struct record *record);
void record_freep(struct record **record);
#define RECORD_AUTO __attribute__((cleanup(record_freep)))

char *cluster_parent(void); // the folder that clusters' folders are in; caller frees

#endif
