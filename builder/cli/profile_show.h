// profile_show.h - prints the profile of a launch: as text, for programs, and as a page.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_PROFILE_SHOW_H
#define AIRBUILD_CLI_PROFILE_SHOW_H

#include "base/error.h"
#include "base/str.h"
#include "cluster/profile.h"

#include <jansson.h>
#include <stdbool.h>

// Adds a bar per node on a common axis, the times of its phases, and the units that took longest
// or used most of the processor; one line when no node booted.
void profile_text(const struct profile *profile, bool color, struct buf *text);

// Returns {"seconds", "nodes": [{"name", "role", "start_s", "phases": {"firmware_s", ...}, "units":
// [{"name", "start_s", "took_s", "cpu_s"}], "missing"}]}; what is unknown is null. Caller frees.
json_t *profile_json(const struct profile *profile);

#define PROFILE_PAGE "builder/cli/profile.html"
// Fills the asset PROFILE_PAGE, one self-contained HTML file without scripts. stamp: the time, by
// clock_stamp(). Caller frees. ERR_DAMAGED: the asset lacks a slot.
int profile_page(const struct profile *profile, const char *cluster, const char *stamp, bool tcg,
    char **ret, struct error *err);

// Returns the distance of an axis' marks: the least of 1, 2 or 5 times a power of ten with which at
// most so many fit into the seconds.
double profile_step(double seconds, unsigned most);

#endif
