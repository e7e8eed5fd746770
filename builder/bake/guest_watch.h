// guest_watch.h - inside bake/ only: ends a library call that would wait for ever. A thread checks
// a deadline, interruption and free space, and kills the child process whose command line names our
// files (libguestfs' qemu): the call then returns an error.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_GUEST_WATCH_H
#define AIRBUILD_BAKE_GUEST_WATCH_H

#include "base/error.h"

#include <stdint.h>

enum watch_reason { WATCH_NONE, WATCH_LATE, WATCH_INTERRUPTED, WATCH_SPACE };

struct watch;

// folder: children whose command line contains it are killed; the free space of its file system is
// checked (qemu waits for ever on a full disk).
int watch_new(const char *folder, struct watch **ret, struct error *err);
void watch_free(struct watch *watch);
void watch_deadline(struct watch *watch, int64_t end_ms); // as clock_ms counts
enum watch_reason watch_reason(struct watch *watch);      // why it killed

#endif
