// head.c - whether the head serves: a fresh token written through its write port, then read back
// through its read port. INFO on the write port tells by its run_id which worker answers there.
// SPDX-License-Identifier: Apache-2.0
#include "probe/info.h"
#include "probe/query.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"

#include <string.h>

#define READ_AGAIN_MS 5 // replication takes about that long

static void
on_write_reply(struct query *query, unsigned index, const redisReply *reply)
{
    struct head_query *head = query->result;
    if (reply->type == REDIS_REPLY_ERROR)
        resp_fail_reply(&query->conn, reply);
    else if (index > 0 && reply->type == REDIS_REPLY_STATUS)
        head->result->written = true;
    else if (index > 0)
        resp_fail(&query->conn, "it does not answer as redis does");
    else if (reply->type == REDIS_REPLY_STRING)
        info_text(reply->str, "run_id", head->result->writer_id, PROBE_RUN_ID);
}

static void
on_read_reply(struct query *query, unsigned index, const redisReply *reply)
{
    (void) index;
    struct head_query *head = query->result;
    struct probe_head *result = head->result;
    if (reply->type == REDIS_REPLY_ERROR) {
        resp_fail_reply(&query->conn, reply);
        return;
    }
    result->readable = true;
    result->read_back = reply->type == REDIS_REPLY_STRING && str_equal(reply->str, head->token);
    query->wake_at = result->read_back ? 0 : clock_ms() + READ_AGAIN_MS;
}

// Read again once the token is written; never when it will not be.
static void
read_again(struct query *query)
{
    const struct head_query *head = query->result;
    if (head->result->written)
        resp_ask(&query->conn, "GET", PROBE_KEY);
    else if (!resp_is_closed(&head->write.conn))
        query->wake_at = clock_ms() + READ_AGAIN_MS;
}

void
query_head(struct head_query *head, const char *address, const struct probe_access *access,
    struct probe_head *result)
{
    FREE_AUTO char *token = random_hex(sizeof head->token - 1);
    memcpy(head->token, token, sizeof head->token);
    head->result = result;

    head->write =
        (struct query){.on_reply = on_write_reply, .result = head, .error = result->write_error};
    resp_open(&head->write.conn, address, PROBE_WRITE_PORT, access);
    resp_ask(&head->write.conn, "INFO", "server");
    resp_ask(&head->write.conn, "SET", PROBE_KEY, head->token, "EX", "60");

    head->read = (struct query){
        .on_reply = on_read_reply, .wake = read_again, .result = head, .error = result->read_error};
    resp_open(&head->read.conn, address, PROBE_READ_PORT, access);
    resp_ask(&head->read.conn, "GET", PROBE_KEY);
}
