// plan.h - what launch does, step by step, decided from what the host has. One computation for plan
// and for launch.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_PLAN_H
#define AIRBUILD_CLUSTER_PLAN_H

#include "cluster/cluster.h"
#include "cluster/session.h"

enum plan_kind {
    PLAN_KEEP, // it is there and right
    PLAN_NETWORK,
    PLAN_SECRETS,
    PLAN_DISK,
    PLAN_SEED,
    PLAN_DEFINE,
    PLAN_START,
};

// Looks at the host and decides. images: by node, the one its disk lies over, or will; NULL where a
// new disk needs one that is not there; the caller frees each. Only the images, the accelerator and
// the spec of launch are used.
int plan_make(const struct cluster_launch *launch, struct session *session, struct survey *survey,
    struct image **images, struct cluster_plan *plan, struct error *err);

// The steps alone. Pure. changed: by node, how the defined domain (off) differs from the wanted
// one, or NULL; may be NULL altogether. The steps are in the order they are to be carried out in.
void plan_fill(struct cluster_plan *plan, const struct spec *spec, const struct record *record,
    const struct survey *survey, char *const *changed);

// 0, or with the plan's conflicts, faults or differences in one message: ERR_CONFLICT, or the cause
// of the first fault.
int plan_refuse(const struct cluster_plan *plan, const struct spec *spec, struct error *err);

#endif
