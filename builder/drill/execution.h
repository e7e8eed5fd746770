// execution.h - the state of a running drill, shared by drill.c, act.c and observe.c.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_DRILL_EXECUTION_H
#define AIRBUILD_DRILL_EXECUTION_H

#include "base/cpu_burn.h"
#include "cluster/survey.h"
#include "drill/scenario.h"
#include "probe/load.h"

struct drill {
    const struct drill_run *run;
    const struct drill_scenario *scenario;
    struct drill_limits limits;
    struct cpu_burn burn;
    struct session session;
    struct survey survey; // the latest
    struct load *load;
    struct probe_access access;
    size_t master, replica; // at the begin; indices in the spec
    int64_t begin_ms;
    int64_t load_ms;    // the load began; 0: not yet
    int64_t broken_ms;  // the first act; 0: not yet
    bool measuring;     // the next act is the one that is measured
    int64_t measure_ms; // 0: not yet
    int64_t heal_ms;    // the first act of recovery; 0: not yet
    int64_t last_act_ms;
    int64_t promoted_ms;           // 0: no other master was named
    int64_t converged_ms;          // since when; 0: it has not
    int64_t noted_ms;              // the latest of these that became an event
    unsigned misses;               // surveys since it was seen converged
    int named;                     // the latest master that became an event; -1: none
    int64_t two_masters_ms;        // first time seen
    bool redis_stopped, peers_cut; // on the master; not yet undone
    enum drill_whom pressed;       // may still power off; WHOM_NONE: none, or started again
    size_t event_capacity;
    struct drill_result *result;
};

void drill_note(struct drill *drill, enum drill_event_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Returns true when node index (of the spec) is among whom.
bool drill_concerns(const struct drill *drill, enum drill_whom whom, size_t index);
// Returns how many nodes among whom ran at that survey.
size_t drill_running(const struct drill *drill, const struct survey *survey, enum drill_whom whom);

// Performs one act on all its targets. Can be interrupted between two machines only: a call that
// libvirt carries out later could not be repaired.
int drill_perform(struct drill *drill, const struct drill_step *step, struct error *err);
// Observes until ACT_WATCH or an ACT_AWAIT_* is over. Not to converge in time is a result, no
// error.
int drill_await(struct drill *drill, const struct drill_step *step, struct error *err);
// Starts machines and plugs links in after an error or an interruption. Notes what it cannot
// repair. After an interruption a further signal ends the program; after an error it is reported
// when the repair is done.
void drill_repair(struct drill *drill);

#endif
