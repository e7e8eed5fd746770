// stop.h - removes a cluster in a session that holds the lock; cluster_destroy opens one.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_STOP_H
#define AIRBUILD_CLUSTER_STOP_H

#include "cluster/cluster.h"
#include "cluster/session.h"

// Removes everything but the images. Nothing is removed from disk before libvirt has nothing of the
// cluster any more.
int destroy_in_session(struct session *session, struct progress *progress, struct error *err);

#endif
