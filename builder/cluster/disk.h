// disk.h - the files of a node: its disk, a thin layer over an image, made so that it is there
// whole or not at all, and looked at before it is kept; its seed, which can be made again at any
// time.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_DISK_H
#define AIRBUILD_CLUSTER_DISK_H

#include "base/error.h"
#include "spec/spec.h"
#include "store/store.h"

#include <stdbool.h>

// A new layer over image at path, readable by its owner alone; on disk when this returns.
int disk_make(
    const struct spec_node *node, const char *path, const struct image *image, struct error *err);

// Whether the disk at path can be kept: a whole qcow2 over the image of that key. ERR_DAMAGED and
// ERR_CONFLICT (another user's) in one sentence. thorough: its tables are read too, by qemu-img;
// only of a machine that does not run. A disk that we may not read is taken as it is.
int disk_check(
    const char *node, const char *path, const char *key, bool thorough, struct error *err);

// Whether the seed at path is whole and of that instance. What may not be read is.
bool disk_has_seed(const char *path, const char *instance_id);

// Take the others' right to read what may hold data or secrets, as far as the file is ours.
void disk_tighten(const char *path);

#endif
