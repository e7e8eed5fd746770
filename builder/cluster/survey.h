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
    bool *memory;   // it is off, and a freeze that was killed left its memory; plan_make sets it
    char **changes; // how a domain that is off differs from the spec's; NULL: not, or not compared
    struct probe_result *results;
    struct probe_verdict verdict; // on the results
    struct virt_capacity host;    // plan_make sets it, and
    uint64_t overhead; // the bytes of the host's memory that a node takes besides its own
    size_t count;
};
struct survey survey_empty(const struct spec *spec); // nothing exists; survey_free frees
// Looks at files, and at libvirt when the session is connected. probe_ms > 0: probes every node
// whose domain runs, within that time. Replaces *ret, which is left alone on an error.
int survey_make(struct session *session, int64_t probe_ms, struct survey *ret, struct error *err);
void survey_free(struct survey *survey);
#define SURVEY_AUTO CLEANUP(survey_free)

// Returns whether a node other than this one answered a probe of survey_make and serves.
bool survey_others_serve(const struct survey *survey, size_t node);
// Returns true when a domain with the name of a node exists and belongs to something else.
bool survey_is_foreign(const struct survey *survey, const struct spec *spec, size_t node);

#endif
