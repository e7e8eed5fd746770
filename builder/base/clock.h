// clock.h - monotonic time, deadlines and interruption (Ctrl-C, TERM).
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_CLOCK_H
#define AIRBUILD_BASE_CLOCK_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

int64_t clock_ms(void);             // monotonic milliseconds
int64_t clock_left(int64_t end_ms); // milliseconds until end_ms (as clock_ms counts), never below 0
int64_t clock_wall_ms(void);        // milliseconds since 1970 by the host's clock, which may be set
int64_t clock_boot_s(void);         // when this host started, in seconds since 1970; 0: unknown
char *clock_stamp(void);            // "2026-11-22T17:41:20Z" of now; caller frees
char *clock_stamp_of(int64_t s);    // of that many seconds since 1970

// From here on SIGINT, SIGTERM and SIGHUP only set a flag and make interrupt_fd readable; a second
// one ends the program.
int interrupt_install(struct error *err);
bool interrupt_pending(void);
int interrupt_fd(void); // for poll; -1 before interrupt_install
// Sets ERR_INTERRUPTED and returns -1 when a signal came, else 0.
int interrupt_check(struct error *err);
// The signal was heeded: what tidies up after it may wait again. The next one ends the program.
void interrupt_heeded(void);
// What is between these is done to its end: a signal is told only after it. (A second one ends the
// program, now as ever.) They nest.
void interrupt_hold(void);
void interrupt_release(void);
// Sleep, ended early by a signal: then -1 and ERR_INTERRUPTED.
int clock_sleep(int64_t ms, struct error *err);

#endif
