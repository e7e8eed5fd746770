// converge.h - waits until a cluster that was started has converged, telling where every node is.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_CONVERGE_H
#define AIRBUILD_CLUSTER_CONVERGE_H

#include "cluster/launch.h"
#include "cluster/session.h"

struct converge {
    struct session *session; // connected
    bool kvm;
    const char *accel_why;     // may be NULL
    int64_t timeout_ms;        // from when the last node set off; 0: 2 minutes, 10 under TCG
    bool once;                 // one look, no wait
    struct launched *launched; // whom it paused is set going in turn, and then noted there
    struct progress *progress;
};

// 0 and the report of the moment it converged. ERR_TIMEOUT, ERR_GUEST (a domain stopped, crashed or
// panicked while it was awaited) with node, phase, accelerator and last console lines;
// ERR_INTERRUPTED. However it ends, no node is left paused.
int converge_wait(struct converge *converge, struct cluster_report **ret, struct error *err);

#endif
