// redis.c - what a worker's redis says of itself: INFO, which it answers even while it loads its
// data; and its clock.
// SPDX-License-Identifier: Apache-2.0
#include "probe/info.h"
#include "probe/query.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>

// In the order they are asked.
enum redis_question { ASK_INFO, ASK_TIME };

static enum probe_role
parse_role(const char *info)
{
    char text[16];
    info_text(info, "role", text, sizeof text);
    if (str_equal(text, "master"))
        return PROBE_MASTER;
    return str_equal(text, "slave") ? PROBE_REPLICA : PROBE_ROLE_UNKNOWN;
}

static void
parse_replica(const char *info, struct probe_redis *ret)
{
    char link[16];
    info_text(info, "master_host", ret->master, sizeof ret->master);
    info_text(info, "master_link_status", link, sizeof link);
    ret->link_up = str_equal(link, "up");
    ret->syncing = info_number(info, "master_sync_in_progress", 0) != 0;
    ret->link_idle_s = ret->link_up ? info_number(info, "master_last_io_seconds_ago", -1) : -1;
}

static void
parse_redis_info(const char *info, struct probe_redis *ret)
{
    ret->role = parse_role(info);
    ret->loading = info_number(info, "loading", 0) != 0;
    info_text(info, "run_id", ret->run_id, sizeof ret->run_id);
    ret->link_idle_s = -1;
    if (ret->role == PROBE_REPLICA)
        parse_replica(info, ret);
}

static void
on_redis_info(struct query *query, const redisReply *reply)
{
    struct probe_redis *redis = query->result;
    if (reply->type == REDIS_REPLY_ERROR) {
        resp_fail_reply(&query->conn, reply);
    } else if (reply->type != REDIS_REPLY_STRING) {
        resp_fail(&query->conn, "it answers INFO with no text");
    } else {
        parse_redis_info(reply->str, redis);
        redis->clock_asked_ms = clock_wall_ms();
        resp_ask(&query->conn, "TIME");
    }
}

// Seconds and microseconds. It was read between question and answer, nobody knows when.
static void
on_time(struct query *query, const redisReply *reply)
{
    struct probe_redis *redis = query->result;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->str == NULL || reply->element[1]->str == NULL)
        return;
    long long heard = clock_wall_ms();
    unsigned long long seconds, micros;
    if (!str_to_u64(reply->element[0]->str, INT32_MAX * 1000ULL, &seconds) ||
        !str_to_u64(reply->element[1]->str, 999999, &micros))
        return;
    long long told = (long long) (seconds * 1000 + micros / 1000);
    redis->clock_known = true;
    redis->clock_ms = told > heard                   ? told - heard
                      : told < redis->clock_asked_ms ? told - redis->clock_asked_ms
                                                     : 0;
}

static void
on_redis_reply(struct query *query, unsigned index, const redisReply *reply)
{
    if (index == ASK_INFO)
        on_redis_info(query, reply);
    else
        on_time(query, reply);
}

void
query_redis(struct query *query, const char *address, const struct probe_access *access,
    struct probe_redis *result)
{
    *query = (struct query){.on_reply = on_redis_reply, .result = result, .error = result->error};
    resp_open(&query->conn, address, PROBE_REDIS_PORT, access);
    resp_ask(&query->conn, "INFO");
}
