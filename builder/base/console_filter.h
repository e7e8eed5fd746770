// console_filter.h - makes a stream of a serial console harmless for a terminal: drops escape
// sequences (ECMA-48) and control characters except newline and tab, and writes '?' for invalid
// UTF-8. A newline ends any sequence, so that none hides the rest.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_CONSOLE_FILTER_H
#define AIRBUILD_BASE_CONSOLE_FILTER_H

#include "base/str.h"

#include <stddef.h>

struct console_filter { // start as {0}
    enum console_state { CONSOLE_TEXT, CONSOLE_ESCAPE, CONSOLE_CSI, CONSOLE_STRING } state;
    char pending[4]; // the first bytes of a character
    size_t pending_length;
};

// Adds data, filtered, to ret.
void console_filter_add(
    struct console_filter *filter, const char *data, size_t length, struct buf *ret);

#endif
