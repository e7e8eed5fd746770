// redis.c - what a worker's redis says of itself: INFO, which it answers even while it loads its
// data; and its clock.
// SPDX-License-Identifier: Apache-2.0
#include "probe/ask.h"
#include "probe/info.h"

#include "base/clock.h"

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
read_replica(const char *info, struct probe_redis *ret)
{
    char link[16];
    info_text(info, "master_host", ret->master, sizeof ret->master);
    info_text(info, "master_link_status", link, sizeof link);
    ret->link_up = str_equal(link, "up");
    ret->syncing = info_number(info, "master_sync_in_progress", 0) != 0;
    ret->link_idle_s = ret->link_up ? info_number(info, "master_last_io_seconds_ago", -1) : -1;
    ret->offset = info_number(info, "slave_repl_offset", 0);
}

static void
read_master(const char *info, struct probe_redis *ret)
{
    long long replicas = info_number(info, "connected_slaves", 0);
    ret->replica_count = replicas < 0 || replicas > UINT16_MAX ? 0 : (unsigned) replicas;
    ret->offset = info_number(info, "master_repl_offset", 0);
}

// Valkey tells redis' version for old clients, and its own under its own name.
static void
read_engine(const char *info, struct probe_redis *ret)
{
    if (!info_text(info, "server_name", ret->engine, sizeof ret->engine))
        wire_copy(ret->engine, sizeof ret->engine, "redis");
    if (!info_text(info, "valkey_version", ret->version, sizeof ret->version))
        info_text(info, "redis_version", ret->version, sizeof ret->version);
}

static void
parse_redis_info(const char *info, struct probe_redis *ret)
{
    ret->role = parse_role(info);
    ret->loading = info_number(info, "loading", 0) != 0;
    ret->uptime_s = info_number(info, "uptime_in_seconds", 0);
    info_text(info, "run_id", ret->run_id, sizeof ret->run_id);
    read_engine(info, ret);
    ret->link_idle_s = -1;
    if (ret->role == PROBE_REPLICA)
        read_replica(info, ret);
    else
        read_master(info, ret);
}

static void
on_redis_info(struct talk *talk, const redisReply *reply)
{
    struct probe_redis *redis = talk->result;
    if (reply->type == REDIS_REPLY_ERROR) {
        wire_refused(&talk->wire, reply);
    } else if (reply->type != REDIS_REPLY_STRING) {
        wire_fail(&talk->wire, "it answers INFO with no text");
    } else {
        parse_redis_info(reply->str, redis);
        redis->clock_asked_ms = clock_wall_ms();
        talk_ask(talk, "TIME");
    }
}

// Seconds and microseconds. It was read between question and answer, nobody knows when.
static void
hear_time(struct talk *talk, const redisReply *reply)
{
    struct probe_redis *redis = talk->result;
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
on_redis_reply(struct talk *talk, unsigned index, const redisReply *reply)
{
    if (index == ASK_INFO)
        on_redis_info(talk, reply);
    else
        hear_time(talk, reply);
}

void
ask_redis(struct talk *talk, const char *address, const struct probe_access *access,
    struct probe_redis *result)
{
    *talk = (struct talk){.hear = on_redis_reply, .result = result};
    talk_open(talk, address, PROBE_REDIS_PORT, access);
    talk_ask(talk, "INFO");
}

void
ask_redis_end(const struct talk *talk)
{
    struct probe_redis *redis = talk->result;
    redis->answered = talk->wire.error[0] == '\0';
    wire_copy(redis->error, sizeof redis->error, talk->wire.error);
}
