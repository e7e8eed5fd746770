// sentinel.c - what a worker's sentinel says: whom it names master, whom it knows, whether a
// failover could pass.
// SPDX-License-Identifier: Apache-2.0
#include "probe/ask.h"
#include "probe/info.h"

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
hear_address(struct talk *talk, const redisReply *reply)
{
    struct probe_sentinel *sentinel = talk->result;
    if (reply->type == REDIS_REPLY_ERROR)
        wire_refused(&talk->wire, reply);
    else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
        wire_copy(sentinel->master, sizeof sentinel->master, text_of(reply->element[0]));
    else if (reply->type != REDIS_REPLY_NIL && reply->type != REDIS_REPLY_ARRAY)
        wire_fail(&talk->wire, "it does not answer as sentinel does");
}

static unsigned
number_of(const char *text)
{
    unsigned long long number = 0;
    return str_to_u64(text, UINT16_MAX, &number) ? (unsigned) number : 0;
}

// A flat list of names and values.
static void
hear_master(struct talk *talk, const redisReply *reply)
{
    struct probe_sentinel *sentinel = talk->result;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
        const char *name = text_of(reply->element[i]), *value = text_of(reply->element[i + 1]);
        if (str_equal(name, "flags"))
            wire_copy(sentinel->flags, sizeof sentinel->flags, value);
        else if (str_equal(name, "num-other-sentinels"))
            sentinel->other_sentinels = number_of(value);
        else if (str_equal(name, "num-slaves"))
            sentinel->replicas = number_of(value);
        else if (str_equal(name, "quorum"))
            sentinel->quorum = number_of(value);
    }
}

// A list of such lists, one a sentinel.
static void
hear_peers(struct talk *talk, const redisReply *reply)
{
    struct probe_sentinel *sentinel = talk->result;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        const redisReply *peer = reply->element[i];
        for (size_t k = 0; peer->type == REDIS_REPLY_ARRAY && k + 1 < peer->elements; k += 2)
            if (str_equal(text_of(peer->element[k]), "ip") && sentinel->peer_count < PROBE_PEERS)
                wire_copy(sentinel->peers[sentinel->peer_count++], PROBE_ADDRESS,
                    text_of(peer->element[k + 1]));
    }
}

// A replica's flags: "slave", "slave,s_down,disconnected". Sentinel elects none that is down or has
// no link (sentinelSelectSlave).
static void
hear_replica(const redisReply *reply, struct probe_known *known)
{
    for (size_t k = 0; reply->type == REDIS_REPLY_ARRAY && k + 1 < reply->elements; k += 2) {
        const char *name = text_of(reply->element[k]), *value = text_of(reply->element[k + 1]);
        if (str_equal(name, "ip"))
            wire_copy(known->address, sizeof known->address, value);
        else if (str_equal(name, "flags"))
            known->down = strstr(value, "_down") != NULL || strstr(value, "disconnected") != NULL;
    }
}

static void
hear_replicas(struct talk *talk, const redisReply *reply)
{
    struct probe_sentinel *sentinel = talk->result;
    sentinel->known_told = reply->type == REDIS_REPLY_ARRAY;
    for (size_t i = 0; sentinel->known_told && i < reply->elements && i < PROBE_PEERS; i++)
        hear_replica(reply->element[i], &sentinel->known[sentinel->known_count++]);
}

static void
on_sentinel_reply(struct talk *talk, unsigned index, const redisReply *reply)
{
    struct probe_sentinel *sentinel = talk->result;
    switch ((enum sentinel_question) index) {
    case ASK_ADDRESS:
        hear_address(talk, reply);
        break;
    case ASK_MASTER:
        hear_master(talk, reply);
        break;
    case ASK_PEERS:
        hear_peers(talk, reply);
        break;
    case ASK_REPLICAS:
        hear_replicas(talk, reply);
        break;
    case ASK_QUORUM:
        sentinel->quorum_ok = reply->type == REDIS_REPLY_STATUS;
        wire_copy(sentinel->quorum_text, sizeof sentinel->quorum_text, text_of(reply));
        break;
    case ASK_INFO:
        sentinel->tilt = info_number(text_of(reply), "sentinel_tilt", 0) != 0;
        break;
    }
}

void
ask_sentinel(struct talk *talk, const char *address, const struct probe_access *access,
    struct probe_sentinel *result)
{
    *talk = (struct talk){.hear = on_sentinel_reply, .result = result};
    talk_open(talk, address, PROBE_SENTINEL_PORT, access);
    talk_ask(talk, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", access->master_name);
    talk_ask(talk, "SENTINEL", "MASTER", access->master_name);
    talk_ask(talk, "SENTINEL", "SENTINELS", access->master_name);
    talk_ask(talk, "SENTINEL", "REPLICAS", access->master_name);
    talk_ask(talk, "SENTINEL", "CKQUORUM", access->master_name);
    talk_ask(talk, "INFO", "sentinel");
}

void
ask_sentinel_end(const struct talk *talk)
{
    struct probe_sentinel *sentinel = talk->result;
    sentinel->answered = talk->wire.error[0] == '\0';
    wire_copy(sentinel->error, sizeof sentinel->error, talk->wire.error);
}
