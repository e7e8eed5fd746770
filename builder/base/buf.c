// buf.c - the growing text of str.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void
buf_add(struct buf *buf, const char *text)
{
    buf_add_bytes(buf, text, strlen(text));
}

void
buf_add_bytes(struct buf *buf, const void *bytes, size_t length)
{
    if (length >= SIZE_MAX - buf->length)
        mem_exhausted();
    mem_grow(&buf->data, &buf->capacity, buf->length + length + 1, 1);
    if (length > 0)
        memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *text = str_formatv(format, args);
    va_end(args);
    buf_add(buf, text);
}

void
buf_add_word(struct buf *buf, const char *text)
{
    buf_add(buf, "'");
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_add(buf, "'\\''");
        else
            buf_add_bytes(buf, text, 1);
    }
    buf_add(buf, "'");
}

char *
buf_take(struct buf *buf)
{
    char *text = buf->data == NULL ? str_dup("") : buf->data;
    *buf = (struct buf){0};
    return text;
}

void
buf_drop(struct buf *buf, size_t length)
{
    if (length == 0)
        return;
    buf->length -= length;
    memmove(buf->data, buf->data + length, buf->length + 1);
}

void
buf_free(struct buf *buf)
{
    if (buf == NULL)
        return;
    free(buf->data);
    *buf = (struct buf){0};
}
