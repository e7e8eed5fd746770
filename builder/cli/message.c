// message.c - see message.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/message.h"

#include "base/cleanup.h"

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
    const char *no_color = getenv("NO_COLOR");
    return (no_color == NULL || no_color[0] == '\0') && message_live(fd);
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

// U+0080 to U+009F: control characters too, for terminals that know C1.
static bool
is_c1(const char *text, size_t length)
{
    return length == 2 && (unsigned char) text[0] == 0xc2 && (unsigned char) text[1] < 0xa0;
}

static bool
is_plain_word(const char *text, size_t length)
{
    unsigned char c = (unsigned char) text[0];
    if (length == 1)
        return (c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t';
    return length > 1 && !is_c1(text, length);
}

char *
message_harmless(const char *text)
{
    struct buf clean = {0};
    while (*text != '\0') {
        size_t length = str_utf8(text);
        if (is_plain_word(text, length)) {
            buf_add_bytes(&clean, text, length);
        } else {
            length = length > 0 ? length : 1;
            for (size_t i = 0; i < length; i++)
                buf_printf(&clean, "\\x%02x", (unsigned char) text[i]);
        }
        text += length;
    }
    return buf_take(&clean);
}

void
message_quote(struct buf *buf, const char *word)
{
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:=@%+,-";
    if (word[0] != '\0' && word[strspn(word, safe)] == '\0') {
        buf_add(buf, word);
        return;
    }
    buf_add(buf, "'");
    for (; *word != '\0'; word++)
        if (*word == '\'') // ends the quotes, stands escaped, and begins them again
            buf_add(buf, "'\\''");
        else
            buf_add_bytes(buf, word, 1);
    buf_add(buf, "'");
}

void
message_error(const struct error *err)
{
    BUF_AUTO struct buf line = {0};
    FREE_AUTO char *sentence = message_harmless(err->message != NULL ? err->message : "failed");
    message_paint(&line, message_colors(STDERR_FILENO), COLOR_RED, "airbuild:");
    buf_printf(&line, " %s%s", sentence, str_ends(sentence, "\n") ? "" : "\n");
    fputs(line.data, stderr);
}

struct jv *
message_error_json(const struct error *err)
{
    struct jv *inner = jv_object();
    jv_set_string(inner, "cause", error_code_name(err->code));
    jv_set_int(inner, "status", err->code);
    jv_set_string(inner, "message", err->message);
    struct jv *outer = jv_object();
    jv_set(outer, "error", inner);
    return outer;
}
