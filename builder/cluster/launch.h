// launch.h - the parts of cluster_launch, in a session that holds the lock: launch.c makes and
// starts the nodes, converge.c waits until the cluster has converged, stop.c removes it.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_LAUNCH_H
#define AIRBUILD_CLUSTER_LAUNCH_H

#include "cluster/cluster.h"
#include "cluster/survey.h"

struct launch_node {
    int64_t log_size; // of its console, before it was started
    int64_t began_ms; // when it was resumed, or later
    int64_t boot_ms;  // when it was resumed to boot; 0: it does not boot in this launch
    bool paused;      // it was started, and waits for its turn to boot
};

struct launch {
    const struct launch_options *options; // the caller's, as session
    struct session *session;
    const struct spec *spec;
    struct cluster_plan *plan;
    struct survey survey;      // the latest
    struct launch_node *nodes; // as in the spec
    struct seed_maker *seeds;  // NULL: no seed was made yet
    size_t at_once;            // how many may boot at the same time, when some are paused
    int64_t timeout_ms;
    char *before;   // the folder of the cluster that is being reset; NULL: none is
    bool resets;    // the nodes are removed first; set by the caller
    bool renews;    // the nodes have yet to take secrets that the frozen set does not have
    bool unchanged; // there was nothing to do
};
void launch_free(struct launch *launch);
#define LAUNCH_AUTO CLEANUP(launch_free)

// Plans and carries out, without waiting. With no_wait, no node is left paused.
int launch_in_session(struct launch *launch, struct error *err);

// Resumes in turn the nodes that launch_in_session left paused. The timeout counts from when the
// last of them was resumed; with no_wait it looks once. Returns the report of the moment it
// converged. ERR_TIMEOUT and ERR_GUEST (a domain stopped, crashed or panicked meanwhile) name node,
// phase and accelerator and show the last console lines; ERR_INTERRUPTED. In every case no node is
// left paused.
int converge_wait(struct launch *launch, struct cluster_report **ret, struct error *err);

// Removes the cluster's domains, and leaves its network and folder. ERR_CONFLICT: one of them
// cannot be removed as it is; none was then.
int remove_domains(struct session *session, struct progress *progress, struct error *err);

// Removes everything but the images, as cluster_destroy. Nothing is removed from disk before
// libvirt has nothing of the cluster any more.
int destroy_in_session(struct session *session, struct progress *progress, struct error *err);

#endif
