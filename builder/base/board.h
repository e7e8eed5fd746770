// board.h - how progress.c's board of tasks is put into characters: pure text, no stream, no clock.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_BOARD_H
#define AIRBUILD_BASE_BOARD_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct board_task {
    char *name;
    char *text;
    double part;      // 0..1, negative when unknown
    int64_t start_ms; // of its first step, as clock_ms counts
    int64_t took_ms;  // -1 while it runs
};

struct board_style {
    bool color, utf8;
    unsigned turn;       // position of the spinner
    int64_t now_ms;      // as clock_ms counts
    size_t columns;      // of the screen
    size_t name_columns; // of the widest name
};

// Takes text; what comes back can be drawn: control characters (C0, DEL, and C1, which is U+0080 to
// U+009F) and bytes that are no UTF-8 are '?', so that what a guest said cannot move the cursor.
char *board_printable(char *text);

// Columns of a printable text in which no character is wide.
size_t board_columns(const char *text);

// Adds one line: mark, name, text, and at the right end part and elapsed time. What is too wide is
// cut from the text, then from the name.
void board_draw(const struct board_style *style, const struct board_task *task, struct buf *out);

// Whether the environment asks for UTF-8 output, as setlocale(3) ranks LC_ALL, LC_CTYPE and LANG.
bool board_wants_utf8(void);
// Whether it leaves colours on: https://no-color.org, off when NO_COLOR is set and not empty.
bool board_wants_color(void);

#endif
