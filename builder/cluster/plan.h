// plan.h - decides from what the host has what launch does, step by step. plan and launch share
// this computation.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_PLAN_H
#define AIRBUILD_CLUSTER_PLAN_H

#include "cluster/cluster.h"
#include "cluster/survey.h"

enum plan_kind {
    PLAN_KEEP, // it exists and is right
    PLAN_NETWORK,
    PLAN_SECRETS,
    PLAN_DISK,
    PLAN_SEED,
    PLAN_DEFINE,
    PLAN_START,
};

// Surveys the host and decides. Uses the spec, images and accelerator of options alone. plan->again
// is true before when the nodes are to begin again in any case (reset).
int plan_make(const struct launch_options *options, struct session *session, struct survey *survey,
    struct cluster_plan *plan, struct error *err);

// Adds the steps, in the order in which they must be carried out. Pure.
void plan_fill(struct cluster_plan *plan, const struct spec *spec, const struct record *record,
    const struct survey *survey);

// Returns 0, or plan->refusal with all conflicts, faults or differences in one message.
int plan_refuse(const struct cluster_plan *plan, const struct spec *spec, struct error *err);

#endif
