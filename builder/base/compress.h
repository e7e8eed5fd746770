// compress.h - whole files compressed by zstd, with a checksum of their content.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_COMPRESS_H
#define AIRBUILD_BASE_COMPRESS_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>

// All may run in a thread, and are interruptible.

// Compresses the content of a file, from its beginning, into a new file at path (0600), synced when
// this returns. On errors there is no file.
int compress_to(int from, const char *path, struct error *err);
// Waits until the pipe, whose end to is for writing and does not block, has a reader, and writes
// the content of the compressed file at path to it, in a thread where SIGPIPE is blocked.
// ERR_DAMAGED: it is damaged or cut short; part of it may have been written then. *stop: another
// thread sets it to end this early, with ERR_INTERRUPTED.
int decompress_from(const char *path, int to, const atomic_bool *stop, struct error *err);
// Reads the compressed file at path to its end. ERR_DAMAGED as decompress_from.
int decompress_check(const char *path, struct error *err);

#endif
