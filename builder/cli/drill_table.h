// drill_table.h - what drills measured, for people at a terminal. Pure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_DRILL_TABLE_H
#define AIRBUILD_CLI_DRILL_TABLE_H

#include "base/str.h"
#include "drill/drill_report.h"

// Aligned lines for people, what was not met below them, and medians when a drill ran more than
// once.
void drill_table(const struct drill_report *report, bool color, struct buf *text);

#endif
