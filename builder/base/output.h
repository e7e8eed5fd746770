// output.h - one output of a child process as it comes through a pipe; part of proc.c.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_OUTPUT_H
#define AIRBUILD_BASE_OUTPUT_H

#include "base/proc.h"
#include "base/str.h"

#include <stdbool.h>

struct output {
    int fd;          // the pipe, not blocking; owned; -1 at its end
    struct buf kept; // the last options->output_max bytes, or up to twice as much until the end
    struct buf line; // the line that is not whole yet; only when lines are told
};

// Read what is there now, keep it and tell its whole lines. False: nothing more for the moment, or
// the end.
bool output_read(struct output *output, const struct proc_options *options);

// Read what the pipe holds, then close it: what a process in the background writes later is lost.
void output_finish(struct output *output, const struct proc_options *options);

void output_free(struct output *output);

#endif
