// archive.h - writing archives by libarchive into a buffer. Internal to seed/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_ARCHIVE_H
#define AIRBUILD_SEED_ARCHIVE_H

#include "base/cleanup.h"
#include "base/error.h"

#include <archive.h>
#include <archive_entry.h>
#include <stddef.h>
#include <sys/types.h>

DEFINE_FREEP(struct archive, archive_free)
DEFINE_FREEP(struct archive_entry, archive_entry_free)
#define ARCHIVE_AUTO CLEANUP(archive_freep)
#define ENTRY_AUTO CLEANUP(archive_entry_freep)

// Sets libarchive's last error as ours. Always -1.
int archive_failed(struct archive *archive, struct error *err);

// For archive_write_open: appends to context, a struct buf.
la_ssize_t archive_add_bytes(
    struct archive *archive, void *context, const void *bytes, size_t length);

// Adds a regular file of root's, of the year 1970, to an archive that is being written.
int archive_add_file(struct archive *archive, const char *path, mode_t mode, const char *data,
    size_t length, struct error *err);

#endif
