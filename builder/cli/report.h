// report.h - what drills measured, as documents: a page to look at, and JUnit's XML for CI
// machines. Pure: results in, text out.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_REPORT_H
#define AIRBUILD_CLI_REPORT_H

#include "base/jv.h"
#include "base/str.h"
#include "drill/drill.h"

#include <stddef.h>

struct report {
    const char *cluster;
    const char *stamp; // when, as clock_stamp() writes it
    const struct drill_result *results;
    size_t count;
};

// "PASS"; "SLOW": it behaved and missed a time; "FAIL": it did not behave. A constant.
const char *report_word(const struct drill_result *result);

// One HTML file without anything outside of it: a summary, and a card with a picture for each
// drill; light or dark as the reader's system is. It is well-formed XML, too. Caller frees.
char *report_html(const struct report *report);
// A testsuite with a testcase a drill; FAIL is a failure, and so is SLOW when strict. Caller frees.
char *report_junit(const struct report *report, bool strict);
// A list with an object a drill: "drill", "acked", "lost", "write_outage_s", "read_outage_s",
// "converged_s", "two_masters", "promoted_s", "verdict" and more. Caller frees.
struct jv *report_json(const struct report *report);
// For qsort: doubles, the smallest first.
int report_compare_numbers(const void *a, const void *b);
// Aligned lines for people, what was not met below them, and medians when a drill ran more than
// once.
void report_table(const struct report *report, bool color, struct buf *text);

// The picture of one drill, an <svg> element. For report_html.
void report_chart(const struct drill_result *result, struct buf *html);
// The same, small and without words.
void report_spark(const struct drill_result *result, struct buf *html);

#endif
