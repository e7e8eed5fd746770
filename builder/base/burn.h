// burn.h - processes that keep the processors busy and do nothing else, to see what that does to
// others. They never outlive the thread that started them, nor their time.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_BURN_H
#define AIRBUILD_BASE_BURN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct burn { // starts as {0}
    pid_t *pids;
    size_t count;
};

// One process for each processor that this one may use; each ends by itself after max_ms.
int burn_start(struct burn *burn, int64_t max_ms, struct error *err);
void burn_end(struct burn *burn); // at once; nothing when none was started

#endif
