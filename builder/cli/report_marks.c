// report_marks.c - see report_marks.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/report_marks.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "base/text.h"

#include <string.h>

#define ALIKE_MS 500 // what is done to several machines within this is one mark
#define ROWS_MAX 7
#define LETTER 5.7 // width of a usual letter
#define SPACE 10   // around a text

static const char *
class_of(enum drill_event_kind kind)
{
    static const char *const classes[] = {
        [DRILL_FAULT] = "fault",
        [DRILL_HEAL] = "heal",
        [DRILL_ROLE] = "role",
        [DRILL_CONVERGED] = "converged",
        [DRILL_NOTE] = "note",
    };
    return classes[kind];
}

// "work11: started" and "work12: started" soon after: "work11, work12: started".
static bool
join(struct report_mark *mark, const struct drill_event *event)
{
    const char *one = strstr(mark->text, ": "), *other = strstr(event->text, ": ");
    if (one == NULL || !str_equal(one, other) || !str_equal(mark->class, class_of(event->kind)) ||
        event->at_ms - mark->at_ms > ALIKE_MS)
        return false;
    char *text = str_format("%.*s, %s", (int) (one - mark->text), mark->text, event->text);
    free(mark->text);
    mark->text = text;
    return true;
}

static void
add_event_mark(struct report_marks *marks, const struct drill_event *event)
{
    for (size_t i = 0; i < marks->count; i++)
        if (join(&marks->items[i], event))
            return;
    mem_grow(&marks->items, &marks->capacity, marks->count + 1, sizeof *marks->items);
    marks->items[marks->count++] = (struct report_mark){
        .at_ms = event->at_ms, .class = class_of(event->kind), .text = str_dup(event->text)};
}

static double
label_width(const char *text)
{
    return SPACE + LETTER * (double) text_columns(text);
}

// Below all that reach over x: so its line meets no text of another.
static void
place_mark(struct report_marks *marks, size_t index, double x, double right)
{
    struct report_mark *mark = &marks->items[index];
    double width = label_width(mark->text);
    mark->left = x + width > right;
    mark->from = mark->left ? x - width : x;
    mark->to = mark->from + width;
    for (size_t i = 0; i < index; i++)
        if (marks->items[i].row >= mark->row && marks->items[i].to > mark->from)
            mark->row = marks->items[i].row + 1;
    if (mark->row >= ROWS_MAX)
        mark->row = -1;
    if (mark->row >= (int) marks->rows)
        marks->rows = (size_t) mark->row + 1;
}

void
report_marks_place(struct report_marks *marks, const struct drill_result *result, double left,
    double right, double per_ms)
{
    for (size_t i = 0; i < result->event_count; i++)
        add_event_mark(marks, &result->events[i]);
    for (size_t i = 0; i < marks->count; i++)
        place_mark(marks, i, left + (double) marks->items[i].at_ms * per_ms, right);
}

void
report_marks_free(struct report_marks *marks)
{
    for (size_t i = 0; i < marks->count; i++)
        free(marks->items[i].text);
    free(marks->items);
    *marks = (struct report_marks){0};
}
