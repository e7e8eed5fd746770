// load_state.h - the inside of a load, shared by load.c, which runs it, and load_verify.c, which
// asks what became of it. Internal to probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_LOAD_STATE_H
#define AIRBUILD_PROBE_LOAD_STATE_H

#include "probe/load.h"
#include "probe/resp.h"

#include <pthread.h>
#include <stdatomic.h>

struct load_client { // one thread; its fields are the thread's own until it is joined
    struct load *load;
    bool writes; // else it reads
    unsigned port, per_s;
    pthread_t thread;
    bool running;
    struct resp_conn conn; // closed between two connections
    unsigned next;         // number of the next write
    int64_t due_us;        // when to send next, in microseconds as clock_ms counts
    int64_t open_ms;       // when to connect next
    struct load_sample *samples;
    size_t count, capacity, ended; // those from ended on are under way, oldest first
};

struct load {
    char *address, *prefix;
    char *user, *password; // of access
    struct probe_access access;
    int64_t answer_ms, reconnect_ms;
    int stop; // eventfd: readable when both are to end; stays so
    atomic_ullong acked;
    _Atomic int64_t acked_ms;
    atomic_uint latest; // number of the last acknowledged write; 0: none yet
    struct load_client writer, reader;
};

char *load_key(const struct load *load, unsigned number); // caller frees

#endif
