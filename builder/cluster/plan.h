// plan.h - what launch does, step by step, decided from what the host has. Pure.
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

// changed: by node, how the defined domain (off) differs from the wanted one, or NULL; may be NULL
// altogether. The steps are in the order they are to be carried out in.
void plan_fill(struct cluster_plan *plan, const struct spec *spec, const struct record *record,
    const struct survey *survey, char *const *changed);

// 0, or ERR_CONFLICT with the plan's conflicts or differences in one message.
int plan_refuse(const struct cluster_plan *plan, const struct spec *spec, struct error *err);

#endif
