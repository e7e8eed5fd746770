// lock.h - locks between processes.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_LOCK_H
#define AIRBUILD_BASE_LOCK_H

#include "base/error.h"

#include <stdint.h>

// Takes the lock on a file, which is made (0644) if needed, and waits for it at most wait_ms.
// *ret_fd holds the lock until it is closed. ERR_BUSY names the process that holds it;
// ERR_INTERRUPTED.
int lock_take(const char *path, int64_t wait_ms, int *ret_fd, struct error *err);
// Does the same with a lock that any number of processes share, and none has that lock_take makes.
int lock_share(const char *path, int64_t wait_ms, int *ret_fd, struct error *err);
// Returns the process that holds or last held the lock; 0 when there is none.
long lock_holder(const char *path);
// Does the same as lock_take, and reports a wait as a step of task: "waiting for process PID, which
// DOES".
struct progress;
struct lock_report {
    struct progress *progress; // may be NULL
    const char *task, *does;
};
int lock_wait(const char *path, int64_t wait_ms, const struct lock_report *report, int *ret_fd,
    struct error *err);

#endif
