// console_filter.c - see console_filter.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/console_filter.h"

#include "base/text.h"

#include <stdbool.h>
#include <string.h>

#define ESC 0x1b
#define BEL 0x07

static void
add_text(struct console_filter *filter, char byte, struct buf *ret)
{
    unsigned char code = (unsigned char) byte;
    if (code >= 0x80) { // collected until they are a character
        filter->pending[filter->pending_length++] = byte;
        struct text_iter iter = {.next = filter->pending, .left = filter->pending_length};
        text_next(&iter);
        if (iter.kind == TEXT_BROKEN && filter->pending_length < sizeof filter->pending)
            return;
        if (iter.kind == TEXT_BROKEN)
            buf_add(ret, "?");
        else if (iter.kind == TEXT_PRINTABLE)
            buf_add_bytes(ret, iter.at, iter.length);
    } else if (filter->pending_length > 0) {
        buf_add(ret, "?");
    }
    filter->pending_length = 0;
    if (code == ESC)
        filter->state = CONSOLE_ESCAPE;
    else if ((code >= 0x20 && code < 0x7f) || byte == '\n' || byte == '\t')
        buf_add_bytes(ret, &byte, 1);
}

// Returns the state after a byte of a sequence. After ESC, '[' begins a control sequence, one of
// "]PX^_" a string; bytes 0x20 to 0x2f continue the sequence, any other ends it.
static enum console_state
state_after(enum console_state state, unsigned char code)
{
    if (code == ESC) // also of ESC \, which ends a string
        return CONSOLE_ESCAPE;
    if (state == CONSOLE_CSI)
        return code >= 0x40 && code <= 0x7e ? CONSOLE_TEXT : CONSOLE_CSI;
    if (state == CONSOLE_STRING)
        return code == BEL ? CONSOLE_TEXT : CONSOLE_STRING;
    if (code == '[')
        return CONSOLE_CSI;
    if (code != '\0' && strchr("]PX^_", code) != NULL)
        return CONSOLE_STRING;
    return code >= 0x20 && code <= 0x2f ? CONSOLE_ESCAPE : CONSOLE_TEXT;
}

void
console_filter_add(struct console_filter *filter, const char *data, size_t length, struct buf *ret)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] == '\n')
            filter->state = CONSOLE_TEXT;
        if (filter->state == CONSOLE_TEXT)
            add_text(filter, data[i], ret);
        else
            filter->state = state_after(filter->state, (unsigned char) data[i]);
    }
}
