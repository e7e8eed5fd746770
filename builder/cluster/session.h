// session.h - one command's hold on a cluster: its folder, lock, record, secrets, connection, and
// what the host has of it. Used by plan, launch, status, stop and destroy.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_SESSION_H
#define AIRBUILD_CLUSTER_SESSION_H

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/record.h"
#include "probe/probe.h"
#include "seed/secrets.h"
#include "virt/domain.h"
#include "virt/network.h"
#include "virt/virt.h"

#include <stdbool.h>

struct session {
    const struct spec *spec;
    char *folder;
    int lock;                // -1: not held
    struct record *record;   // NULL: there is no cluster
    struct secrets *secrets; // NULL: likewise
    char *id;          // of the cluster, or of the one that launch would make; NULL: not known
    struct virt *virt; // NULL: not connected
};

// What there is, as state_load says. locked: take the cluster's lock first (10 s).
int session_open(const struct spec *spec, bool locked, struct session *ret, struct error *err);
// In the lock, for removing a cluster: parts of it may be lost.
int session_open_bare(const struct spec *spec, struct session *ret, struct error *err);
// To the libvirt that the cluster was launched at, else that of the spec; acting for the cluster.
int session_connect(struct session *session, struct error *err);
void session_close(struct session *session);
#define SESSION_AUTO __attribute__((cleanup(session_close)))

// What the host has of a cluster right now.
struct survey {
    struct virt_network_info network; // all zero in mode bridge
    struct virt_domain_info *domains; // by node
    bool *disks, *seeds;              // by node: the file is there
    size_t count;
};
int survey_make(struct session *session, struct survey *ret, struct error *err);
void survey_free(struct survey *survey);
#define SURVEY_AUTO __attribute__((cleanup(survey_free)))

// Probe every node of the spec whose domain runs, within deadline_ms, and judge. results: one a
// node, the caller's.
int session_probe(struct session *session, const struct survey *survey, int64_t deadline_ms,
    struct probe_result *results, struct probe_verdict *verdict, struct error *err);

// The report of a look. phases are read from the console logs of nodes that do not answer yet.
struct cluster_report *report_make(const struct spec *spec, const struct survey *survey,
    const struct probe_result *results, const struct probe_verdict *verdict);

// Why all machines are off, as far as can be known, from when the host started and when the last of
// them was heard of (seconds since 1970; 0: unknown). Pure; caller frees.
char *report_off(int64_t booted_s, int64_t spoke_s);

// Take away what a cluster is made of, in the session's lock. Not the images. Nothing is removed
// from disk before all that libvirt has of it is gone.
int session_destroy(struct session *session, struct progress *progress, struct error *err);

// The libvirt network the spec asks for; hosts is filled (node_count items) and borrowed by the
// result.
struct virt_network session_network(
    const struct session *session, const char *bridge, struct virt_host_entry *hosts);
char *session_bridge(const struct spec *spec); // "air0"; caller frees

#endif
