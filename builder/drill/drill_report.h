// drill_report.h - what drills measured, as documents: JSON for programs, JUnit's XML for CI
// machines, a page to look at. Pure but for the page, which is an asset.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_DRILL_DRILL_REPORT_H
#define AIRBUILD_DRILL_DRILL_REPORT_H

#include "base/jv.h"
#include "drill/drill.h"

struct drill_report {
    const char *cluster;
    const char *stamp; // when, as clock_stamp() writes it
    const struct drill_result *results;
    size_t count;
};

// "PASS"; "SLOW": it behaved and missed a time; "FAIL": it did not behave. A constant.
const char *drill_result_word(const struct drill_result *result);

// Returns true for FAIL, and for SLOW when strict.
bool drill_result_failed(const struct drill_result *result, bool strict);

// A list with an object a drill: "drill", "acked", "lost", "write_outage_s", "read_outage_s",
// "converged_s", "two_masters", "promoted_s", "verdict" and more. Caller frees.
struct jv *drill_report_json(const struct drill_report *report);
// A testsuite with a testcase a drill; FAIL is a failure, and so is SLOW when strict. Caller frees.
char *drill_report_junit(const struct drill_report *report, bool strict);

#define DRILL_PAGE "builder/drill/page.html"
// One HTML file without anything outside of it: the asset DRILL_PAGE with the results as a table
// for browsers without scripts, and as JSON for its script. Caller frees. ERR_DAMAGED when the
// asset has no place for them.
int drill_report_page(const struct drill_report *report, char **ret, struct error *err);

#endif
