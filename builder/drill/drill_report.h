// drill_report.h - the results of drills as documents: JSON for programs, JUnit XML for CI, and an
// HTML page. Pure, but that the page is an asset.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_DRILL_DRILL_REPORT_H
#define AIRBUILD_DRILL_DRILL_REPORT_H

#include "drill/drill.h"

#include <jansson.h>

struct drill_report {
    const char *cluster;
    const char *stamp; // the time, by clock_stamp()
    const struct drill_result *results;
    size_t count;
};

// Returns the constant "PASS", "SLOW" (a time limit was missed) or "FAIL".
const char *drill_result_word(const struct drill_result *result);

// Returns true for FAIL, and for SLOW when strict.
bool drill_result_failed(const struct drill_result *result, bool strict);

// Returns a list with an object per drill: "drill", "acked", "lost", "write_outage_s",
// "read_outage_s", "converged_s", "two_masters", "promoted_s", "verdict" and more. Caller frees.
json_t *drill_report_json(const struct drill_report *report);
// Returns a testsuite with a testcase per drill; strict: SLOW is a failure too. Caller frees.
char *drill_report_junit(const struct drill_report *report, bool strict);

#define DRILL_PAGE "builder/drill/page.html"
// Fills the asset DRILL_PAGE, one self-contained HTML file, with the results: as a table for
// browsers without scripts, and as JSON for its script. Caller frees. ERR_DAMAGED: the asset lacks
// a slot.
int drill_report_page(const struct drill_report *report, char **ret, struct error *err);

#endif
