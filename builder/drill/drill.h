// drill.h - failures made on purpose and measured: a fault by libvirt or on the network, a writer
// and a reader through the head, and a verdict against the scenario's limits. A drill breaks and
// watches; the nodes recover by themselves.
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

struct drill_info {
    const char *name;  // "master-off"
    const char *what;  // "the power of the master's machine is pulled"
    const char *limit; // "failover, 0 lost"
    bool new_data;     // the nodes get new disks: all data is lost
};
const struct drill_info *drill_at(size_t index);       // in the order they run; NULL past the last
const struct drill_info *drill_find(const char *name); // NULL when there is none

#define DRILL_WRITES_PER_S 250
#define DRILL_READS_PER_S 100

enum drill_event_kind { DRILL_FAULT, DRILL_HEAL, DRILL_ROLE, DRILL_CONVERGED, DRILL_NOTE };
struct drill_event {
    int64_t at_ms; // since the begin of the drill
    enum drill_event_kind kind;
    char *text; // "work11: power pulled", "work12 is master"
};

#define DRILL_SLOT_MS 100
struct drill_slot { // what happened in DRILL_SLOT_MS of the drill
    unsigned acked, failed, reads, reads_failed;
    unsigned lost; // of acked
};

// Since the begin of the drill; both 0: there was none.
struct drill_span {
    int64_t from_ms, to_ms;
};

// The limits of a scenario for one cluster; below 0: none.
struct drill_limits {
    double outage_s, pause_s, read_outage_s; // beyond the noise
    double lost_s;       // acknowledged writes that may be lost, as seconds of writing
    int64_t closed_ms;   // from the fault until no write is accepted
    int64_t failover_ms; // longest wait until another master is named
    int64_t watch_ms;    // added to the time that a fault lasts
};

struct drill_result {
    const struct drill_info *info;
    unsigned long long acked, lost; // writes
    double write_outage_s; // from the first failed or unanswered write to the next acknowledged
                           // one; 0: none failed
    double write_pause_s;  // longest time between two acknowledgements after the fault
    double read_outage_s;
    double noise_s;     // longest write pause before the fault: the host's own delays
    double promoted_s;  // from the fault until the sentinels named another master; -1: they did not
    double converged_s; // from the last action (fault or heal) until converged; -1: it did not
    unsigned two_masters; // how often two workers were seen to acknowledge writes of their own
    double two_masters_s; // from the first time to the last
    struct drill_limits limits;
    bool behaved;     // no acknowledged write lost beyond the limit, no two masters, converged
    bool in_time;     // the time limits were met as well
    char *verdict;    // "PASS", or the limits that were not met
    int64_t fault_ms; // since the begin of the drill; figures count from it; 0: there was none
    struct drill_span write_outage, read_outage;
    struct drill_event *events;
    size_t event_count;
    struct drill_slot *slots;
    size_t slot_count;
};
void drill_result_free(struct drill_result *result); // its content

struct drill_run {
    const struct spec *spec;
    const struct drill_info *info;
    bool kvm;           // the accelerator of nodes that get new disks
    int64_t timeout_ms; // until converged again; 0: 10 minutes
    struct progress *progress;
};
// Runs one scenario. Unless it begins with new disks, the cluster must first converge within a
// minute, else ERR_VERDICT names what is awaited. After 0 all nodes run, all links are up, and *ret
// records whether the cluster converged again. Before it returns an error, also ERR_INTERRUPTED, it
// repairs what it broke (starts machines, plugs links in).
int drill_execute(const struct drill_run *run, struct drill_result *ret, struct error *err);

#endif
