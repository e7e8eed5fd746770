// query.h - what is asked over one connection of a probe, and who takes the replies. Each is begun
// by query_..., then probe.c carries on with all of them at once. Internal to probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_QUERY_H
#define AIRBUILD_PROBE_QUERY_H

#include "probe/resp.h"

#include <stdint.h>

// It is over when each question has its reply, unless it waits to be woken.
struct query {
    struct resp_conn conn;
    // Called with every reply, index counting from 0 in the order asked. It may ask more.
    void (*on_reply)(struct query *query, unsigned index, const redisReply *reply);
    void (*wake)(struct query *query);
    int64_t wake_at; // call wake then, as clock_ms counts; 0: never
    void *result;    // on_reply's and wake's own
    char *error;     // of the result, PROBE_TEXT bytes: receives conn.error in the end
};

// result starts zeroed and outlives the query.
void query_redis(struct query *query, const char *address, const struct probe_access *access,
    struct probe_redis *result);
void query_sentinel(struct query *query, const char *address, const struct probe_access *access,
    struct probe_sentinel *result);

struct head_query { // two queries with one aim
    struct query write, read;
    struct probe_head *result;
    char token[33]; // written, fresh for every probe
};
void query_head(struct head_query *head, const char *address, const struct probe_access *access,
    struct probe_head *result);

#endif
