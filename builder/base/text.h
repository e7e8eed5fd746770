// text.h - characters and width of foreign text, and copies that are harmless for their use.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_TEXT_H
#define AIRBUILD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum text_kind {
    TEXT_PRINTABLE = 1,
    TEXT_LAYOUT = 2,        // tab and newline
    TEXT_RETURN = 4,        // carriage return
    TEXT_CONTROL = 8,       // the other C0 controls, NUL included
    TEXT_LATE_CONTROL = 16, // DEL and C1 (U+0080 to U+009F), on which some terminals act
    TEXT_INVISIBLE = 32,    // separators, marks and overrides of direction: Unicode's categories Zl
                            // and Zp, its property Bidi_Control, U+200B to U+200D, U+FEFF
    TEXT_NONCHARACTER = 64, // U+FFFE and U+FFFF
    TEXT_BROKEN = 128,      // a byte that is not part of valid UTF-8
};

// An iterator: start as {.next = text, .left = bytes of it}.
struct text_iter {
    const char *next;
    size_t left;
    const char *at; // the current character
    size_t length;  // its bytes: 1 to 4, 1 when it is broken
    enum text_kind kind;
};
// Moves to the next character; false at the end.
bool text_next(struct text_iter *iter);

bool text_is_utf8(const char *text);

// Columns on a terminal, where each character counts as one.
size_t text_columns(const char *text);

enum text_policy {
    TEXT_LINES, // lines on a terminal: all but printable characters, tab and newline as \xNN
    TEXT_WORD,  // part of a line on a terminal: unprintable characters as \xNN
    TEXT_ROW,   // a row with fixed columns: unprintable characters as '?'
    TEXT_UTF8,  // JSON: invalid bytes as U+FFFD
    TEXT_XML,   // characters that XML 1.0 does not allow (section 2.2, Char) as U+FFFD
};

// Returns a copy by the policy; the caller frees it.
char *text_clean(enum text_policy policy, const char *text);

// Returns text (NULL is "") as TEXT_LINES, escaped for elements and quoted attributes of XML and
// HTML; the caller frees it.
char *text_escape(const char *text);

#endif
