// diagnostics.c - the errors of a text: sorted by place, shown with the line and a caret.
// SPDX-License-Identifier: Apache-2.0
#include "yaml/yaml.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define EXCERPT_WIDTH 100 // characters of a line that are shown
#define EXCERPT_BEFORE 60 // of these, before the caret when the line is cut
#define QUOTE_WIDTH 40

void
yaml_source_clear(struct yaml_source *source)
{
    for (size_t i = 0; i < source->error_count; i++)
        free(source->diagnostics[i].sentence);
    source->error_count = source->error_total = 0;
}

// Inserts the error by its place. The last one is dropped when there are too many.
void
yaml_error(struct yaml_source *source, const struct yaml_node *at, const char *format, ...)
{
    struct yaml_diagnostic *list = source->diagnostics;
    unsigned line = at == NULL ? 0 : at->line, column = at == NULL ? 0 : at->column;
    va_list args;
    va_start(args, format);
    char *sentence = str_formatv(format, args);
    va_end(args);
    size_t place = source->error_count;
    while (place > 0 && (line < list[place - 1].line ||
                            (line == list[place - 1].line && column < list[place - 1].column)))
        place--;
    source->error_total++;
    if (source->error_count == YAML_ERROR_MAX) {
        bool is_last = place == YAML_ERROR_MAX;
        free(is_last ? sentence : list[YAML_ERROR_MAX - 1].sentence);
        if (is_last)
            return;
        source->error_count--;
    }
    memmove(&list[place + 1], &list[place], (source->error_count++ - place) * sizeof *list);
    list[place] = (struct yaml_diagnostic){line, column, sentence};
}

// Returns the start of a line, from 1. As in YAML, LF, CR LF and CR end a line.
static const char *
find_line(const struct yaml_source *source, unsigned line, size_t *ret_length)
{
    const char *at = source->text, *end = source->text + source->length;
    for (; line > 1 && at < end; at++)
        if (*at == '\n' || (*at == '\r' && (at + 1 == end || at[1] != '\n')))
            line--;
    const char *stop = at;
    while (stop < end && *stop != '\n' && *stop != '\r')
        stop++;
    *ret_length = (size_t) (stop - at);
    return at;
}

static void
add_excerpt(struct buf *out, const struct yaml_source *source, const struct yaml_diagnostic *about)
{
    BUF_AUTO struct buf shown = {0}, caret = {0};
    size_t length, place = about->column - 1;
    const char *line = find_line(source, about->line, &length);
    size_t first = place < EXCERPT_WIDTH - 5 ? 0 : place - EXCERPT_BEFORE;
    struct text_iter iter = {.next = line, .left = length};
    for (size_t index = 0; index < first + EXCERPT_WIDTH && text_next(&iter); index++) {
        bool tab = *iter.at == '\t';
        if (index >= first && !tab && iter.kind != TEXT_PRINTABLE)
            buf_add(&shown, "?");
        else if (index >= first)
            buf_add_bytes(&shown, iter.at, iter.length);
        if (index >= first && index < place)
            buf_add(&caret, tab ? "\t" : " ");
    }
    if (shown.length == 0)
        return;
    buf_printf(out, "\n    %s%s%s", first > 0 ? "..." : "", shown.data, iter.left > 0 ? "..." : "");
    buf_printf(out, "\n    %s%s^", first > 0 ? "   " : "", caret.length > 0 ? caret.data : "");
}

int
yaml_result(const struct yaml_source *source, struct error *err)
{
    BUF_AUTO struct buf out = {0};
    if (source->error_total == 0)
        return 0;
    for (size_t i = 0; i < source->error_count; i++) {
        const struct yaml_diagnostic *about = &source->diagnostics[i];
        buf_printf(&out, "%s%s:", i > 0 ? "\n" : "", source->origin);
        if (about->line > 0)
            buf_printf(&out, "%u:%u:", about->line, about->column);
        buf_printf(&out, " %s", about->sentence);
        if (about->line > 0)
            add_excerpt(&out, source, about);
    }
    size_t more = source->error_total - source->error_count;
    if (more > 0)
        buf_printf(
            &out, "\n%s: %zu more errors; fix the first ones and try again", source->origin, more);
    return error_set(err, ERR_SPEC, "%s", out.data);
}

char *
yaml_quote(const char *text)
{
    struct text_iter iter = {.next = text, .left = strlen(text)};
    for (size_t shown = 0; shown < QUOTE_WIDTH && text_next(&iter); shown++)
        continue;
    FREE_AUTO char *begin = str_ndup(text, (size_t) (iter.next - text));
    FREE_AUTO char *clean = text_clean(TEXT_WORD, begin);
    return str_format("'%s%s'", clean, iter.left > 0 ? "..." : "");
}
