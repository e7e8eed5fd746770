// record.h - cluster.json: the cluster's id, and the spec and images it was launched with, so that
// changes are detected.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_RECORD_H
#define AIRBUILD_CLUSTER_RECORD_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"
#include "spec/spec.h"

#include <jansson.h>
#include <stdbool.h>

#define RECORD_FILE "cluster.json"
#define RECORD_ID_LENGTH 32 // hex digits, 128 random bits

struct record {
    char *id;       // for the cluster's whole life; NULL: an airbuild without ids made it
    bool old;       // it was made without an id: not all of its domains and networks carry it
    bool founded;   // all disks were made, and a domain may have been started since
    char *spec;     // spec_canonical of the spec it was launched with
    char *network;  // the libvirt network it was launched on; NULL: a bridge of the host
    char *thaws;    // key of the frozen set that its first launch has not brought back yet; or NULL
    json_t *images; // by name of a node: key of the image that backs its disk
};

// Loads FOLDER/cluster.json. ERR_NOT_FOUND: there is none; ERR_DAMAGED: it is not valid;
// ERR_CONFLICT: a newer airbuild wrote it; ERR_ACCESS: it may not be read.
int record_load(const char *folder, struct record **ret, struct error *err);
int record_save(const char *folder, const struct record *record, struct error *err);
struct record *record_new(const struct spec *spec, const char *id); // without images
// Returns the key of the image that backs a node's disk, or NULL.
const char *record_image(const struct record *record, const char *node);
// Returns the value of a key, as "uri", in a canonical spec; NULL: none. Caller frees.
char *record_value(const char *spec, const char *key);
// Lists the differences between two canonical specs, as "redis.quorum: was 2, now 3". spec: the
// later one; a value that it leaves open does not differ (see spec_restore). NULL: all values
// count.
void record_compare(const char *was, const char *is, const struct spec *spec, struct strv *ret);
void record_differences(const char *was, const struct spec *spec, struct strv *ret);
void record_freep(struct record **record);
#define RECORD_AUTO CLEANUP(record_freep)

#endif
