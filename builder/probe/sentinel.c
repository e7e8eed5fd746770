// sentinel.c - what a worker's sentinel says: whom it names master, whom it knows, whether a
// failover could pass.
// SPDX-License-Identifier: Apache-2.0
#include "probe/info.h"
#include "probe/query.h"

#include "base/str.h"

#include <string.h>

// In the order they are asked.
enum sentinel_question { ASK_ADDRESS, ASK_MASTER, ASK_PEERS, ASK_REPLICAS, ASK_QUORUM, ASK_INFO };

// reply as a text, "" when it is none.
static const char *
text_of(const redisReply *reply)
{
    return reply != NULL && reply->str != NULL ? reply->str : "";
}

// A master that it does not know is no failure: it answers nil, and an error to the questions that
// follow.
static void
on_address(struct query *query, const redisReply *reply)
{
    struct probe_sentinel *sentinel = query->result;
    if (reply->type == REDIS_REPLY_ERROR)
        resp_fail_reply(&query->conn, reply);
    else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
        resp_copy_text(sentinel->master, sizeof sentinel->master, text_of(reply->element[0]));
    else if (reply->type != REDIS_REPLY_NIL && reply->type != REDIS_REPLY_ARRAY)
        resp_fail(&query->conn, "it does not answer as sentinel does");
}

static unsigned
number_of(const char *text)
{
    unsigned long long number = 0;
    return str_to_u64(text, UINT16_MAX, &number) ? (unsigned) number : 0;
}

// A flat list of names and values.
static void
on_master(struct query *query, const redisReply *reply)
{
    struct probe_sentinel *sentinel = query->result;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
        const char *name = text_of(reply->element[i]), *value = text_of(reply->element[i + 1]);
        if (str_equal(name, "num-other-sentinels"))
            sentinel->other_sentinels = number_of(value);
    }
}

// A list of such lists, one a sentinel.
static void
on_peers(struct query *query, const redisReply *reply)
{
    struct probe_sentinel *sentinel = query->result;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        const redisReply *peer = reply->element[i];
        for (size_t k = 0; peer->type == REDIS_REPLY_ARRAY && k + 1 < peer->elements; k += 2)
            if (str_equal(text_of(peer->element[k]), "ip") && sentinel->peer_count < PROBE_PEERS)
                resp_copy_text(sentinel->peers[sentinel->peer_count++], PROBE_ADDRESS,
                    text_of(peer->element[k + 1]));
    }
}

// A replica's flags: "slave", "slave,s_down,disconnected". Sentinel elects none that is down or has
// no link (sentinelSelectSlave).
static void
parse_known_replica(const redisReply *reply, struct probe_known *known)
{
    for (size_t k = 0; reply->type == REDIS_REPLY_ARRAY && k + 1 < reply->elements; k += 2) {
        const char *name = text_of(reply->element[k]), *value = text_of(reply->element[k + 1]);
        if (str_equal(name, "ip"))
            resp_copy_text(known->address, sizeof known->address, value);
        else if (str_equal(name, "flags"))
            known->down = strstr(value, "_down") != NULL || strstr(value, "disconnected") != NULL;
    }
}

static void
on_replicas(struct query *query, const redisReply *reply)
{
    struct probe_sentinel *sentinel = query->result;
    sentinel->known_told = reply->type == REDIS_REPLY_ARRAY;
    for (size_t i = 0; sentinel->known_told && i < reply->elements && i < PROBE_PEERS; i++)
        parse_known_replica(reply->element[i], &sentinel->known[sentinel->known_count++]);
}

static void
on_sentinel_reply(struct query *query, unsigned index, const redisReply *reply)
{
    struct probe_sentinel *sentinel = query->result;
    switch ((enum sentinel_question) index) {
    case ASK_ADDRESS:
        on_address(query, reply);
        break;
    case ASK_MASTER:
        on_master(query, reply);
        break;
    case ASK_PEERS:
        on_peers(query, reply);
        break;
    case ASK_REPLICAS:
        on_replicas(query, reply);
        break;
    case ASK_QUORUM:
        sentinel->quorum_ok = reply->type == REDIS_REPLY_STATUS;
        resp_copy_text(sentinel->quorum_text, sizeof sentinel->quorum_text, text_of(reply));
        break;
    case ASK_INFO:
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
