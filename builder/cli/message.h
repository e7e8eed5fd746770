// message.h - colors and quotes for people.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_MESSAGE_H
#define AIRBUILD_CLI_MESSAGE_H

#include "base/str.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>

enum message_color { COLOR_NONE, COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_BOLD, COLOR_DIM };

// Whether the descriptor is a terminal that can redraw lines (TERM is not "dumb").
bool message_live(int fd);
// As message_live, and NO_COLOR (https://no-color.org) does not forbid colors.
bool message_colors(int fd);

// Add text, in a color unless that is COLOR_NONE or on is false.
void message_paint(struct buf *buf, bool on, enum message_color color, const char *text);

// Add a word for a POSIX shell: as it is when that is safe, else in single quotes.
void message_quote(struct buf *buf, const char *word);

#endif
