// file.h - files, folders and locks. Published files appear whole or not at all. Everything is
// O_CLOEXEC.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_FILE_H
#define AIRBUILD_BASE_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Read a whole regular file of at most max bytes: NUL-terminated, caller frees *ret_data.
// ret_length may be NULL. A larger file, a folder, a device are errors that name the path
// (ERR_FAILED; ENOENT gives ERR_NOT_FOUND).
int file_read(const char *path, size_t max, char **ret_data, size_t *ret_length, struct error *err);

// Write by temporary file in the same folder, fsync, rename (and fsync of the folder); mode as
// given, umask ignored.
int file_write(const char *path, mode_t mode, const void *data, size_t length, struct error *err);
#define FILE_TEMPORARY ".tmp-" // how the name of the temporary file begins
// Write all of data, however many calls it takes; -1 and errno.
int file_write_all(int fd, const void *data, size_t length);

// Copy a file's bytes (copy_file_range, sparse where possible), then fsync; the target must not
// exist. ERR_DAMAGED: the source ended before its size, or changed meanwhile; there is no target
// then.
int file_copy(const char *from, const char *to, mode_t mode, struct error *err);

bool file_exists(const char *path);       // anything of that name, links not followed
int64_t file_size(const char *path);      // bytes, or -1
int64_t file_allocated(const char *path); // bytes really on disk, or -1
char *user_name(uid_t uid); // "user 'alice' (1000)", "user 1000" without a name; caller frees

// mkdir -p; new folders get mode. An existing folder is fine, anything else of that name is an
// error.
int dir_make(const char *path, mode_t mode, struct error *err);
// The same for the top one of our own folders: parents that are missing are somebody else's, such
// as ~/.local/share, and get what the umask leaves.
int dir_make_top(const char *path, mode_t mode, struct error *err);
// rm -r, links not followed, never across a mount; a path that does not exist is fine.
int dir_remove(const char *path, struct error *err);
// Remove the temporary files that killed file_writes left in a folder. Nobody may be writing there.
int dir_sweep(const char *path, struct error *err);
// Names in a folder, sorted, without . and ..; struct strv of str.h.
struct strv;
int dir_list(const char *path, struct strv *ret_names, struct error *err);
// New private folder (0700) PARENT/.PREFIX-XXXXXX; caller frees *ret_path.
int dir_temp(const char *parent, const char *prefix, char **ret_path, struct error *err);
// Atomic publish of a finished folder: fsync of it, its files and its parent, then rename.
// ERR_CONFLICT when the target exists.
int dir_publish(const char *from, const char *to, struct error *err);

// Bytes that an unprivileged writer (or root, when we are root) may still write in the file system
// of path.
int dir_space(const char *path, uint64_t *ret_bytes, struct error *err);
// ERR_SPACE when less than need is there. purpose: what needs it, the begin of the sentence;
// variable: the environment's, which names another folder.
int dir_check_space(
    const char *path, uint64_t need, const char *purpose, const char *variable, struct error *err);

// fsync of a file: its bytes are there after a crash, once its folder is too.
int file_sync(const char *path, struct error *err);
// fsync of a folder: what was renamed into it is there after a crash.
int dir_sync(const char *path, struct error *err);

// The folder a path is in: "a/b" gives "a", "b" gives ".", "/b" gives "/"; caller frees.
char *path_folder(const char *path);
// Caller frees; an absolute name stays as it is.
char *path_join(const char *folder, const char *name);
// Full path of a program found in PATH plus /usr/sbin:/sbin:/usr/local/sbin; caller frees; NULL
// when there is none.
char *path_program(const char *name);

// Exclusive lock on a file (made if absent, 0644). Waits at most wait_ms; ERR_BUSY names the
// holder's pid then. *ret_fd holds the lock until closed. Ends early with ERR_INTERRUPTED.
int lock_take(const char *path, int64_t wait_ms, int *ret_fd, struct error *err);
// The process that its file names; 0 when it names none.
long lock_holder(const char *path);
// Does what lock_take does, and reports a wait: "waiting for process PID, which DOES", as a step of
// task.
struct progress;
struct lock_report {
    struct progress *progress; // may be NULL
    const char *task, *does;
};
int lock_wait(const char *path, int64_t wait_ms, const struct lock_report *report, int *ret_fd,
    struct error *err);

#endif
