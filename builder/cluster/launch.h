// launch.h - the inside of cluster_launch, for a session that holds the lock already.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_LAUNCH_H
#define AIRBUILD_CLUSTER_LAUNCH_H

#include "cluster/cluster.h"
#include "cluster/session.h"

// Plan and carry out, without waiting. since: by node, where its console log was before it was
// started.
int launch_in_session(const struct cluster_launch *launch, struct session *session,
    bool *ret_unchanged, int64_t *since, struct error *err);

// A new seed for a node, with a new instance-id when renewed: cloud-init then runs as on a new
// machine.
int launch_reseed(
    struct session *session, const struct spec_node *node, bool renewed, struct error *err);

#endif
