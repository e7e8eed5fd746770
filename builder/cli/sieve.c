// sieve.c - see sieve.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/sieve.h"

#include <stdbool.h>
#include <string.h>

#define ESC 0x1b
#define BEL 0x07

// Bytes above 0x7f: kept until they are a character. U+0080 to U+009F are control characters too.
static void
add_high(struct sieve *sieve, char byte, struct buf *ret)
{
    sieve->pending[sieve->pending_length++] = byte;
    sieve->pending[sieve->pending_length] = '\0';
    size_t length = str_utf8(sieve->pending);
    bool control = length == 2 && (unsigned char) sieve->pending[0] == 0xc2 &&
                   (unsigned char) sieve->pending[1] < 0xa0;
    if (length == 0 && sieve->pending_length < 4)
        return;
    if (length == 0)
        buf_add(ret, "?");
    else if (!control)
        buf_add(ret, sieve->pending);
    sieve->pending_length = 0;
}

static void
add_text(struct sieve *sieve, char byte, struct buf *ret)
{
    unsigned char code = (unsigned char) byte;
    if (code >= 0x80) {
        add_high(sieve, byte, ret);
        return;
    }
    if (sieve->pending_length > 0)
        buf_add(ret, "?");
    sieve->pending_length = 0;
    if (code == ESC)
        sieve->state = SIEVE_ESCAPE;
    else if ((code >= 0x20 && code != 0x7f) || byte == '\n' || byte == '\t')
        buf_add_bytes(ret, &byte, 1);
}

// After ESC: '[' opens a control sequence, "]PX^_" a string; bytes 0x20 to 0x2f go on; any other
// ends it.
static enum sieve_state
after_escape(unsigned char code)
{
    if (code == '[')
        return SIEVE_CSI;
    if (code != '\0' && strchr("]PX^_", code) != NULL)
        return SIEVE_STRING;
    return (code >= 0x20 && code <= 0x2f) || code == ESC ? SIEVE_ESCAPE : SIEVE_TEXT;
}

static enum sieve_state
after_string(unsigned char code)
{
    if (code == ESC) // of ESC \, its end
        return SIEVE_ESCAPE;
    return code == BEL ? SIEVE_TEXT : SIEVE_STRING;
}

static enum sieve_state
after_csi(unsigned char code)
{
    if (code == ESC)
        return SIEVE_ESCAPE;
    return code >= 0x40 && code <= 0x7e ? SIEVE_TEXT : SIEVE_CSI;
}

static void
add_byte(struct sieve *sieve, char byte, struct buf *ret)
{
    unsigned char code = (unsigned char) byte;
    if (byte == '\n')
        sieve->state = SIEVE_TEXT;
    switch (sieve->state) {
    case SIEVE_TEXT:
        add_text(sieve, byte, ret);
        break;
    case SIEVE_ESCAPE:
        sieve->state = after_escape(code);
        break;
    case SIEVE_CSI:
        sieve->state = after_csi(code);
        break;
    case SIEVE_STRING:
        sieve->state = after_string(code);
        break;
    }
}

void
sieve_add(struct sieve *sieve, const char *data, size_t length, struct buf *ret)
{
    for (size_t i = 0; i < length; i++)
        add_byte(sieve, data[i], ret);
}
