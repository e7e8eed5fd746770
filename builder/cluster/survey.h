// survey.h - what the host has of a cluster right now: its network, domains and files; and what its
// nodes answer.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_SURVEY_H
#define AIRBUILD_CLUSTER_SURVEY_H

#include "base/cleanup.h"
#include "cluster/session.h"
#include "virt/domain.h"
#include "virt/network.h"

struct survey {
    struct virt_network_info network; // all zero in mode bridge
    struct virt_domain_info *domains; // by node, as all below
    bool *disks, *seeds;              // the file exists
    char **changes; // how a domain that is off differs from the spec's; NULL: not, or not compared
    size_t count;
};
struct survey survey_empty(const struct spec *spec); // nothing exists; survey_free frees
// Looks at files, and at libvirt when the session is connected.
int survey_make(struct session *session, struct survey *ret, struct error *err);
void survey_free(struct survey *survey);
#define SURVEY_AUTO CLEANUP(survey_free)

// Returns true when a domain with the name of a node exists and belongs to something else.
bool survey_is_foreign(const struct survey *survey, const struct spec *spec, size_t node);

// Probes every node whose domain runs, within deadline_ms, and assesses the answers. results: the
// caller's, one per node.
int survey_probe(const struct survey *survey, const struct session *session, int64_t deadline_ms,
    struct probe_result *results, struct probe_verdict *verdict, struct error *err);

#endif
