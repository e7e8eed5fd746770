// disk.h - the files of a node: its disk, a thin qcow2 that an image backs, and its seed. A disk
// appears whole or not at all, and is checked before it is kept; a seed can be made again.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_DISK_H
#define AIRBUILD_CLUSTER_DISK_H

#include "base/error.h"
#include "spec/spec.h"
#include "store/store.h"

#include <stdbool.h>

#define DISK_DRAFT "disk.qcow2.new" // left in the node's folder when disk_make is killed

// Makes a disk at path that image backs, readable by its owner alone; synced when this returns.
int disk_make(
    const struct spec_node *node, const char *path, const struct image *image, struct error *err);

// Checks that the disk at path can be kept: a whole qcow2 that the image of that key backs.
// ERR_DAMAGED; ERR_CONFLICT: another user's. thorough: qemu-img checks its tables too; only while
// the domain is off. A disk that we may not read passes.
int disk_check(
    const char *node, const char *path, const char *key, bool thorough, struct error *err);

// Has the disk at path name the image's file here, as one that was carried from another home names
// that of there. Only while the domain is off. ERR_DAMAGED: another image backs it.
int disk_set_backing(
    const char *node, const char *path, const struct image *image, struct error *err);

// Returns true when the seed at path is whole and of that instance, or may not be read.
bool disk_has_seed(const char *path, const char *instance_id);

#endif
