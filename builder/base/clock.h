// clock.h - time, deadlines and sleep.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_CLOCK_H
#define AIRBUILD_BASE_CLOCK_H

#include "base/error.h"

#include <stdint.h>

int64_t clock_ms(void);             // monotonic milliseconds
int64_t clock_left(int64_t end_ms); // milliseconds until end_ms of clock_ms; 0 when it is over
int64_t clock_wall_ms(void);        // milliseconds since 1970 by the host's clock, which may be set
int64_t clock_up_s(void);           // seconds since this host started, asleep or not
char *clock_stamp(void);            // now as "2026-11-22T17:41:20Z"; the caller frees it
char *clock_stamp_of(int64_t s);    // the same for seconds since 1970
// Sleeps; -1 and ERR_INTERRUPTED when a signal is pending or comes.
int clock_sleep(int64_t ms, struct error *err);

#endif
