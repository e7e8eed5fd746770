// launch.h - the inside of cluster_launch, for a session that holds the lock already.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_LAUNCH_H
#define AIRBUILD_CLUSTER_LAUNCH_H

#include "cluster/cluster.h"
#include "cluster/session.h"

// What a launch did, for whoever waits for the nodes.
struct launched {
    int64_t *since; // by node: where its console log was before it was started
    bool *paused;   // by node: it waits for its turn to boot; NULL: all boot at once
    size_t at_once; // nodes that may boot at one moment, when some are paused
    bool unchanged; // nothing was to do
};

// Plan and carry out, without waiting. ret: with the arrays, zeroed.
int launch_in_session(const struct cluster_launch *launch, struct session *session,
    struct launched *ret, struct error *err);

#endif
