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

static int
open_error(struct error *err, const char *path)
{
    if (errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND, "there is no file '%s'", path);
    return error_errno(err, errno, "cannot open '%s'", path);
}

// O_NONBLOCK: opening a named pipe does not wait for a writer.
static int
open_regular(const char *path, int *ret_fd, struct stat *ret_stat, struct error *err)
{
    CLOSE_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return open_error(err, path);
    if (fstat(fd, ret_stat) < 0)
        return error_errno(err, errno, "cannot read the status of '%s'", path);
    if (!S_ISREG(ret_stat->st_mode))
        return error_set(err, ERR_FAILED, "'%s' is not a regular file", path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int
read_some(int fd, struct buf *data, const char *path, struct error *err)
{
    char room[16384];
    ssize_t got = read(fd, room, sizeof room);
    if (got < 0 && errno == EINTR)
        return 1;
    if (got < 0)
        return error_errno(err, errno, "cannot read '%s'", path);
    buf_add_bytes(data, room, (size_t) got);
    return got > 0;
}

static int
too_large(const char *path, size_t max, struct error *err)
{
    FREE_AUTO char *limit = str_bytes(max);
    return error_set(err, ERR_FAILED, "'%s' is larger than %s; is it the right file?", path, limit);
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
    if ((uint64_t) info.st_size > max)
        return too_large(path, max, err);
    int more;
    while ((more = read_some(fd, &data, path, err)) > 0)
        if (data.length > max)
            return too_large(path, max, err);
    if (more < 0)
        return -1;
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

static int
fill_and_rename(int fd, const char *temporary, const char *path, mode_t mode, const void *data,
    size_t length, struct error *err)
{
    if (fchmod(fd, mode) < 0 || file_write_all(fd, data, length) < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "cannot write '%s'", path);
    if (rename(temporary, path) < 0)
        return error_errno(err, errno, "cannot rename to '%s'", path);
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
    if (fill_and_rename(fd, temporary, path, mode, data, length, err) < 0) {
        unlink(temporary);
        return -1;
    }
    return dir_sync(folder, err);
}

// ---- copies -------------------------------------------------------------------------------------

static int
copy_through_memory(int from, int to, off_t offset, size_t length, size_t *ret_done)
{
    char room[65536];
    ssize_t got = pread(from, room, length < sizeof room ? length : sizeof room, offset);
    if (got < 0)
        return -1;
    *ret_done = (size_t) got;
    if (lseek(to, offset, SEEK_SET) < 0)
        return -1;
    return file_write_all(to, room, (size_t) got);
}

// Copies at most 16 MiB, so that an interrupt is noticed soon. *ret_done 0: the file has ended.
static int
copy_some(int from, int to, off_t offset, off_t end, size_t *ret_done)
{
    size_t most = 16 * 1024 * 1024;
    size_t length = (uint64_t) (end - offset) < most ? (size_t) (end - offset) : most;
    off_t in = offset, out = offset;
    ssize_t got = copy_file_range(from, &in, to, &out, length, 0);
    if (got < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
        return copy_through_memory(from, to, offset, length, ret_done);
    *ret_done = got < 0 ? 0 : (size_t) got;
    return got < 0 ? -1 : 0;
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

struct copy {
    int from, to;
    const char *source, *target; // their names, for messages
    struct stat before;          // of the source
};

// A copy of a file that changes meanwhile is worthless.
static int
check_unchanged(const struct copy *copy, bool ended, struct error *err)
{
    const struct stat *before = &copy->before;
    struct stat now;
    if (fstat(copy->from, &now) < 0)
        return error_errno(err, errno, "cannot read the status of '%s'", copy->source);
    if (!ended && now.st_size == before->st_size && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
        return 0;
    return error_set(err, ERR_DAMAGED,
        "'%s' %s while it was copied; check its disk and what writes to it, and try again",
        copy->source, ended ? "ended before its size" : "changed");
}

static int
copy_data(const struct copy *copy, struct error *err)
{
    off_t offset = 0, end = 0, size = copy->before.st_size;
    bool ended = false;
    while (offset < size && !ended) {
        if (offset >= end && (offset = next_data(copy->from, offset, size, &end)) < 0)
            break;
        size_t done = 0;
        if (interrupt_check(err) < 0)
            return -1;
        if (copy_some(copy->from, copy->to, offset, end, &done) < 0)
            return error_errno(err, errno, "cannot copy '%s' to '%s'", copy->source, copy->target);
        ended = done == 0;
        offset += (off_t) done;
    }
    if (check_unchanged(copy, ended, err) < 0)
        return -1;
    if (ftruncate(copy->to, size) < 0 || fsync(copy->to) < 0)
        return error_errno(err, errno, "cannot write '%s'", copy->target);
    return 0;
}

int
file_copy(const char *from, const char *to, mode_t mode, struct error *err)
{
    CLOSE_AUTO int source = -1;
    struct copy copy = {.source = from, .target = to};
    if (open_regular(from, &source, &copy.before, err) < 0)
        return -1;
    CLOSE_AUTO int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (target < 0)
        return error_errno(err, errno, "cannot make '%s'", to);
    copy.from = source;
    copy.to = target;
    int answer = copy_data(&copy, err);
    if (answer == 0 && fchmod(target, mode) < 0)
        answer = error_errno(err, errno, "cannot set the mode of '%s'", to);
    if (answer < 0)
        unlink(to);
    return answer;
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
