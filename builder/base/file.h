// file.h - files, and names of files and programs. All descriptors are O_CLOEXEC. Folders are in
// dir.h.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_FILE_H
#define AIRBUILD_BASE_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Reads a regular file of at most max bytes. *ret_data ends with NUL, the caller frees it;
// ret_length may be NULL. ERR_NOT_FOUND; ERR_FAILED when it is larger or not a regular file.
int file_read(const char *path, size_t max, char **ret_data, size_t *ret_length, struct error *err);

// Writes a file, whole or not at all: a temporary file in the same folder, fsync, rename, fsync of
// the folder. The umask does not change mode.
int file_write(const char *path, mode_t mode, const void *data, size_t length, struct error *err);
#define FILE_TEMPORARY ".tmp-" // how the name of the temporary file begins
// Writes all of data with as many calls as it takes; -1 and errno.
int file_write_all(int fd, const void *data, size_t length);

// Copies a file, keeps its holes, and calls fsync; the target must not exist. On errors there is no
// target. ERR_DAMAGED: the source changed meanwhile, or ended before its size.
int file_copy(const char *from, const char *to, mode_t mode, struct error *err);

bool file_exists(const char *path);       // true for anything of that name; links are not followed
int64_t file_size(const char *path);      // bytes, or -1
int64_t file_allocated(const char *path); // bytes on disk, or -1

// fsync of a file: its bytes survive a crash once its folder's entry does.
int file_sync(const char *path, struct error *err);
// fsync of a folder: what was renamed into it survives a crash.
int dir_sync(const char *path, struct error *err);

// Return names that the caller frees.
char *path_folder(const char *path);                   // "a" of "a/b", "." of "b", "/" of "/b"
char *path_join(const char *folder, const char *name); // an absolute name stays as it is
char *path_program(const char *name); // found in PATH, /usr/sbin, /sbin, /usr/local/sbin; or NULL
char *user_name(uid_t uid);           // "user 'alice' (1000)"; "user 1000" when it has no name

#endif
