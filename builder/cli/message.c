// message.c - see message.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/message.h"

#include "base/cleanup.h"
#include "base/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
message_live(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term != NULL && !str_equal(term, "dumb");
}

bool
message_colors(int fd)
{
    return progress_wants_color() && message_live(fd);
}

void
message_paint(struct buf *buf, bool on, enum message_color color, const char *text)
{
    static const char *const codes[] = {
        [COLOR_RED] = "31",
        [COLOR_GREEN] = "32",
        [COLOR_YELLOW] = "33",
        [COLOR_BOLD] = "1",
        [COLOR_DIM] = "2",
    };
    if (!on || color == COLOR_NONE)
        buf_add(buf, text);
    else
        buf_printf(buf, "\033[%sm%s\033[0m", codes[color], text);
}

void
message_quote(struct buf *buf, const char *word)
{
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:=@%+,-";
    if (word[0] != '\0' && word[strspn(word, safe)] == '\0')
        buf_add(buf, word);
    else
        buf_add_word(buf, word);
}
