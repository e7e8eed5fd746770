// freeze.h - makes a frozen set of a converged cluster, which runs on after some seconds.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_FREEZE_H
#define AIRBUILD_CLUSTER_FREEZE_H

#include "base/error.h"
#include "base/progress.h"
#include "cluster/session.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stdint.h>

struct freeze_report {
    char key[65];
    char *folder;     // caller frees
    uint64_t bytes;   // of the set on disk
    double stopped_s; // how long the nodes stood still
    double seconds;   // in all
};

// ERR_FAILED: a node is off or paused, or it has not converged, and why; ERR_SPACE; ERR_NOT_FOUND:
// there is no cluster. The cluster runs on in any case, and a set of the same key is replaced only
// by a whole one.
int cluster_freeze(const struct spec *spec, bool kvm, struct progress *progress,
    struct freeze_report *ret, struct error *err);

struct launch_options;
// Launches a cluster that does not exist, freezes and removes it. ERR_CONFLICT: it exists. After
// any other failure, and Ctrl-C, there is neither a cluster nor a new set.
int cluster_make_set(
    const struct launch_options *options, struct freeze_report *ret, struct error *err);

// The same as cluster_freeze in a session that holds the lock, which does not ask whether the
// cluster has converged.
int freeze_in_session(struct session *session, bool kvm, struct progress *progress,
    struct freeze_report *ret, struct error *err);

#endif
