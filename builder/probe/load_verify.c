// load_verify.c - after a load: which of the acknowledged writes does a worker have? And single
// writes straight to a worker. The account `status` may get and set one key at a time and no more,
// so many commands are under way at once.
// SPDX-License-Identifier: Apache-2.0
#include "probe/load_state.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#define BATCH 256

static int
not_verified(const struct resp_conn *conn, const char *address, struct error *err)
{
    if (resp_is_closed(conn))
        return error_set(err, ERR_FAILED,
            "what was written cannot be read back from '%s': %s; see 'airbuild status'", address,
            conn->error);
    return error_set(err, ERR_TIMEOUT,
        "what was written is not read back from '%s' in time; see 'airbuild status'", address);
}

// Ask for samples (count of them, all acknowledged) and count those whose value is not there.
static int
count_lost_samples(const struct load *load, struct resp_conn *conn,
    struct load_sample *const *samples, size_t count, int64_t end_ms, unsigned long long *lost)
{
    for (size_t i = 0; i < count; i++) {
        FREE_AUTO char *key = load_key(load, samples[i]->number);
        resp_ask(conn, "GET", key);
    }
    for (size_t i = 0; i < count; i++) {
        redisReply *reply = resp_wait(conn, end_ms);
        if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
            resp_fail_reply(conn, reply);
        if (reply != NULL) {
            FREE_AUTO char *value = str_format("%u", samples[i]->number);
            samples[i]->lost = reply->type != REDIS_REPLY_STRING || !str_equal(reply->str, value);
            *lost += samples[i]->lost;
            freeReplyObject(reply);
        }
        if (reply == NULL || resp_is_closed(conn))
            return -1;
    }
    return 0;
}

static int
verify(const struct load *load, struct resp_conn *conn, int64_t end_ms, unsigned long long *acked,
    unsigned long long *lost)
{
    struct load_sample *batch[BATCH];
    size_t count = 0;
    for (size_t i = 0; i < load->writer.count; i++) {
        struct load_sample *sample = &load->writer.samples[i];
        if (sample->outcome != LOAD_ACKED)
            continue;
        ++*acked;
        batch[count++] = sample;
        if (count < BATCH)
            continue;
        if (count_lost_samples(load, conn, batch, count, end_ms, lost) < 0)
            return -1;
        count = 0;
    }
    return count_lost_samples(load, conn, batch, count, end_ms, lost);
}

int
load_verify(struct load *load, const char *address, int64_t deadline_ms,
    unsigned long long *ret_acked, unsigned long long *ret_lost, struct error *err)
{
    int64_t end_ms = clock_ms() + deadline_ms;
    unsigned long long acked = 0, lost = 0;
    RESP_AUTO struct resp_conn conn;
    resp_open(&conn, address, PROBE_REDIS_PORT, &load->access);
    if (verify(load, &conn, end_ms, &acked, &lost) < 0)
        return not_verified(&conn, address, err);
    *ret_acked = acked;
    *ret_lost = lost;
    return 0;
}

// One batch of keys that were tried, acknowledged or not.
static bool
remove_keys(struct resp_conn *conn, const struct load *load, size_t from, size_t to, int64_t end_ms)
{
    for (size_t i = from; i < to; i++) {
        FREE_AUTO char *key = load_key(load, load->writer.samples[i].number);
        resp_ask(conn, "DEL", key);
    }
    for (size_t i = from; i < to; i++) {
        redisReply *reply = resp_wait(conn, end_ms);
        if (reply == NULL)
            return false;
        freeReplyObject(reply);
    }
    return true;
}

void
load_forget(const struct load *load, const char *address, int64_t deadline_ms)
{
    int64_t end_ms = clock_ms() + deadline_ms;
    size_t count = load->writer.count, to;
    RESP_AUTO struct resp_conn conn;
    resp_open(&conn, address, PROBE_REDIS_PORT, &load->access);
    for (size_t from = 0; from < count; from = to) {
        to = from + BATCH < count ? from + BATCH : count;
        if (!remove_keys(&conn, load, from, to, end_ms))
            return;
    }
}

bool
load_accepts(
    const char *address, const struct probe_access *access, const char *key, int64_t deadline_ms)
{
    RESP_AUTO struct resp_conn conn;
    resp_open(&conn, address, PROBE_REDIS_PORT, access);
    resp_ask(&conn, "SET", key, "1");
    redisReply *reply = resp_wait(&conn, clock_ms() + deadline_ms);
    bool accepted = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (reply != NULL)
        freeReplyObject(reply);
    return accepted;
}
