// text.c - see text.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdint.h>
#include <string.h>

// Returns the kind of the character at the beginning of a text that ends with NUL, and sets its
// length; UTF-8 has no longer form than needed, no surrogates and no more than U+10FFFF (RFC 3629).
static enum text_kind
kind_of(const unsigned char *byte, size_t *ret_length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; // by length
    size_t length = byte[0] < 0x80 ? 1 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    uint32_t code = length == 1 ? byte[0] : byte[0] & (0x7fU >> length);
    *ret_length = 1;
    if ((byte[0] >= 0x80 && byte[0] < 0xc0) || byte[0] >= 0xf8)
        return TEXT_BROKEN;
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return TEXT_BROKEN;
        code = code << 6 | (byte[i] & 0x3fU);
    }
    if (code < least[length] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
        return TEXT_BROKEN;
    *ret_length = length;
    if (code == '\t' || code == '\n')
        return TEXT_LAYOUT;
    if (code == '\r')
        return TEXT_RETURN;
    if (code < ' ')
        return TEXT_CONTROL;
    if (code >= 0x7f && code < 0xa0)
        return TEXT_LATE_CONTROL;
    if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2066 && code <= 0x2069) || code == 0xfeff)
        return TEXT_INVISIBLE;
    return code == 0xfffe || code == 0xffff ? TEXT_NONCHARACTER : TEXT_PRINTABLE;
}

bool
text_next(struct text_iter *iter)
{
    unsigned char window[5] = {0};
    if (iter->left == 0)
        return false;
    memcpy(window, iter->next, iter->left < 4 ? iter->left : 4);
    iter->kind = kind_of(window, &iter->length);
    iter->at = iter->next;
    iter->next += iter->length;
    iter->left -= iter->length;
    return true;
}

bool
text_is_utf8(const char *text)
{
    struct text_iter iter = {.next = text, .left = strlen(text)};
    for (;;) {
        for (; iter.left > 0 && (unsigned char) *iter.next < 0x80; iter.left--) // much the most
            iter.next++;
        if (!text_next(&iter))
            return true;
        if (iter.kind == TEXT_BROKEN)
            return false;
    }
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

char *
text_escape(const char *text)
{
    static const char letters[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    FREE_AUTO char *clean = text_clean(TEXT_LINES, text != NULL ? text : "");
    struct buf escaped = {0};
    for (const char *at = clean; *at != '\0'; at++) {
        const char *letter = strchr(letters, *at);
        if (letter != NULL)
            buf_add(&escaped, entities[letter - letters]);
        else
            buf_add_bytes(&escaped, at, 1);
    }
    return buf_take(&escaped);
}
