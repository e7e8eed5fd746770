// converge.h - waits until a launched cluster has converged, and reports where every node is.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_CONVERGE_H
#define AIRBUILD_CLUSTER_CONVERGE_H

#include "cluster/launch.h"

// Resumes in turn the nodes that launch_in_session left paused, and notes that in launched. The
// timeout counts from when the last of them was resumed; with no_wait it looks once. Returns the
// report of the moment it converged. ERR_TIMEOUT and ERR_GUEST (a domain stopped, crashed or
// panicked meanwhile) name node, phase and accelerator and show the last console lines;
// ERR_INTERRUPTED. In every case no node is left paused.
int converge_wait(const struct launch_options *options, struct session *session,
    struct launched *launched, struct cluster_report **ret, struct error *err);

#endif
