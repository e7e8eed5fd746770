// probe.h - what redis, sentinel and haproxy say of themselves right now, all nodes asked at once
// within one deadline. It changes nothing but the key `airbuild:probe`, written through the head.
// What cannot be learnt is part of the result, as short text; it is never a failure of the call.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_PROBE_H
#define AIRBUILD_PROBE_PROBE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_REDIS_PORT 6379     // on workers
#define PROBE_SENTINEL_PORT 26379 // on workers
#define PROBE_WRITE_PORT 6380     // on the head: the master
#define PROBE_READ_PORT 6379      // on the head: the replicas
#define PROBE_KEY "airbuild:probe"

// Room of the texts below, with the NUL.
#define PROBE_ADDRESS 64
#define PROBE_RUN_ID 41
#define PROBE_TEXT 160
#define PROBE_PEERS 64      // sentinels, or replicas, one can know
#define PROBE_CLOCK_MS 1000 // a worker's clock may differ so much from the host's

struct probe_target {
    const char *name;    // node name, for sentences
    const char *address; // dotted IPv4
    bool head;           // haproxy, else a worker (redis and sentinel)
    bool running; // its machine runs; false: it is not asked, and not awaited by probe_assess
};

struct probe_access {
    const char *user;        // "status"
    const char *password;    // NULL: no AUTH is sent
    const char *master_name; // sentinel's name of the group
};

enum probe_role { PROBE_ROLE_UNKNOWN, PROBE_MASTER, PROBE_REPLICA };

struct probe_redis {
    bool answered;          // INFO came; else error says why and the rest is empty
    char error[PROBE_TEXT]; // "connection refused", "no answer within 2000 ms", "WRONGPASS ..."
    bool loading;           // reads its data from disk
    enum probe_role role;
    char master[PROBE_ADDRESS]; // of a replica: whom it follows
    bool link_up, syncing;      // of a replica
    long long link_idle_s; // of a replica: since its master last spoke; -1 when there is no link
    bool clock_known; // it told its time; the account of a disk made by an older image may not ask
    long long clock_ms; // how far its clock is surely ahead of the host's, or behind (negative):
                        // what the way of question and answer may explain is not counted
    long long clock_asked_ms; // by the host's clock
    char run_id[PROBE_RUN_ID];
};

struct probe_sentinel {
    bool answered;
    char error[PROBE_TEXT];
    char master[PROBE_ADDRESS]; // the address it names as master; "" when it knows none
    unsigned other_sentinels;
    bool quorum_ok; // SENTINEL CKQUORUM: a failover could be authorized now
    char quorum_text[PROBE_TEXT];
    bool tilt; // its clock jumped; it watches but does not act for 30 s
    char peers[PROBE_PEERS][PROBE_ADDRESS]; // the other sentinels it knows
    unsigned peer_count;                    // of peers; 0 when it did not tell
    struct probe_known {
        char address[PROBE_ADDRESS];
        bool down;        // it takes it for down, or has no link to it: it would not elect it
    } known[PROBE_PEERS]; // the replicas of that master it knows
    unsigned known_count; // of known
    bool known_told;      // it said which it knows; an older account may not ask
};

struct probe_head {
    bool written;   // SET through PROBE_WRITE_PORT was acknowledged
    bool readable;  // GET through PROBE_READ_PORT was answered, whatever the value
    bool read_back; // GET through PROBE_READ_PORT gave what was written
    char write_error[PROBE_TEXT], read_error[PROBE_TEXT];
    char writer_id[PROBE_RUN_ID]; // run_id of the worker that answered at PROBE_WRITE_PORT
    int writer;                   // its index in the targets; -1 unknown
};

struct probe_result { // by target: redis and sentinel of a worker, head of a head
    struct probe_redis redis;
    struct probe_sentinel sentinel;
    struct probe_head head;
};

// Ask all targets at once. Comes back when all have answered or failed, at the latest after
// deadline_ms (> 0). results: count items, overwritten. -1 only when interrupted (ERR_INTERRUPTED).
int probe_cluster(const struct probe_target *targets, size_t count,
    const struct probe_access *access, int64_t deadline_ms, struct probe_result *results,
    struct error *err);

struct probe_verdict {
    bool converged;
    int master;        // index of the worker that says role:master and that a quorum names; -1 none
    char awaited[512]; // "" when converged, else what is not so yet:
                       // "sentinel on 'work12' does not answer: connection refused"
};

// Converged: all running sentinels, at least quorum of them, name one master; it says role:master;
// every other running worker follows it with its link up; what was written through the head was
// read back; each running sentinel knows all others that run and none that is no worker, takes no
// replica that runs for down, is not in TILT, and says that a failover could be authorized; the
// clock of each worker that tells it is within PROBE_CLOCK_MS of the host's. Pure.
void probe_assess(const struct probe_target *targets, const struct probe_result *results,
    size_t count, unsigned quorum, struct probe_verdict *ret);

const char *probe_role_name(enum probe_role role); // "unknown", "master", "replica"

#endif
