// tail.h - the end of a node's console log: the last step of its boot, the last lines.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_TAIL_H
#define AIRBUILD_CLUSTER_TAIL_H

#include "spec/spec.h"

#include <stdint.h>

// Returns a node's console log after byte since, at most its last 16 KiB, with NULs as blanks; ""
// when it cannot be read. Caller frees, as all below.
char *tail_read(const struct spec *spec, const char *node, int64_t since);

// Returns the step a node is at, from the text of its log: the last report of airbuild's own units
// ("redis starts as master"), else "cloud-init", "services", "kernel", or "firmware" when nothing
// was written. Pure.
char *tail_phase(const char *text, const char *node);

// Returns the last lines (at most count) of a text, safe for a terminal, each indented by two
// blanks and ended by a newline; "" when there are none. Pure.
char *tail_lines(const char *text, unsigned count);

#endif
