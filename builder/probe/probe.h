// probe.h - the current state of redis, sentinel and haproxy: all nodes are queried at once, within
// one deadline. Changes nothing but the key `airbuild:probe`, written through the head. A node that
// does not answer is part of the result, with a short reason, and not a failure of the call.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_PROBE_H
#define AIRBUILD_PROBE_PROBE_H

#include "base/clock.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_REDIS_PORT 6379     // on workers
#define PROBE_SENTINEL_PORT 26379 // on workers
#define PROBE_WRITE_PORT 6380     // on the head: the master
#define PROBE_READ_PORT 6379      // on the head: the replicas
#define PROBE_KEY "airbuild:probe"

// Sizes of the texts below, with the NUL.
#define PROBE_ADDRESS 64
#define PROBE_RUN_ID 41
#define PROBE_TEXT 160
#define PROBE_PEERS 64      // sentinels, or replicas, one can know
#define PROBE_CLOCK_MS 1000 // by which a worker's clock may differ from the host's

struct probe_target {
    const char *name;    // node name, for sentences
    const char *address; // dotted IPv4
    bool head;           // haproxy, else a worker (redis and sentinel)
    bool running;        // its domain; false: not queried, and not awaited by probe_assess
};

struct probe_access {
    const char *user;        // "status"
    const char *password;    // NULL: no AUTH is sent
    const char *master_name; // sentinel's name of the group
};

enum probe_role { PROBE_ROLE_UNKNOWN, PROBE_MASTER, PROBE_REPLICA };

struct probe_redis {
    bool answered;          // it sent INFO; else error has the reason and the rest is empty
    char error[PROBE_TEXT]; // "connection refused", "no answer within 2000 ms", "WRONGPASS ..."
    bool loading;           // reads its data from disk
    enum probe_role role;
    char master[PROBE_ADDRESS]; // of a replica: the address of its master
    bool link_up, syncing;      // of a replica
    long long link_idle_s;      // of a replica: since its master last sent anything; -1: no link
    bool clock_known;   // it sent its time; on the disk of an older image the account may not ask
    long long clock_ms; // by which its clock is at least ahead of the host's, or behind (negative):
                        // without what the round trip can explain
    long long clock_asked_ms; // when TIME was sent, by the host's clock
    char run_id[PROBE_RUN_ID];
};

struct probe_sentinel {
    bool answered;
    char error[PROBE_TEXT];
    char master[PROBE_ADDRESS]; // the address it names as master; "" when it knows none
    unsigned other_sentinels;
    bool quorum_ok; // SENTINEL CKQUORUM: a failover can be authorized now
    char quorum_text[PROBE_TEXT];
    bool tilt; // its clock jumped; it watches but does not act for 30 s
    char peers[PROBE_PEERS][PROBE_ADDRESS]; // the other sentinels it knows
    unsigned peer_count;                    // of peers; 0 when it sent none
    struct probe_known {
        char address[PROBE_ADDRESS];
        bool down;        // it reports it as down or disconnected: it would not elect it
    } known[PROBE_PEERS]; // the replicas of that master it knows
    unsigned known_count; // of known
    bool replicas_known;  // it listed them; on the disk of an older image the account may not ask
};

struct probe_head {
    bool written;   // SET through PROBE_WRITE_PORT was acknowledged
    bool readable;  // GET through PROBE_READ_PORT was answered, whatever the value
    bool read_back; // GET through PROBE_READ_PORT returned what was written
    char write_error[PROBE_TEXT], read_error[PROBE_TEXT];
    char writer_id[PROBE_RUN_ID]; // run_id of the worker that answered at PROBE_WRITE_PORT
    int writer;                   // its index in the targets; -1 unknown
};

struct probe_result { // by target: redis and sentinel of a worker, head of a head
    struct probe_redis redis;
    struct probe_sentinel sentinel;
    struct probe_head head;
};

// Queries all targets at once. Returns when all have answered or failed, at the latest after
// deadline_ms (> 0). results: count items, overwritten. -1 only for ERR_INTERRUPTED.
int probe_cluster(const struct probe_target *targets, size_t count,
    const struct probe_access *access, int64_t deadline_ms, struct probe_result *results,
    struct error *err);

struct probe_verdict {
    bool converged;
    int master; // index of the worker that reports role:master and that a quorum names, or -1
    char awaited[512]; // "" when converged, else the first unmet condition:
                       // "sentinel on 'work12' does not answer: connection refused"
};

// Converged: all running sentinels, at least quorum of them, name one master; it reports
// role:master; every other running worker replicates it with its link up; what was written through
// the head was read back; each running sentinel knows all other running ones and no address that is
// not a worker's, reports no running replica as down, is not in TILT, and reports that a failover
// can be authorized; the clock of each worker, where known, is within PROBE_CLOCK_MS of the host's.
// Pure.
void probe_assess(const struct probe_target *targets, const struct probe_result *results,
    size_t count, unsigned quorum, struct probe_verdict *ret);

const char *probe_role_name(enum probe_role role); // "unknown", "master", "replica"

#endif
