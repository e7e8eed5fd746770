// query.h - the questions asked over one connection of a probe, and the handlers of their replies.
// query_... begins one; probe.c then advances all of them at once. Internal to probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_QUERY_H
#define AIRBUILD_PROBE_QUERY_H

#include "probe/resp.h"

#include <stdint.h>

// Over once each question has its reply and no wake is due.
struct query {
    struct resp_conn conn;
    // Called with every reply; index: of its question, from 0. It may ask more.
    void (*on_reply)(struct query *query, unsigned index, const redisReply *reply);
    void (*wake)(struct query *query);
    int64_t wake_at; // when to call wake, as clock_ms counts; 0: never
    void *result;    // for on_reply and wake
    char *error;     // PROBE_TEXT bytes of the result, for conn.error at the end; NULL: unused
    const struct query *write; // of a read through the head: the write of the same token
    char token[33];            // likewise; new for every probe
};

// result starts zeroed and outlives the query.
void query_redis(struct query *query, const char *address, const struct probe_access *access,
    struct probe_redis *result);
void query_sentinel(struct query *query, const char *address, const struct probe_access *access,
    struct probe_sentinel *result);

void query_head(struct query *write, struct query *read, const char *address,
    const struct probe_access *access, struct probe_head *result);

#endif
