// progress.h - what a long task says while it runs. The task only calls these; cli/ gives the sink
// that draws. Every call is safe from any thread and with a NULL progress.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_PROGRESS_H
#define AIRBUILD_BASE_PROGRESS_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdio.h>

// Tells if the environment leaves colours on: https://no-color.org, off when NO_COLOR is set and
// not empty.
bool progress_wants_color(void);

struct progress; // a board with one line a task

// stream: where it is drawn (stderr). live: redraw lines in place (a terminal); else one plain line
// an event. quiet: nothing at all. NULL never comes back.
struct progress *progress_new(FILE *stream, bool live, bool quiet);
void progress_free(struct progress *progress);
DEFINE_FREEP(struct progress, progress_free)
#define PROGRESS_AUTO CLEANUP(progress_freep)

// task: a short stable name, "haproxy", "work11". Plain output prints a line only when text
// changed.
void progress_step(struct progress *progress, const char *task, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// 0..1 of the current step of the task; drawn on live boards only.
void progress_part(struct progress *progress, const char *task, double part);
void progress_done(struct progress *progress, const char *task, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// One line that stays, above the board: a warning or a fact.
void progress_note(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Take the board off the screen (before printing an error or a recap).
void progress_clear(struct progress *progress);

#endif
