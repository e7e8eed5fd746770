// console_filter.h - what a serial console wrote, made harmless for a terminal as it streams by:
// escape sequences (ECMA-48) and what is not printable but newline and tab are dropped, what is not
// UTF-8 becomes '?'. A sequence ends at a newline at the latest, so none can swallow the rest.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_CONSOLE_FILTER_H
#define AIRBUILD_BASE_CONSOLE_FILTER_H

#include "base/str.h"

#include <stddef.h>

struct console_filter { // start as {0}; holds what a piece ended within
    enum console_state { CONSOLE_TEXT, CONSOLE_ESCAPE, CONSOLE_CSI, CONSOLE_STRING } state;
    char pending[4]; // of a character that is not whole yet
    size_t pending_length;
};

void console_filter_add(
    struct console_filter *filter, const char *data, size_t length, struct buf *ret);

#endif
