// file.c - see file.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

// O_NONBLOCK: opening a named pipe does not wait for a writer.
static int
open_regular(const char *path, int *ret_fd, struct stat *ret_stat, struct error *err)
{
    CLOSE_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND, "there is no file '%s'", path);
    if (fd < 0)
        return error_errno(err, errno, "cannot open '%s'", path);
    if (fstat(fd, ret_stat) < 0)
        return error_errno(err, errno, "cannot read the status of '%s'", path);
    if (!S_ISREG(ret_stat->st_mode))
        return error_set(err, ERR_FAILED, "'%s' is not a regular file", path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

// Counts what it reads, because the size of stat may be wrong: 0 in /proc, or the file grows.
int
file_read(const char *path, size_t max, char **ret_data, size_t *ret_length, struct error *err)
{
    CLOSE_AUTO int fd = -1;
    BUF_AUTO struct buf data = {0};
    struct stat info;
    if (open_regular(path, &fd, &info, err) < 0)
        return -1;
    char room[16384];
    for (ssize_t got; (got = read(fd, room, sizeof room)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read '%s'", path);
        buf_add_bytes(&data, room, (size_t) got);
        if (data.length > max) {
            FREE_AUTO char *limit = str_bytes(max);
            return error_set(
                err, ERR_FAILED, "'%s' is larger than %s; is it the right file?", path, limit);
        }
    }
    if (ret_length != NULL)
        *ret_length = data.length;
    *ret_data = buf_take(&data);
    return 0;
}

int
file_write_all(int fd, const void *data, size_t length)
{
    const char *next = data;
    while (length > 0) {
        ssize_t put = write(fd, next, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        next += put;
        length -= (size_t) put;
    }
    return 0;
}

char *
path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return str_dup(".");
    return slash == path ? str_dup("/") : str_ndup(path, (size_t) (slash - path));
}

int
dir_sync(const char *path, struct error *err)
{
    CLOSE_AUTO int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "cannot write folder '%s' to disk", path);
    return 0;
}

int
file_sync(const char *path, struct error *err)
{
    CLOSE_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "cannot write '%s' to disk", path);
    return 0;
}

int
file_write(const char *path, mode_t mode, const void *data, size_t length, struct error *err)
{
    FREE_AUTO char *folder = path_folder(path);
    FREE_AUTO char *temporary = str_format("%s/" FILE_TEMPORARY "XXXXXX", folder);
    CLOSE_AUTO int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot make a file in folder '%s'", folder);
    if (fchmod(fd, mode) < 0 || file_write_all(fd, data, length) < 0 || fsync(fd) < 0)
        error_errno(err, errno, "cannot write '%s'", path);
    else if (rename(temporary, path) < 0)
        error_errno(err, errno, "cannot rename to '%s'", path);
    else
        return dir_sync(folder, err);
    unlink(temporary);
    return -1;
}

// ---- copies -------------------------------------------------------------------------------------

// Copies at most 16 MiB, so that an interrupt is noticed soon. Returns the bytes copied, 0 at the
// end of the file, -1 and errno.
static ssize_t
copy_some(int from, int to, off_t offset, off_t end)
{
    char room[65536];
    off_t in = offset, out = offset, most = 16 * 1024 * 1024;
    size_t length = (size_t) (end - offset < most ? end - offset : most);
    ssize_t got = copy_file_range(from, &in, to, &out, length, 0);
    if (got >= 0 || (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP))
        return got;
    got = pread(from, room, length < sizeof room ? length : sizeof room, offset);
    if (got > 0 && (lseek(to, offset, SEEK_SET) < 0 || file_write_all(to, room, (size_t) got) < 0))
        return -1;
    return got;
}

// Returns where data begins at or after offset, and sets *ret_end to its end; -1: the rest is a
// hole.
static off_t
next_data(int fd, off_t offset, off_t size, off_t *ret_end)
{
    off_t begin = lseek(fd, offset, SEEK_DATA);
    *ret_end = size;
    if (begin < 0)
        return errno == ENXIO ? -1 : offset;
    off_t hole = lseek(fd, begin, SEEK_HOLE);
    if (hole >= 0)
        *ret_end = hole;
    return begin;
}

static void
remove_unfinished(const char **path)
{
    if (*path != NULL)
        unlink(*path);
}

int
file_copy(const char *from, const char *to, mode_t mode, struct error *err)
{
    CLOSE_AUTO int source = -1;
    CLEANUP(remove_unfinished) const char *unfinished = NULL;
    struct stat before, now;
    if (open_regular(from, &source, &before, err) < 0)
        return -1;
    CLOSE_AUTO int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (target < 0)
        return error_errno(err, errno, "cannot make '%s'", to);
    unfinished = to;
    off_t offset = 0, end = 0, size = before.st_size;
    ssize_t done = 1;
    while (offset < size && done > 0) {
        if (offset >= end && (offset = next_data(source, offset, size, &end)) < 0)
            break;
        if (interrupt_check(err) < 0)
            return -1;
        done = copy_some(source, target, offset, end);
        if (done < 0)
            return error_errno(err, errno, "cannot copy '%s' to '%s'", from, to);
        offset += done;
    }
    // A copy of a file that changes meanwhile is worthless.
    if (fstat(source, &now) < 0)
        return error_errno(err, errno, "cannot read the status of '%s'", from);
    if (done == 0 || now.st_size != size || now.st_mtim.tv_sec != before.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
        return error_set(err, ERR_DAMAGED,
            "'%s' %s while it was copied; check its disk and what writes to it, and try again",
            from, done == 0 ? "ended before its size" : "changed");
    if (ftruncate(target, size) < 0 || fsync(target) < 0)
        return error_errno(err, errno, "cannot write '%s'", to);
    if (fchmod(target, mode) < 0)
        return error_errno(err, errno, "cannot set the mode of '%s'", to);
    unfinished = NULL;
    return 0;
}

// ---- questions ----------------------------------------------------------------------------------

bool
file_exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

int64_t
file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) < 0 ? -1 : info.st_size;
}

int64_t
file_allocated(const char *path)
{
    struct stat info;
    return stat(path, &info) < 0 ? -1 : info.st_blocks * 512;
}

char *
user_name(uid_t uid)
{
    char room[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(uid, &entry, room, sizeof room, &found) != 0 || found == NULL)
        return str_format("user %u", (unsigned) uid);
    return str_format("user '%s' (%u)", entry.pw_name, (unsigned) uid);
}

char *
path_join(const char *folder, const char *name)
{
    if (name[0] == '/')
        return str_dup(name);
    const char *between = str_ends(folder, "/") || folder[0] == '\0' ? "" : "/";
    return str_format("%s%s%s", folder, between, name);
}

static bool
is_program(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

// Also searches the folders of system programs, which are often not in a user's PATH.
char *
path_program(const char *name)
{
    STRV_AUTO struct strv folders = {0};
    const char *path = getenv("PATH");
    if (strchr(name, '/') != NULL)
        return is_program(name) ? str_dup(name) : NULL;
    strv_split(&folders, path == NULL ? "/usr/bin:/bin" : path, ':');
    strv_split(&folders, "/usr/sbin:/sbin:/usr/local/sbin", ':');
    for (size_t i = 0; i < folders.count; i++) {
        FREE_AUTO char *candidate = path_join(folders.items[i], name);
        if (folders.items[i][0] == '/' && is_program(candidate))
            return TAKE(candidate);
    }
    return NULL;
}
