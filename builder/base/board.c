// board.c - the board of tasks in characters.
// SPDX-License-Identifier: Apache-2.0
#include "base/board.h"

#include "base/cleanup.h"

#include <string.h>

bool
board_wants_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

bool
board_wants_color(void)
{
    const char *no_color = getenv("NO_COLOR");
    return no_color == NULL || *no_color == '\0';
}

char *
board_printable(char *text)
{
    BUF_AUTO struct buf clean = {0};
    for (const char *next = text; *next != '\0';) {
        size_t length = str_utf8(next);
        bool control =
            (length == 1 && ((unsigned char) *next < 0x20 || *next == 0x7f)) ||
            (length == 2 && (unsigned char) next[0] == 0xc2 && (unsigned char) next[1] < 0xa0);
        if (length == 0 || control)
            buf_add(&clean, "?");
        else
            buf_add_bytes(&clean, next, length);
        next += length == 0 ? 1 : length;
    }
    free(text);
    return buf_take(&clean);
}

size_t
board_columns(const char *text)
{
    size_t columns = 0;
    for (; *text != '\0'; text++)
        columns += ((unsigned char) *text & 0xc0) != 0x80;
    return columns;
}

// The first so many characters; as many columns where no character is wide.
static char *
cut(const char *text, size_t columns)
{
    size_t length = 0;
    while (text[length] != '\0') {
        if (((unsigned char) text[length] & 0xc0) != 0x80 && columns-- == 0)
            break;
        length++;
    }
    return str_ndup(text, length);
}

static const char *
mark_of(const struct board_style *style, const struct board_task *task)
{
    static const char *const round[] = {"⠋", "⠙", "⠸", "⠴", "⠦", "⠇"};
    static const char *const plain[] = {"|", "/", "-", "\\"};
    if (task->took_ms >= 0)
        return style->utf8 ? "✓" : "*";
    return style->utf8 ? round[style->turn % 6] : plain[style->turn % 4];
}

static char *
tail_of(const struct board_style *style, const struct board_task *task)
{
    int64_t ms = task->took_ms >= 0 ? task->took_ms : style->now_ms - task->start_ms;
    long long seconds = (long long) ms / 1000;
    BUF_AUTO struct buf tail = {0};
    if (task->took_ms < 0 && task->part >= 0)
        buf_printf(&tail, "%3.0f%%  ", task->part * 100);
    if (seconds >= 60)
        buf_printf(&tail, "%lldm%02llds", seconds / 60, seconds % 60);
    else
        buf_printf(&tail, "%llds", seconds);
    return buf_take(&tail);
}

static void
pad_columns(struct buf *out, size_t columns)
{
    while (columns-- > 0)
        buf_add(out, " ");
}

void
board_draw(const struct board_style *style, const struct board_task *task, struct buf *out)
{
    FREE_AUTO char *tail = tail_of(style, task);
    size_t fixed = strlen(tail) + 6; // the mark and the spaces between
    size_t room = style->columns > fixed ? style->columns - fixed : 0;
    size_t name_room = style->name_columns < room ? style->name_columns : room;
    FREE_AUTO char *name = cut(task->name, name_room);
    FREE_AUTO char *text = cut(task->text, room - name_room);
    const char *color = task->took_ms >= 0 ? "\x1b[32m" : "\x1b[36m";
    buf_printf(out, "%s%s%s ", style->color ? color : "", mark_of(style, task),
        style->color ? "\x1b[0m" : "");
    buf_add(out, name);
    pad_columns(out, name_room - board_columns(name) + 2);
    buf_add(out, text);
    pad_columns(out, room - name_room - board_columns(text) + 2);
    buf_printf(out, "%s\x1b[K\n", tail);
}
