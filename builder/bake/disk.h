// disk.h - inside bake/ only: disks and file systems made by the host's own tools, without an
// appliance.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_DISK_H
#define AIRBUILD_BAKE_DISK_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

// Minimum virtual size of a base disk.
static const uint64_t base_disk_bytes = 8ULL << 30;

// Returns the output of `qemu-img info`, which opens no other file. ERR_MISSING.
int disk_info(const char *file, json_t **ret, struct error *err);
// Copies a disk into a new qcow2. compress: by zstd, to about a third of the size.
int disk_convert(
    const char *from, const char *format, const char *to, bool compress, struct error *err);
// Makes a qcow2 larger and keeps its contents.
int disk_grow(const char *disk, uint64_t bytes, struct error *err);
// Makes a sparse raw file.
int disk_create_raw(const char *path, uint64_t bytes, struct error *err);
// Makes an ext4 file system in a raw disk, with the files of tree, their owners and modes (so only
// root can). folder: private, for mke2fs' configuration. start and bytes: its place on the disk.
int disk_make_ext4(const char *disk, uint64_t start, uint64_t bytes, const char *label,
    const char *tree, const char *folder, struct error *err);

#endif
