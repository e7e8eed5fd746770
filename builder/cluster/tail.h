// tail.h - the end of a node's console log: the last step of its boot, the last lines.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_TAIL_H
#define AIRBUILD_CLUSTER_TAIL_H

#include "spec/spec.h"

#include <stdint.h>

// Returns the step a node is at, from its console log after byte since: the last report of
// airbuild's own units ("redis starts as master"), else "cloud-init", "services", "kernel", or
// "firmware" when nothing was written. Caller frees.
char *tail_phase(const struct spec *spec, const char *node, int64_t since);

// Returns the last lines (at most count) of the log after byte since, safe for a terminal, each
// indented by two blanks and ended by a newline; "" when there are none. Caller frees.
char *tail_lines(const struct spec *spec, const char *node, int64_t since, unsigned count);

// Returns the size of the log in bytes; 0 when there is none.
int64_t tail_position(const struct spec *spec, const char *node);

// Returns when it was last written to, in seconds since 1970; 0 when there is none.
int64_t tail_time(const struct spec *spec, const char *node);

// The same for text of a log. Pure.
char *tail_phase_of(const char *text, const char *node);
char *tail_lines_of(const char *text, unsigned count);

#endif
