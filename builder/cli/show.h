// show.h - prints a cluster report for people and for programs; shared by status and launch.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_SHOW_H
#define AIRBUILD_CLI_SHOW_H

#include "base/str.h"
#include "cluster/cluster.h"
#include "spec/spec.h"

#include <jansson.h>
#include <stdbool.h>

// Adds a table with one line per node, and below it the line "converged: ..." or "not converged:
// ...".
void show_report(const struct cluster_report *report, bool color, struct buf *text);
// {"cluster", "converged", "summary", "master", "writes", "reads", "nodes": [{"name", "address",
// "state", "role", "says", "phase", "link_up", "lag_s", "sentinel", "sentinels"}]}; what is
// unknown is null. Caller frees.
json_t *show_json(const struct spec *spec, const struct cluster_report *report);

#endif
