// launch.h - the parts of cluster_launch, in a session that holds the lock: launch.c makes and
// starts the nodes, converge.c waits until the cluster has converged, stop.c removes it.
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

// Resumes in turn the nodes that launch_in_session left paused, and notes that in launched. The
// timeout counts from when the last of them was resumed; with no_wait it looks once. Returns the
// report of the moment it converged. ERR_TIMEOUT and ERR_GUEST (a domain stopped, crashed or
// panicked meanwhile) name node, phase and accelerator and show the last console lines;
// ERR_INTERRUPTED. In every case no node is left paused.
int converge_wait(const struct launch_options *options, struct session *session,
    struct launched *launched, struct cluster_report **ret, struct error *err);

// Removes everything but the images, as cluster_destroy. Nothing is removed from disk before
// libvirt has nothing of the cluster any more.
int destroy_in_session(struct session *session, struct progress *progress, struct error *err);

#endif
