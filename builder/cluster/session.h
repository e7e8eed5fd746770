// session.h - one command's hold on a cluster: its lock, record and secrets, and the connection to
// its libvirt.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_SESSION_H
#define AIRBUILD_CLUSTER_SESSION_H

#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/error.h"
#include "cluster/record.h"
#include "probe/probe.h"
#include "seed/secrets.h"
#include "virt/virt.h"

#include <stdbool.h>

struct session {
    const struct spec *spec;
    char *folder;
    int lock;                    // -1: not held
    struct record *record;       // NULL: there is no cluster
    struct secrets *secrets;     // NULL: likewise
    char *id;                    // the cluster's, or the one launch would give it; NULL: unknown
    char digest[DIGEST_HEX + 1]; // of spec_canonical
    struct virt *virt;           // NULL: not connected
    bool *yields;                // by node: it boots beside nodes that serve; NULL: none does
};

// Loads the cluster's state with state_load. locked: takes the cluster's lock first (10 s).
int session_open(const struct spec *spec, bool locked, struct session *ret, struct error *err);
// As session_open and session_connect, but ERR_NOT_FOUND when there is no cluster.
int session_open_launched(
    const struct spec *spec, bool locked, struct session *ret, struct error *err);
// Connects to the libvirt that the cluster was launched on, else to the spec's, to act for it.
int session_connect(struct session *session, struct error *err);
void session_close(struct session *session); // no node yields after it
#define SESSION_AUTO CLEANUP(session_close)

// Lets a node that has started yield to those that serve, or not any more.
void session_yield(struct session *session, size_t node, bool yields);

// Returns the account that queries the nodes; borrows from session.
struct probe_access session_access(const struct session *session);

#endif
