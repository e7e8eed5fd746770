// drill_table.h - the results of drills as text for a terminal. Pure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_DRILL_TABLE_H
#define AIRBUILD_CLI_DRILL_TABLE_H

#include "base/str.h"
#include "drill/drill_report.h"

// Adds a table with a line per drill, medians when a drill ran more than once, the limits that were
// not met, and the counts.
void drill_table(const struct drill_report *report, bool color, struct buf *text);

#endif
