// report.h - puts into words what a survey and its probes found. Pure, but that phases of a boot
// are read from console logs.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_REPORT_H
#define AIRBUILD_CLUSTER_REPORT_H

#include "cluster/cluster.h"
#include "cluster/survey.h"

// Caller frees.
struct cluster_report *report_make(const struct spec *spec, const struct survey *survey);

// Explains why all machines are off. booted_s: when the host started; logged_s: when one of them
// last wrote to its console; both in seconds since 1970, 0: unknown. Caller frees.
char *report_off(int64_t booted_s, int64_t logged_s);

#endif
