// profile.h - what the nodes that a launch booted spent their time on, until the cluster had
// converged: from systemd's own figures and the kernel's log, which guest agents read afterwards.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_PROFILE_H
#define AIRBUILD_CLUSTER_PROFILE_H

#include "base/cleanup.h"
#include "base/error.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The parts of a node's boot, one after the other; one that a boot does not have takes no time.
enum profile_phase {
    PROFILE_FIRMWARE,  // and boot loader, and the kernel until its clock runs
    PROFILE_KERNEL,    // until its first process
    PROFILE_INITRD,    // until the systemd of the root file system
    PROFILE_USERSPACE, // until redis' or haproxy's unit begins
    PROFILE_SERVER,    // until its units are ready: loaded, in sync, sentinel too
    PROFILE_CLUSTER,   // until the cluster has converged
    PROFILE_PHASES,
};
extern const char *const profile_phases[PROFILE_PHASES]; // "firmware", "kernel", ...

// Times are in seconds since the first of the nodes was started.
struct profile_unit {
    char *name;     // as the node sent it
    double start_s; // when it began to activate
    double took_s;  // how long it activated, at most until the cluster converged
    double cpu_s;   // of its processes, until the profile was made; -1: unknown
};
struct profile_node {
    const char *name; // borrowed from the spec
    enum spec_role role;
    double start_s;                // when airbuild started it
    double ends_s[PROFILE_PHASES]; // none is before the one before
    struct profile_unit *units;    // by their weight, the greatest first; at most PROFILE_UNITS
    size_t unit_count;
    char *missing; // why nothing but start_s is known; NULL
};
struct profile {
    struct profile_node *nodes; // those that booted, in the order of the spec
    size_t count;
    double seconds; // until the cluster had converged; above 0
};
#define PROFILE_UNITS 100
void profile_free(struct profile *profile);
DEFINE_FREEP(struct profile, profile_free)
#define PROFILE_AUTO CLEANUP(profile_freep)

// Returns the greater of its two figures.
double profile_weight(const struct profile_unit *unit);

struct launch;
// Asks the nodes that launch booted, side by side and for a minute at most in all, once the cluster
// has converged. patience_ms: how long their agents may take to start, as on a fast host redis
// starts before them. A node that does not answer is only reported. ERR_INTERRUPTED.
int profile_collect(
    const struct launch *launch, int64_t patience_ms, struct profile **ret, struct error *err);
#define PROFILE_PATIENCE_MS 15000

// ---- one node's answer. Pure. ----

// What a node's guest agent runs as `sh -c`, and profile_read reads.
extern const char profile_script[];
struct profile_clock {    // milliseconds of the host's clock_ms()
    int64_t base_ms;      // when the first node was started
    int64_t asked_ms;     // when the script was started
    int64_t converged_ms; // when the cluster had converged
};
// Fills in all but name, role and start_s, which the caller has set. The text may be anything, as
// the node is not trusted. ERR_GUEST: it lacks the times of the boot.
int profile_read(const char *text, const struct profile_clock *clock, struct profile_node *node,
    struct error *err);

#endif
