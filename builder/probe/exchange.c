// exchange.c - see exchange.h.
// SPDX-License-Identifier: Apache-2.0
#include "probe/exchange.h"

#include "base/clock.h"

#include <limits.h>
#include <poll.h>

void
exchange_open(struct exchange *exchange, const char *address, unsigned port,
    const struct probe_access *access)
{
    *exchange = (struct exchange){.signing_in = access->password != NULL};
    wire_open(&exchange->wire, address, port);
    if (exchange->signing_in)
        exchange_ask(exchange, "AUTH", access->user, access->password);
}

redisReply *
exchange_reply(struct exchange *exchange)
{
    redisReply *reply = wire_reply(&exchange->wire);
    if (reply == NULL || !exchange->signing_in)
        return reply;
    exchange->signing_in = false;
    exchange->refused = reply->type == REDIS_REPLY_ERROR;
    if (exchange->refused)
        wire_refused(&exchange->wire, reply);
    freeReplyObject(reply);
    return wire_reply(&exchange->wire);
}

redisReply *
exchange_hear(struct exchange *exchange, int64_t end_ms)
{
    struct wire *wire = &exchange->wire;
    for (;;) {
        redisReply *reply = exchange_reply(exchange);
        int64_t left = clock_left(end_ms);
        if (reply != NULL || wire_over(wire) || left == 0)
            return reply;
        struct pollfd fd = {.fd = wire->fd, .events = wire_events(wire)};
        if (poll(&fd, 1, left > INT_MAX ? INT_MAX : (int) left) > 0)
            wire_turn(wire);
    }
}

void
exchange_close(struct exchange *exchange)
{
    wire_close(&exchange->wire);
}
