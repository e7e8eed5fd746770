// scenario.h - a scenario as a list of steps, and its limits. Internal to drill/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_DRILL_SCENARIO_H
#define AIRBUILD_DRILL_SCENARIO_H

#include "drill/drill.h"

// The targets of a step. Roles are those at the begin of the drill.
enum drill_whom {
    WHOM_NONE,
    WHOM_MASTER,
    WHOM_REPLICA,  // the first worker that follows
    WHOM_REPLICAS, // all workers that follow
    WHOM_WORKERS,
    WHOM_HEAD,
    WHOM_FIRST, // the spec's first master, whoever is master now
    WHOM_ALL,
};

enum drill_act {
    ACT_END,     // of the list
    ACT_MEASURE, // the next act is the one that is measured
    ACT_PRESS,   // the power button
    ACT_PULL,    // the power cord; of several machines all at the same moment
    ACT_START,
    ACT_START_SHUFFLED, // in random order, up to 3 s apart
    ACT_UNPLUG,         // the network cable
    ACT_PLUG,
    ACT_SUSPEND,
    ACT_RESUME,
    ACT_KILL_REDIS, // SIGKILL; its unit starts it again
    ACT_STOP_REDIS, // and it stays stopped
    ACT_START_REDIS,
    ACT_KILL_SENTINEL, // of several, one after the other: the next when it has converged
    ACT_RESTART_HAPROXY,
    ACT_CUT_PEERS, // no packet to the other workers; the head still reaches it
    ACT_JOIN_PEERS,
    ACT_BURN,      // keep all processors of the host busy
    ACT_REST,      // end ACT_BURN
    ACT_NEW_DISKS, // give all nodes new disks, start all but the first master
    // From here on waits, which change nothing.
    ACT_AWAIT_OFF,       // until the machine is off
    ACT_AWAIT_MASTER,    // until the sentinels name another master
    ACT_AWAIT_SERVING,   // until the machines that run have converged
    ACT_AWAIT_CONVERGED, // until all machines run and have converged
    ACT_WATCH,           // for ms
};

#define DRILL_BURN_MS 60000

struct drill_step {
    enum drill_act act;
    enum drill_whom whom;
    int64_t ms; // of ACT_WATCH; the limit of a wait (0: its default)
};

struct drill_scenario {
    struct drill_info info;
    const struct drill_step *steps;
    bool failover; // another master must be named
    bool steady;   // none may be
    bool closed;   // no write may be acknowledged from closed_ms until the first recovery
    struct drill_limits limits; // those in seconds
};

// As outage_s: until the sentinels have replaced the master. As lost_s: until a master without
// replicas accepts no more writes.
#define DRILL_BY_SPEC (-2.0)

// Completes the limits of a scenario with the settings of a cluster. Pure.
void drill_limits(const struct drill_scenario *scenario, const struct spec_redis *redis,
    struct drill_limits *ret);

const struct drill_scenario *drill_scenario(const char *name); // NULL when there is none

// Fills in limits, behaved, in_time and verdict from the measurements. Pure.
void drill_assess(const struct drill_scenario *scenario, const struct drill_limits *limits,
    unsigned writes_per_s, unsigned long long acked_while_closed, struct drill_result *result);

#endif
