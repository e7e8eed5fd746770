// launch.h - carries out a launch in a session that holds the lock; cluster_launch adds the wait.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_LAUNCH_H
#define AIRBUILD_CLUSTER_LAUNCH_H

#include "cluster/cluster.h"
#include "cluster/session.h"

struct launched {
    int64_t *since; // by node: size of its console log before it was started
    bool *paused;   // by node: it waits for its turn to boot; NULL: all boot at once
    size_t at_once; // how many nodes may boot at the same time, when some are paused
    bool unchanged; // there was nothing to do
};

// Plans and carries out, without waiting. ret: with its arrays, zeroed.
int launch_in_session(const struct launch_options *options, struct session *session,
    struct launched *ret, struct error *err);

#endif
