// report_marks.h - what happened in a drill as labels above its picture: alike ones put together,
// and each on a row where it covers no other and its line crosses none. Pure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_REPORT_MARKS_H
#define AIRBUILD_CLI_REPORT_MARKS_H

#include "drill/drill.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_ROW 15 // units from a row to the next

struct report_mark {
    int64_t at_ms;
    const char *class; // of the style: "fault", "heal", "role", "converged", "note"
    char *text;
    int row;         // 0 is the highest; -1: there is no room for the text
    bool left;       // the text ends at the line
    double from, to; // what it covers
};

struct report_marks { // start as {0}
    struct report_mark *items;
    size_t count, capacity;
    size_t rows;
};

// left, right: of the picture; per_ms: units a millisecond.
void report_marks_place(struct report_marks *marks, const struct drill_result *result, double left,
    double right, double per_ms);
void report_marks_free(struct report_marks *marks);
#define REPORT_MARKS_AUTO __attribute__((cleanup(report_marks_free)))

#endif
