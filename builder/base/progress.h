// progress.h - progress of long tasks. All functions may be called by any thread, and with a NULL
// progress.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_PROGRESS_H
#define AIRBUILD_BASE_PROGRESS_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdio.h>

// Returns false when NO_COLOR is set and not empty (https://no-color.org).
bool progress_wants_color(void);

struct progress; // a board with one line a task

// stream: stderr. live: redraw lines in place, on a terminal; else print one line for each event.
// quiet: print nothing. Never returns NULL.
struct progress *progress_new(FILE *stream, bool live, bool quiet);
void progress_free(struct progress *progress);
DEFINE_FREEP(struct progress, progress_free)
#define PROGRESS_AUTO CLEANUP(progress_freep)

// progress_step(progress, task, format, ...): task is a short name, such as "work11". Without live,
// prints a line when the text changes. progress_done does the same with a task's last text.
#define progress_step(progress, task, ...) progress_set(progress, task, false, __VA_ARGS__)
#define progress_done(progress, task, ...) progress_set(progress, task, true, __VA_ARGS__)
void progress_set(struct progress *progress, const char *task, bool done, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// part: 0 to 1 of the current step of the task; only shown when live.
void progress_part(struct progress *progress, const char *task, double part);
// Prints a line above the board that stays there: a warning or a fact.
void progress_note(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Removes the board from the screen, before other output.
void progress_clear(struct progress *progress);

#endif
