// query.c - the questions to redis, sentinel and haproxy, and what their replies mean.
// SPDX-License-Identifier: Apache-2.0
#include "probe/query.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define READ_AGAIN_MS 5 // replication takes about that long

// Returns the reply's text, "" when it has none.
static const char *
text_of(const redisReply *reply)
{
    return reply != NULL && reply->str != NULL ? reply->str : "";
}

// ---- INFO: lines "name:value" --------------------------------------------------------------------

// Copies the value of the first line "name:..." into ret, cut to size, printable; "" when there is
// none. Returns whether there is one.
static bool
info_text(const char *info, const char *name, char *ret, size_t size)
{
    FREE_AUTO char *begin = str_format("%s:", name);
    const char *line = info;
    while (line != NULL && !str_starts(line, begin)) {
        const char *newline = strchr(line, '\n');
        line = newline == NULL ? NULL : newline + 1;
    }
    const char *value = line == NULL ? NULL : line + strlen(begin);
    size_t length = value == NULL ? 0 : strcspn(value, "\r\n");
    resp_copy_text(ret, length < size ? length + 1 : size, value);
    return value != NULL;
}

// Returns the value as a number; otherwise when it is absent or not a number.
static long long
info_number(const char *info, const char *name, long long otherwise)
{
    char text[32];
    if (!info_text(info, name, text, sizeof text))
        return otherwise;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return end == text || *end != '\0' || errno != 0 ? otherwise : number;
}

// ---- redis: INFO, which it answers even while it loads its data, and TIME ------------------------

// In the order of the questions.
enum redis_question { ASK_INFO, ASK_TIME };

static void
parse_redis_info(const char *info, struct probe_redis *ret)
{
    char role[16], link[16];
    info_text(info, "role", role, sizeof role);
    ret->role = str_equal(role, "master")  ? PROBE_MASTER
                : str_equal(role, "slave") ? PROBE_REPLICA
                                           : PROBE_ROLE_UNKNOWN;
    ret->loading = info_number(info, "loading", 0) != 0;
    info_text(info, "run_id", ret->run_id, sizeof ret->run_id);
    ret->link_idle_s = -1;
    if (ret->role != PROBE_REPLICA)
        return;
    info_text(info, "master_host", ret->master, sizeof ret->master);
    info_text(info, "master_link_status", link, sizeof link);
    ret->link_up = str_equal(link, "up");
    ret->syncing = info_number(info, "master_sync_in_progress", 0) != 0;
    if (ret->link_up)
        ret->link_idle_s = info_number(info, "master_last_io_seconds_ago", -1);
}

static void
on_redis_reply(struct query *query, unsigned index, const redisReply *reply)
{
    struct probe_redis *redis = query->result;
    if (index == ASK_TIME) {
        long long now = clock_wall_ms(), asked = redis->clock_asked_ms;
        unsigned long long seconds, micros;
        // The reply is seconds and microseconds, read at an unknown time between question and
        // reply. What that time can explain is not counted.
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
            !str_to_u64(text_of(reply->element[0]), INT32_MAX * 1000ULL, &seconds) ||
            !str_to_u64(text_of(reply->element[1]), 999999, &micros))
            return;
        long long theirs = (long long) (seconds * 1000 + micros / 1000);
        redis->clock_known = true;
        redis->clock_ms = theirs > now ? theirs - now : theirs < asked ? theirs - asked : 0;
    } else if (reply->type == REDIS_REPLY_ERROR) {
        resp_fail_reply(&query->conn, reply);
    } else if (reply->type != REDIS_REPLY_STRING) {
        resp_fail(&query->conn, "its reply to INFO is not a text");
    } else {
        parse_redis_info(reply->str, redis);
        redis->clock_asked_ms = clock_wall_ms();
        resp_ask(&query->conn, "TIME");
    }
}

void
query_redis(struct query *query, const char *address, const struct probe_access *access,
    struct probe_redis *result)
{
    *query = (struct query){.on_reply = on_redis_reply, .result = result, .error = result->error};
    resp_open(&query->conn, address, PROBE_REDIS_PORT, access);
    resp_ask(&query->conn, "INFO");
}

// ---- sentinel: the master it names, the nodes it knows, whether a failover could pass -------------

// In the order of the questions.
enum sentinel_question { ASK_ADDRESS, ASK_MASTER, ASK_PEERS, ASK_REPLICAS, ASK_QUORUM, ASK_TILT };

// Returns the value of that name in a flat list of names and values, "" when there is none.
static const char *
field_of(const redisReply *list, const char *name)
{
    for (size_t i = 0; list->type == REDIS_REPLY_ARRAY && i + 1 < list->elements; i += 2)
        if (str_equal(text_of(list->element[i]), name))
            return text_of(list->element[i + 1]);
    return "";
}

// Flags are "slave" or "slave,s_down,disconnected". Sentinel does not elect a replica that is down
// or disconnected (sentinelSelectSlave).
static void
on_replicas(struct probe_sentinel *sentinel, const redisReply *reply)
{
    sentinel->replicas_known = reply->type == REDIS_REPLY_ARRAY;
    for (size_t i = 0; sentinel->replicas_known && i < reply->elements && i < PROBE_PEERS; i++) {
        struct probe_known *known = &sentinel->known[sentinel->known_count++];
        const char *flags = field_of(reply->element[i], "flags");
        resp_copy_text(known->address, sizeof known->address, field_of(reply->element[i], "ip"));
        known->down = strstr(flags, "_down") != NULL || strstr(flags, "disconnected") != NULL;
    }
}

static void
on_sentinel_reply(struct query *query, unsigned index, const redisReply *reply)
{
    struct probe_sentinel *sentinel = query->result;
    unsigned long long number = 0;
    switch ((enum sentinel_question) index) {
    case ASK_ADDRESS:
        // When it does not know the master, it answers nil, and an error to the next questions:
        // that is not a failure of the query.
        if (reply->type == REDIS_REPLY_ERROR)
            resp_fail_reply(&query->conn, reply);
        else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
            resp_copy_text(sentinel->master, sizeof sentinel->master, text_of(reply->element[0]));
        else if (reply->type != REDIS_REPLY_NIL && reply->type != REDIS_REPLY_ARRAY)
            resp_fail(&query->conn, "its reply is not one of sentinel");
        break;
    case ASK_MASTER:
        if (str_to_u64(field_of(reply, "num-other-sentinels"), UINT16_MAX, &number))
            sentinel->other_sentinels = (unsigned) number;
        break;
    case ASK_PEERS: // a list of such lists, one for each other sentinel
        for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
            const char *address = field_of(reply->element[i], "ip");
            if (*address != '\0' && sentinel->peer_count < PROBE_PEERS)
                resp_copy_text(sentinel->peers[sentinel->peer_count++], PROBE_ADDRESS, address);
        }
        break;
    case ASK_REPLICAS:
        on_replicas(sentinel, reply);
        break;
    case ASK_QUORUM:
        sentinel->quorum_ok = reply->type == REDIS_REPLY_STATUS;
        resp_copy_text(sentinel->quorum_text, sizeof sentinel->quorum_text, text_of(reply));
        break;
    case ASK_TILT:
        sentinel->tilt = info_number(text_of(reply), "sentinel_tilt", 0) != 0;
        break;
    }
}

void
query_sentinel(struct query *query, const char *address, const struct probe_access *access,
    struct probe_sentinel *result)
{
    *query =
        (struct query){.on_reply = on_sentinel_reply, .result = result, .error = result->error};
    resp_open(&query->conn, address, PROBE_SENTINEL_PORT, access);
    resp_ask(&query->conn, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", access->master_name);
    resp_ask(&query->conn, "SENTINEL", "MASTER", access->master_name);
    resp_ask(&query->conn, "SENTINEL", "SENTINELS", access->master_name);
    resp_ask(&query->conn, "SENTINEL", "REPLICAS", access->master_name);
    resp_ask(&query->conn, "SENTINEL", "CKQUORUM", access->master_name);
    resp_ask(&query->conn, "INFO", "sentinel");
}

// ---- head: a fresh token, written through one port and read back through the other ----------------

static void
on_write_reply(struct query *query, unsigned index, const redisReply *reply)
{
    struct probe_head *head = query->result;
    if (reply->type == REDIS_REPLY_ERROR)
        resp_fail_reply(&query->conn, reply);
    else if (index > 0 && reply->type == REDIS_REPLY_STATUS)
        head->written = true;
    else if (index > 0)
        resp_fail(&query->conn, "its reply is not one of redis");
    else if (reply->type == REDIS_REPLY_STRING)
        info_text(reply->str, "run_id", head->writer_id, PROBE_RUN_ID);
}

static void
on_read_reply(struct query *query, unsigned index, const redisReply *reply)
{
    (void) index;
    struct probe_head *head = query->result;
    if (reply->type == REDIS_REPLY_ERROR) {
        resp_fail_reply(&query->conn, reply);
        return;
    }
    head->readable = true;
    head->read_back = reply->type == REDIS_REPLY_STRING && str_equal(reply->str, query->token);
    query->wake_at = head->read_back ? 0 : clock_ms() + READ_AGAIN_MS;
}

// Reads again once the token is written; stops when the write failed.
static void
read_again(struct query *query)
{
    const struct probe_head *head = query->result;
    if (head->written)
        resp_ask(&query->conn, "GET", PROBE_KEY);
    else if (!resp_is_closed(&query->write->conn))
        query->wake_at = clock_ms() + READ_AGAIN_MS;
}

void
query_head(struct query *write, struct query *read, const char *address,
    const struct probe_access *access, struct probe_head *result)
{
    FREE_AUTO char *token = random_hex(sizeof read->token - 1);
    *write =
        (struct query){.on_reply = on_write_reply, .result = result, .error = result->write_error};
    resp_open(&write->conn, address, PROBE_WRITE_PORT, access);
    resp_ask(&write->conn, "INFO", "server");
    resp_ask(&write->conn, "SET", PROBE_KEY, token, "EX", "60");

    *read = (struct query){.on_reply = on_read_reply,
        .wake = read_again,
        .result = result,
        .error = result->read_error,
        .write = write};
    memcpy(read->token, token, sizeof read->token);
    resp_open(&read->conn, address, PROBE_READ_PORT, access);
    resp_ask(&read->conn, "GET", PROBE_KEY);
}
