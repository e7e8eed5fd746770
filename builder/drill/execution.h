// execution.h - a drill under way: what the steps act on and what was seen so far. Internal to
// drill/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_DRILL_EXECUTION_H
#define AIRBUILD_DRILL_EXECUTION_H

#include "base/burn.h"
#include "cluster/survey.h"
#include "drill/scenario.h"
#include "probe/load.h"

struct drill {
    const struct drill_run *run;
    const struct drill_scenario *scenario;
    struct drill_limits limits;
    struct burn burn;
    struct session session;
    struct survey survey; // of the last look
    struct probe_result *results;
    struct probe_verdict verdict;
    struct load *load;
    struct probe_access access;
    size_t master, replica; // at the begin: indices in the spec
    int64_t begin_ms;
    int64_t load_ms;    // the load began; 0: not yet
    int64_t broken_ms;  // the first act of all; 0: not yet
    bool measuring;     // the next act is the one that is measured
    int64_t measure_ms; // 0: not yet
    int64_t heal_ms;    // the first act of recovery; 0: not yet
    int64_t last_act_ms;
    int64_t promoted_ms;  // 0: no other master was named
    int64_t converged_ms; // since when; 0: it is not
    int64_t noted_ms;     // the last of these that became an event
    unsigned misses;      // looks since it was seen converged
    int named;            // the master that was last noted; -1 none
    unsigned two_masters;
    int64_t two_masters_from_ms, two_masters_to_ms; // first and last look at two masters
    bool redis_stopped, peers_cut;                  // on the master, and not yet undone
    enum drill_whom pressed; // may yet go off; WHOM_NONE: none, or started again
    size_t event_capacity;
    struct drill_result *result;
};

void drill_note(struct drill *drill, enum drill_event_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Returns true when node index (of the spec) is among whom; roles are those at the begin.
bool drill_concerns(const struct drill *drill, enum drill_whom whom, size_t index);

// Performs one act on all nodes it concerns. Interrupted only between two machines: libvirt
// finishes what it was asked for, and what it does later could not be repaired.
int drill_perform(struct drill *drill, const struct drill_step *step, struct error *err);
// ACT_WATCH and the ACT_AWAIT_*: observes until it is over. Not converging in time is no error: it
// is measured.
int drill_await(struct drill *drill, const struct drill_step *step, struct error *err);
// Turns machines on and links up after an error or an interruption, which is heeded by this. A
// further signal ends the program if it was an interruption; it is reported afterwards if it was an
// error. Notes what could not be repaired.
void drill_repair(struct drill *drill);

#endif
