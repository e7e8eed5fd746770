// text.c - see text.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "base/str.h"

#include <string.h>

// Returns the length of the valid UTF-8 character at the beginning of a text that ends with NUL, or
// 0. The ranges are table 3-7 of the Unicode Standard ("Well-Formed UTF-8 Byte Sequences").
static size_t
utf8_length(const unsigned char *byte)
{
    unsigned char low = 0x80, high = 0xbf;
    if (byte[0] < 0x80)
        return 1;
    if (byte[0] < 0xc2 || byte[0] > 0xf4)
        return 0;
    size_t length = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    if (byte[0] == 0xe0)
        low = 0xa0;
    else if (byte[0] == 0xed)
        high = 0x9f;
    else if (byte[0] == 0xf0)
        low = 0x90;
    else if (byte[0] == 0xf4)
        high = 0x8f;
    if (byte[1] < low || byte[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (byte[i] < 0x80 || byte[i] > 0xbf)
            return 0;
    return length;
}

static enum text_kind
kind_of_ascii(unsigned char code)
{
    if (code == '\t' || code == '\n')
        return TEXT_LAYOUT;
    if (code == '\r')
        return TEXT_RETURN;
    if (code < ' ')
        return TEXT_CONTROL;
    return code == 0x7f ? TEXT_LATE_CONTROL : TEXT_PRINTABLE;
}

static enum text_kind
kind_of_three(const unsigned char *byte)
{
    bool separator = byte[2] >= 0x8b && byte[2] <= 0x8f;
    bool embedding = byte[2] >= 0xa8 && byte[2] <= 0xae;
    bool isolate = byte[2] >= 0xa6 && byte[2] <= 0xa9;
    if ((byte[0] == 0xe2 && byte[1] == 0x80 && (separator || embedding)) ||
        (byte[0] == 0xe2 && byte[1] == 0x81 && isolate) ||
        (byte[0] == 0xef && byte[1] == 0xbb && byte[2] == 0xbf))
        return TEXT_INVISIBLE;
    if (byte[0] == 0xef && byte[1] == 0xbf && byte[2] >= 0xbe)
        return TEXT_NONCHARACTER;
    return TEXT_PRINTABLE;
}

static enum text_kind
kind_of(const unsigned char *byte, size_t length)
{
    if (length == 0)
        return TEXT_BROKEN;
    if (length == 1)
        return kind_of_ascii(byte[0]);
    if (length == 2 && byte[0] == 0xc2 && byte[1] < 0xa0)
        return TEXT_LATE_CONTROL;
    return length == 3 ? kind_of_three(byte) : TEXT_PRINTABLE;
}

bool
text_next(struct text_iter *iter)
{
    unsigned char window[5] = {0};
    if (iter->left == 0)
        return false;
    memcpy(window, iter->next, iter->left < 4 ? iter->left : 4);
    size_t length = utf8_length(window);
    iter->kind = kind_of(window, length);
    iter->length = length == 0 ? 1 : length;
    iter->at = iter->next;
    iter->next += iter->length;
    iter->left -= iter->length;
    return true;
}

bool
text_is_utf8(const char *text)
{
    struct text_iter iter = {.next = text, .left = strlen(text)};
    while (text_next(&iter))
        if (iter.kind == TEXT_BROKEN)
            return false;
    return true;
}

size_t
text_columns(const char *text)
{
    size_t columns = 0;
    struct text_iter iter = {.next = text, .left = strlen(text)};
    while (text_next(&iter))
        columns++;
    return columns;
}

static const struct {
    unsigned kept;       // kinds, or-ed
    const char *instead; // of any other character; NULL: its bytes as \xNN
} policies[] = {
    [TEXT_LINES] = {TEXT_PRINTABLE | TEXT_LAYOUT, NULL},
    [TEXT_WORD] = {TEXT_PRINTABLE, NULL},
    [TEXT_ROW] = {TEXT_PRINTABLE, "?"},
    [TEXT_UTF8] = {~(unsigned) TEXT_BROKEN, "\xef\xbf\xbd"},
    [TEXT_XML] = {~(unsigned) (TEXT_BROKEN | TEXT_CONTROL | TEXT_NONCHARACTER), "\xef\xbf\xbd"},
};

char *
text_clean(enum text_policy policy, const char *text)
{
    struct buf clean = {0};
    struct text_iter iter = {.next = text, .left = strlen(text)};
    while (text_next(&iter)) {
        if (iter.kind & policies[policy].kept)
            buf_add_bytes(&clean, iter.at, iter.length);
        else if (policies[policy].instead != NULL)
            buf_add(&clean, policies[policy].instead);
        else
            for (size_t i = 0; i < iter.length; i++)
                buf_printf(&clean, "\\x%02x", (unsigned char) iter.at[i]);
    }
    return buf_take(&clean);
}
