// cpu_burn.h - processes that use all processor time, to test how others work without it. They end
// with the thread that started them, or when their time is over.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_CPU_BURN_H
#define AIRBUILD_BASE_CPU_BURN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cpu_burn { // starts as {0}
    pid_t *pids;
    size_t count;
};

// Starts one process for each processor that this one may use; each ends after max_ms.
int cpu_burn_start(struct cpu_burn *burn, int64_t max_ms, struct error *err);
void cpu_burn_end(struct cpu_burn *burn); // does nothing when none was started

#endif
