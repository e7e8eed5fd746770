// tail.h - what a node told its serial console: the last step of its boot, the last lines for a
// message.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_TAIL_H
#define AIRBUILD_CLUSTER_TAIL_H

#include "spec/spec.h"

#include <stdint.h>

// The step a node is at, from its console log after byte since: what its own units told ("redis
// starts as master"), else "cloud-init", "services", "kernel", or "firmware" when nothing was
// written. Caller frees.
char *tail_phase(const struct spec *spec, const char *node, int64_t since);

// The last lines (at most count) of the log after byte since, made harmless for a terminal, each
// indented by two blanks and ended by a newline; "" when there are none. Caller frees.
char *tail_lines(const struct spec *spec, const char *node, int64_t since, unsigned count);

// Bytes in the log now; 0 when there is none.
int64_t tail_position(const struct spec *spec, const char *node);

// When the last was written to it, in seconds since 1970; 0 when there is none.
int64_t tail_time(const struct spec *spec, const char *node);

// Pure parts of the above, over a piece of a log.
char *tail_phase_of(const char *text, const char *node);
char *tail_lines_of(const char *text, unsigned count);

#endif
