// lock.c - see lock.h. A lock is an flock(2) on a file that names its holder.
// SPDX-License-Identifier: Apache-2.0
#include "base/lock.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { RETRY_MS = 100, PID_MAX = 64 };

long
lock_holder(const char *path)
{
    ERROR_AUTO struct error unread = {0};
    FREE_AUTO char *text = NULL;
    return file_read(path, PID_MAX, &text, NULL, &unread) < 0 ? 0 : strtol(text, NULL, 10);
}

// kind: LOCK_EX or LOCK_SH. Returns 1: taken; 0: another process has it, or the file was removed;
// -1: error.
static int
try_lock(const char *path, int kind, int *ret_fd, bool last, struct error *err)
{
    CLOSE_AUTO int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return error_errno(err, errno, "cannot open the lock '%s'", path);
    if (flock(fd, kind | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_errno(err, errno, "cannot take the lock '%s'", path);
        if (!last)
            return 0;
        long pid = lock_holder(path);
        if (pid <= 0)
            return error_set(err, ERR_BUSY,
                "another airbuild holds the lock '%s'; wait for it to end and try again", path);
        return error_set(err, ERR_BUSY,
            "another airbuild (process %ld) holds the lock '%s'; wait for it to end, or end it "
            "with 'kill %ld'",
            pid, path, pid);
    }
    // The file may have been removed between open and flock: a lock on it protects nothing.
    struct stat held, named;
    if (fstat(fd, &held) < 0 || stat(path, &named) < 0 || held.st_ino != named.st_ino ||
        held.st_dev != named.st_dev)
        return 0;
    FREE_AUTO char *text = str_format("%ld\n", (long) getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) != (ssize_t) strlen(text))
        return error_errno(err, errno, "cannot write the lock '%s'", path);
    *ret_fd = TAKE_FD(fd);
    return 1;
}

static int
take_lock(const char *path, int kind, int64_t wait_ms, int *ret_fd, struct error *err)
{
    int64_t end = clock_ms() + wait_ms;
    for (;;) {
        int64_t left = clock_left(end);
        int taken = try_lock(path, kind, ret_fd, left == 0, err);
        if (taken != 0)
            return taken < 0 ? -1 : 0;
        if (clock_sleep(left < RETRY_MS ? left : RETRY_MS, err) < 0)
            return -1;
    }
}

int
lock_take(const char *path, int64_t wait_ms, int *ret_fd, struct error *err)
{
    return take_lock(path, LOCK_EX, wait_ms, ret_fd, err);
}

int
lock_share(const char *path, int64_t wait_ms, int *ret_fd, struct error *err)
{
    return take_lock(path, LOCK_SH, wait_ms, ret_fd, err);
}

int
lock_wait(const char *path, int64_t wait_ms, const struct lock_report *report, int *ret_fd,
    struct error *err)
{
    if (lock_take(path, 0, ret_fd, err) == 0)
        return 0;
    if (err->code != ERR_BUSY || wait_ms == 0)
        return -1;
    error_clear(err);
    progress_step(report->progress, report->task, "waiting for process %ld, which %s",
        lock_holder(path), report->does);
    return lock_take(path, wait_ms, ret_fd, err);
}
