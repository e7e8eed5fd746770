// scenario.c - the scenarios, each a list of steps and its limits. drill_limits() fills in limits
// that depend on the spec. No scenario gives a node a new seed: a node reads its seed at its first
// boot alone, so such a drill could not fail.
// SPDX-License-Identifier: Apache-2.0
#include "drill/scenario.h"

#include "base/str.h"

// MEASURE precedes the act that the figures are counted from.
#define STEPS(...) ((const struct drill_step[]){__VA_ARGS__, {ACT_END, WHOM_NONE, 0}})
#define WATCH(milliseconds)                  \
    {                                        \
        ACT_WATCH, WHOM_NONE, (milliseconds) \
    }
#define DO(act, whom)    \
    {                    \
        (act), (whom), 0 \
    }
#define MEASURE DO(ACT_MEASURE, WHOM_NONE)
#define CONVERGE DO(ACT_AWAIT_CONVERGED, WHOM_NONE)
#define NO_LIMIT (-1.0)
// The head detects a lost replica when two checks have failed (1.3 s at most); a reader that was
// sent there needs a moment more.
#define READS_S 2

// Limits that several scenarios share.
#define STEADY .steady = true, .limits.pause_s = 0.1
#define RESTORED \
    .limits.outage_s = DRILL_BY_SPEC, .limits.pause_s = NO_LIMIT, .limits.read_outage_s = READS_S
#define FAILOVER .failover = true, RESTORED
#define NO_LIMITS \
    .limits.outage_s = NO_LIMIT, .limits.pause_s = NO_LIMIT, .limits.read_outage_s = NO_LIMIT

static const struct drill_scenario scenarios[] = {
    {.info = {"replica-shutdown", "a replica's machine is shut down", "no write gap, 0 lost",
         false},
        STEADY,
        .limits.read_outage_s = 1,
        .steps = STEPS(MEASURE, DO(ACT_PRESS, WHOM_REPLICA), DO(ACT_AWAIT_OFF, WHOM_REPLICA),
            WATCH(5000), DO(ACT_START, WHOM_REPLICA), CONVERGE)},
    {.info = {"replica-off", "the power of a replica's machine is pulled", "no write gap, 0 lost",
         false},
        STEADY,
        .limits.read_outage_s = READS_S,
        .steps = STEPS(MEASURE, DO(ACT_PULL, WHOM_REPLICA), WATCH(8000),
            DO(ACT_START, WHOM_REPLICA), CONVERGE)},
    {.info = {"replica-return", "a replica's machine that is off is started",
         "no write gap, it serves reads again, 0 lost", false},
        STEADY,
        .steps = STEPS(DO(ACT_PULL, WHOM_REPLICA), WATCH(8000), MEASURE,
            DO(ACT_START, WHOM_REPLICA), CONVERGE, WATCH(3000))},
    {.info = {"master-kill", "redis is killed (SIGKILL) on the master",
         "service restored by restart or failover, 0 lost", false},
        RESTORED,
        .steps = STEPS(MEASURE, DO(ACT_KILL_REDIS, WHOM_MASTER), WATCH(8000), CONVERGE)},
    {.info = {"master-stop", "redis is stopped on the master and stays stopped", "failover, 0 lost",
         false},
        FAILOVER,
        .steps = STEPS(MEASURE, DO(ACT_STOP_REDIS, WHOM_MASTER), DO(ACT_AWAIT_MASTER, WHOM_NONE),
            WATCH(3000), DO(ACT_START_REDIS, WHOM_MASTER), CONVERGE)},
    {.info = {"master-shutdown", "the master's machine is shut down", "failover, 0 lost", false},
        FAILOVER,
        .steps = STEPS(MEASURE, DO(ACT_PRESS, WHOM_MASTER), DO(ACT_AWAIT_OFF, WHOM_MASTER),
            DO(ACT_AWAIT_MASTER, WHOM_NONE), WATCH(3000), DO(ACT_START, WHOM_MASTER), CONVERGE)},
    {.info = {"master-off", "the power of the master's machine is pulled",
         "failover, writes restored within down-after and 4 s, 0 lost", false},
        FAILOVER,
        .steps = STEPS(MEASURE, DO(ACT_PULL, WHOM_MASTER), DO(ACT_AWAIT_MASTER, WHOM_NONE),
            WATCH(5000), DO(ACT_START, WHOM_MASTER), CONVERGE)},
    {.info = {"master-return", "the old master's machine comes back after a failover",
         "it never takes a write as master, no write gap, 0 lost", false},
        .limits.pause_s = 0.5,
        .steps = STEPS(DO(ACT_PULL, WHOM_MASTER), DO(ACT_AWAIT_MASTER, WHOM_NONE), WATCH(8000),
            MEASURE, DO(ACT_START, WHOM_MASTER), CONVERGE, WATCH(12000))},
    {.info = {"master-cut", "the network cable of the master is pulled, later plugged in again",
         "failover, then nothing acknowledged by the old master, 0 lost", false},
        FAILOVER,
        .steps = STEPS(MEASURE, DO(ACT_UNPLUG, WHOM_MASTER), DO(ACT_AWAIT_MASTER, WHOM_NONE),
            WATCH(8000), DO(ACT_PLUG, WHOM_MASTER), CONVERGE)},
    {.info = {"master-half-cut", "the master loses the other workers but not the head",
         "failover, sessions to it cut, writes of at most min-replicas-max-lag and 2 s lost",
         false},
        .failover = true,
        .limits.outage_s = NO_LIMIT,
        .limits.pause_s = NO_LIMIT,
        .limits.lost_s = DRILL_BY_SPEC,
        .limits.read_outage_s = READS_S,
        .steps = STEPS(MEASURE, DO(ACT_CUT_PEERS, WHOM_MASTER), DO(ACT_AWAIT_MASTER, WHOM_NONE),
            WATCH(15000), DO(ACT_JOIN_PEERS, WHOM_MASTER), CONVERGE)},
    {.info = {"sentinel-kill", "sentinel is killed on each worker in turn",
         "clients notice nothing", false},
        STEADY,
        .steps = STEPS(MEASURE, DO(ACT_KILL_SENTINEL, WHOM_WORKERS), CONVERGE)},
    {.info = {"head-restart", "haproxy is restarted, then its machine is rebooted",
         "writes restored with the head, 0 lost", false},
        NO_LIMITS,
        .steps = STEPS(MEASURE, DO(ACT_RESTART_HAPROXY, WHOM_HEAD), WATCH(5000), CONVERGE,
            DO(ACT_PULL, WHOM_HEAD), DO(ACT_START, WHOM_HEAD), CONVERGE)},
    {.info = {"all-off", "the power of all machines is pulled; they start in random order",
         "it converges, at most the last second before is lost", false},
        NO_LIMITS,
        .limits.lost_s = 1,
        .steps = STEPS(MEASURE, DO(ACT_PULL, WHOM_ALL), WATCH(2000),
            DO(ACT_START_SHUFFLED, WHOM_ALL), CONVERGE)},
    {.info = {"cold-without-first", "the very first boot, without the configured first master",
         "the others elect one and serve; the first joins later", true},
        NO_LIMITS,
        .steps = STEPS(MEASURE, DO(ACT_NEW_DISKS, WHOM_NONE), DO(ACT_AWAIT_SERVING, WHOM_NONE),
            WATCH(5000), DO(ACT_START, WHOM_FIRST), CONVERGE)},
    {.info = {"pause", "the master's machine is paused for 10 s", "it recovers by itself, 0 lost",
         false},
        RESTORED,
        .steps = STEPS(MEASURE, DO(ACT_SUSPEND, WHOM_MASTER), WATCH(10000),
            DO(ACT_RESUME, WHOM_MASTER), WATCH(5000), CONVERGE)},
    {.info = {"two-down", "the power of two workers is pulled; later they start",
         "no write is acknowledged while a majority is away, 0 lost", false},
        NO_LIMITS,
        .closed = true,
        .steps = STEPS(MEASURE, DO(ACT_PULL, WHOM_REPLICAS), WATCH(15000),
            DO(ACT_START, WHOM_REPLICAS), CONVERGE)},
    {.info = {"busy-host", "all processors of the host are busy for a minute",
         "no write outage, no failover, 0 lost", false},
        .steady = true,
        .limits.outage_s = 1,
        .limits.pause_s = NO_LIMIT,
        .limits.read_outage_s = READS_S,
        .steps = STEPS(MEASURE, DO(ACT_BURN, WHOM_NONE), WATCH(DRILL_BURN_MS),
            DO(ACT_REST, WHOM_NONE), CONVERGE)},
};
#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

const struct drill_scenario *
drill_scenario(const char *name)
{
    for (size_t i = 0; i < SCENARIOS; i++)
        if (str_equal(scenarios[i].info.name, name))
            return &scenarios[i];
    return NULL;
}

const struct drill_info *
drill_find(const char *name)
{
    const struct drill_scenario *scenario = drill_scenario(name);
    return scenario != NULL ? &scenario->info : NULL;
}

const struct drill_info *
drill_at(size_t index)
{
    return index < SCENARIOS ? &scenarios[index].info : NULL;
}
