// guest_watch.h - inside bake/ only: ends a library call that would wait for ever. A thread looks
// at a deadline, at interruption and at the free space; then it kills the child process whose
// command line names our files (libguestfs' qemu), and the call comes back with an error.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_GUEST_WATCH_H
#define AIRBUILD_BAKE_GUEST_WATCH_H

#include "base/error.h"

#include <stdint.h>

enum watch_reason { WATCH_NONE, WATCH_LATE, WATCH_INTERRUPTED, WATCH_SPACE };

struct watch;

// folder: what a child's command line must contain to be ended; its file system is the one whose
// space is looked at (qemu would wait for ever for space to come back).
int watch_new(const char *folder, struct watch **ret, struct error *err);
void watch_free(struct watch *watch);
void watch_deadline(struct watch *watch, int64_t end_ms); // as clock_ms counts
enum watch_reason watch_reason(struct watch *watch);      // why it has killed

#endif
