// fault_files.c - the points that are calls on files; see fault.c.
// SPDX-License-Identifier: Apache-2.0
#include "fault.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FD_MAX 4096

static bool written[FD_MAX]; // by descriptor: its first write was counted

// The path that fd was opened by; valid until the next call in this thread.
static const char *
path_of(int fd)
{
    static _Thread_local char path[4096];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    return path;
}

static int
opened(int fd)
{
    if (fd >= 0 && fd < FD_MAX)
        written[fd] = false;
    return fd;
}

// Creating a file needs space. Opening one that exists is a point if it truncates.
static int
open_at(int folder, const char *path, int flags, mode_t mode)
{
    struct stat info;
    bool fresh = (flags & O_CREAT) != 0 && fstatat(folder, path, &info, AT_SYMLINK_NOFOLLOW) < 0 &&
                 errno == ENOENT;
    if (!fresh && (flags & O_TRUNC) == 0)
        return opened(REAL(openat)(folder, path, flags, mode));
    int number = fault_point(fresh ? "create" : "cut", path);
    if (fresh && fault_full()) {
        errno = ENOSPC;
        return -1;
    }
    int fd = opened(REAL(openat)(folder, path, flags, mode));
    fault_passed(number);
    return fd;
}

#define OPEN(folder, path, flags)                   \
    mode_t mode = 0;                                \
    if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) { \
        va_list list;                               \
        va_start(list, flags);                      \
        mode = va_arg(list, mode_t);                \
        va_end(list);                               \
    }                                               \
    return open_at(folder, path, flags, mode)

int
open(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD, path, flags);
}

int
open64(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD, path, flags);
}

int
openat(int folder, const char *path, int flags, ...)
{
    OPEN(folder, path, flags);
}

int
openat64(int folder, const char *path, int flags, ...)
{
    OPEN(folder, path, flags);
}

int
mkostemp64(char *template, int flags)
{
    NEED(int, "create", template, -1, opened(REAL(mkostemp64)(template, flags)));
}

int
mkostemp(char *template, int flags)
{
    NEED(int, "create", template, -1, opened(REAL(mkostemp)(template, flags)));
}

int
mkstemp(char *template)
{
    NEED(int, "create", template, -1, opened(REAL(mkstemp)(template)));
}

char *
mkdtemp(char *template)
{
    NEED(char *, "mkdir", template, NULL, REAL(mkdtemp)(template));
}

int
mkdir(const char *path, mode_t mode)
{
    struct stat info;
    if (lstat(path, &info) == 0)
        return REAL(mkdir)(path, mode);
    NEED(int, "mkdir", path, -1, REAL(mkdir)(path, mode));
}

// Returns whether fd is a regular file. Its first write is a point, whose number *ret_number gets.
static bool
writes_file(int fd, int *ret_number)
{
    struct stat info;
    *ret_number = 0;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_nlink == 0 || fd == fault_log())
        return false;
    if (fd < FD_MAX && !written[fd]) {
        written[fd] = true;
        *ret_number = fault_point("write", path_of(fd));
    }
    return true;
}

#define WRITE(fd, call)                                  \
    do {                                                 \
        int number_;                                     \
        if (writes_file(fd, &number_) && fault_full()) { \
            errno = ENOSPC;                              \
            return -1;                                   \
        }                                                \
        ssize_t result_ = call;                          \
        fault_passed(number_);                           \
        return result_;                                  \
    } while (0)

ssize_t
write(int fd, const void *data, size_t length)
{
    WRITE(fd, REAL(write)(fd, data, length));
}

ssize_t
pwrite(int fd, const void *data, size_t length, off_t offset)
{
    WRITE(fd, REAL(pwrite)(fd, data, length, offset));
}

ssize_t
pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    WRITE(fd, REAL(pwrite64)(fd, data, length, offset));
}

ssize_t
copy_file_range(int from, off64_t *in, int to, off64_t *out, size_t length, unsigned flags)
{
    WRITE(to, REAL(copy_file_range)(from, in, to, out, length, flags));
}

int
ftruncate(int fd, off_t length)
{
    PASS(int, "truncate", path_of(fd), REAL(ftruncate)(fd, length));
}

int
ftruncate64(int fd, off64_t length)
{
    PASS(int, "truncate", path_of(fd), REAL(ftruncate64)(fd, length));
}

int
fsync(int fd)
{
    PASS(int, "fsync", path_of(fd), REAL(fsync)(fd));
}

int
chmod(const char *path, mode_t mode)
{
    PASS(int, "chmod", path, REAL(chmod)(path, mode));
}

int
fchmod(int fd, mode_t mode)
{
    PASS(int, "chmod", path_of(fd), REAL(fchmod)(fd, mode));
}

int
fchmodat(int folder, const char *path, mode_t mode, int flags)
{
    PASS(int, "chmod", path, REAL(fchmodat)(folder, path, mode, flags));
}

int
chown(const char *path, uid_t user, gid_t group)
{
    PASS(int, "chown", path, REAL(chown)(path, user, group));
}

int
fchown(int fd, uid_t user, gid_t group)
{
    PASS(int, "chown", path_of(fd), REAL(fchown)(fd, user, group));
}

int
utimensat(int folder, const char *path, const struct timespec times[2], int flags)
{
    PASS(int, "times", path, REAL(utimensat)(folder, path, times, flags));
}

int
rename(const char *from, const char *to)
{
    PASS(int, "rename", to, REAL(rename)(from, to));
}

int
renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    PASS(int, "rename", to, REAL(renameat)(from_folder, from, to_folder, to));
}

int
renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    PASS(int, "rename", to, REAL(renameat2)(from_folder, from, to_folder, to, flags));
}

int
link(const char *from, const char *to)
{
    NEED(int, "link", to, -1, REAL(link)(from, to));
}

int
linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    NEED(int, "link", to, -1, REAL(linkat)(from_folder, from, to_folder, to, flags));
}

int
symlink(const char *from, const char *to)
{
    NEED(int, "symlink", to, -1, REAL(symlink)(from, to));
}

int
unlink(const char *path)
{
    PASS(int, "unlink", path, REAL(unlink)(path));
}

int
unlinkat(int folder, const char *path, int flags)
{
    PASS(int, "unlink", path, REAL(unlinkat)(folder, path, flags));
}

int
rmdir(const char *path)
{
    PASS(int, "rmdir", path, REAL(rmdir)(path));
}
