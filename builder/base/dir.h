// dir.h - folders: make, list, remove, publish, measure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_DIR_H
#define AIRBUILD_BASE_DIR_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

// Makes a folder and its parents with mode. An existing folder is not an error.
int dir_make(const char *path, mode_t mode, struct error *err);
// Makes the topmost of airbuild's own folders: missing parents, such as ~/.local/share, get the
// mode of the umask.
int dir_make_top(const char *path, mode_t mode, struct error *err);
// Removes a file or a folder with all that is in it; links are not followed. ERR_CONFLICT at a
// mount. A path that does not exist is not an error.
int dir_remove(const char *path, struct error *err);
// Removes the temporary files of file_writes that were killed. No process may write there
// meanwhile.
int dir_sweep(const char *path, struct error *err);
// Adds the sorted names in a folder, without "." and "..". ERR_NOT_FOUND.
struct strv;
int dir_list(const char *path, struct strv *ret_names, struct error *err);
// Makes a folder PARENT/.PREFIX-XXXXXX with mode 0700; the caller frees *ret_path.
int dir_temp(const char *parent, const char *prefix, char **ret_path, struct error *err);
// Publishes a finished folder, whole or not at all: fsync of its files, rename, fsync of the
// parent. ERR_CONFLICT when the target exists.
int dir_publish(const char *from, const char *to, struct error *err);
// The same in the place of a folder that may exist, which gets the name from. There is a folder at
// every moment, except on file systems that cannot exchange two names (rename(2)).
int dir_exchange(const char *from, const char *to, struct error *err);
// The same, and removes the folder that was there.
int dir_replace(const char *from, const char *to, struct error *err);

// Sets the bytes that this user may still write in the file system of path.
int dir_space(const char *path, uint64_t *ret_bytes, struct error *err);
// ERR_SPACE when fewer bytes than need are free. purpose begins the sentence; variable is the
// environment variable that names another folder.
int dir_check_space(
    const char *path, uint64_t need, const char *purpose, const char *variable, struct error *err);

#endif
