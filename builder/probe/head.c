// head.c - whether the head serves: a fresh token written through its write port, then read back
// through its read port. Which workers answered is told by the run_id that INFO gives on the same
// connections.
// SPDX-License-Identifier: Apache-2.0
#include "probe/ask.h"
#include "probe/info.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"

#include <string.h>

#define READ_AGAIN_MS 5 // replication takes about that long

// In the order they are asked; further ones are GET again.
enum head_question { ASK_INFO, ASK_TOKEN };

static void
on_head_info(struct talk *talk, const redisReply *reply, char ret_run_id[PROBE_RUN_ID])
{
    if (reply->type == REDIS_REPLY_ERROR)
        wire_refused(&talk->wire, reply);
    else if (reply->type == REDIS_REPLY_STRING)
        info_text(reply->str, "run_id", ret_run_id, PROBE_RUN_ID);
}

static void
hear_write(struct talk *talk, unsigned index, const redisReply *reply)
{
    struct ask_head *head = talk->result;
    if (index == ASK_INFO) {
        on_head_info(talk, reply, head->result->writer_id);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        wire_refused(&talk->wire, reply);
    } else if (reply->type == REDIS_REPLY_STATUS) {
        head->result->written = true;
        head->result->write_ms = clock_ms() - head->start_ms;
    } else {
        wire_fail(&talk->wire, "it does not answer as redis does");
    }
}

static void
hear_token(struct ask_head *head, const redisReply *reply)
{
    struct probe_head *result = head->result;
    if (reply->type == REDIS_REPLY_ERROR) {
        wire_refused(&head->read.wire, reply);
        return;
    }
    result->readable = true;
    result->read_back = reply->type == REDIS_REPLY_STRING && str_equal(reply->str, head->token);
    if (result->read_back)
        result->read_ms = clock_ms() - head->start_ms;
    head->read.stays = !result->read_back;
    head->read.wake_at = clock_ms() + READ_AGAIN_MS;
}

static void
hear_read(struct talk *talk, unsigned index, const redisReply *reply)
{
    struct ask_head *head = talk->result;
    if (index == ASK_INFO)
        on_head_info(talk, reply, head->result->reader_id);
    else
        hear_token(head, reply);
}

// Ask again once the token is written; nothing more when it will not be.
static void
wake_read(struct talk *talk)
{
    struct ask_head *head = talk->result;
    if (head->result->written)
        talk_ask(talk, "GET", PROBE_KEY);
    else if (wire_over(&head->write.wire))
        talk->stays = false;
    else
        talk->wake_at = clock_ms() + READ_AGAIN_MS;
}

void
ask_head(struct ask_head *head, const char *address, const struct probe_access *access,
    int64_t start_ms, struct probe_head *result)
{
    *head = (struct ask_head){.result = result, .start_ms = start_ms};
    result->writer = result->reader = -1;
    result->write_ms = result->read_ms = -1;
    FREE_AUTO char *token = random_hex(sizeof head->token - 1);
    memcpy(head->token, token, sizeof head->token);

    head->write = (struct talk){.hear = hear_write, .result = head};
    talk_open(&head->write, address, PROBE_WRITE_PORT, access);
    talk_ask(&head->write, "INFO", "server");
    talk_ask(&head->write, "SET", PROBE_KEY, head->token, "EX", "60");

    head->read = (struct talk){.hear = hear_read, .wake = wake_read, .stays = true, .result = head};
    talk_open(&head->read, address, PROBE_READ_PORT, access);
    talk_ask(&head->read, "INFO", "server");
    talk_ask(&head->read, "GET", PROBE_KEY);
}

void
ask_head_end(const struct ask_head *head)
{
    struct probe_head *result = head->result;
    wire_copy(result->write_error, sizeof result->write_error, head->write.wire.error);
    const char *error = head->read.wire.error;
    if (result->written && result->readable && !result->read_back)
        error = "what was written did not come back";
    wire_copy(result->read_error, sizeof result->read_error, error);
}
