// drill.h - failures made on purpose and measured: a fault by libvirt or on the network, a writer
// and a reader through the head all the time, and a verdict against the scenario's limit. A drill
// breaks and watches; it never helps: everything that recovers is the nodes' own work.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_DRILL_DRILL_H
#define AIRBUILD_DRILL_DRILL_H

#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A scenario.
struct drill_info {
    const char *name;  // "master-off"
    const char *what;  // "the power of the master's machine is pulled"
    const char *limit; // "failover, writes back within 6 s beyond the host's noise, 0 lost"
    bool new_data;     // the cluster starts over: its data is lost
};
const struct drill_info *drill_at(size_t index);       // in the order they run; NULL past the last
const struct drill_info *drill_find(const char *name); // NULL when there is none

#define DRILL_WRITES_PER_S 250
#define DRILL_READS_PER_S 100

enum drill_event_kind { DRILL_FAULT, DRILL_HEAL, DRILL_ROLE, DRILL_CONVERGED, DRILL_NOTE };
struct drill_event {
    int64_t at_ms; // from the drill's begin
    enum drill_event_kind kind;
    char *text; // "work11: power pulled", "work12 is master"
};

#define DRILL_SLOT_MS 100
struct drill_slot { // so much of the drill, for the picture
    unsigned acked, failed, reads, reads_failed;
    unsigned lost; // of acked
};

// A span of the drill, from its begin; both 0: there was none.
struct drill_span {
    int64_t from_ms, to_ms;
};

// The limits of a scenario for one cluster; below 0: none.
struct drill_limits {
    double outage_s, pause_s, read_outage_s; // beyond the noise
    double lost_s;       // acknowledged writes that may be lost, as seconds of writing
    int64_t closed_ms;   // from the fault until no write is taken
    int64_t failover_ms; // longest wait until another master is named
    int64_t watch_ms;    // to be added to the time that a fault lasts
};

struct drill_result {
    const struct drill_info *info;
    unsigned long long acked, lost; // writes
    double write_outage_s; // first failed or unanswered write to the first acknowledged after; 0:
                           // none failed
    double write_pause_s;  // longest time between two acknowledgements after the fault
    double read_outage_s;
    double noise_s;     // longest write pause before the fault: what the host does by itself
    double promoted_s;  // from the fault until sentinels named another master; -1: the same stayed
    double converged_s; // from the last action (fault or heal) until converged; -1: it did not
    unsigned two_masters; // looks at which two workers acknowledged a write of their own
    double two_masters_s; // from the first of them to the last
    struct drill_limits limits;
    bool behaved;  // no acknowledged write lost beyond the limit, no two masters, converged
    bool in_time;  // the limit's times were met as well
    char *verdict; // "PASS", or what was not met, in one sentence
    int64_t
        fault_ms; // from the drill's begin: what the figures are counted from; 0: there was none
    struct drill_span write_outage, read_outage;
    struct drill_event *events;
    size_t event_count;
    struct drill_slot *slots;
    size_t slot_count;
};
void drill_result_free(struct drill_result *result); // what it holds

struct drill_run {
    const struct spec *spec;
    const struct drill_info *info;
    bool kvm;           // the accelerator of nodes that are made again
    int64_t timeout_ms; // until converged again; 0: 10 minutes
    struct progress *progress;
};
// Run one scenario. The cluster must converge before within a minute (else ERR_VERDICT says what is
// awaited), unless it is to start over. When it comes back with 0 all nodes run, links are up, and
// the cluster has converged or *ret says that it did not. Any error: what was broken is repaired
// first (machines started, links up), also when interrupted.
int drill_execute(const struct drill_run *run, struct drill_result *ret, struct error *err);

#endif
