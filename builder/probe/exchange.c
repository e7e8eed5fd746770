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

static redisReply *
hear(struct wire *wire, int64_t end_ms)
{
    for (;;) {
        redisReply *reply = wire_reply(wire);
        int64_t left = clock_left(end_ms);
        if (reply != NULL || wire_over(wire) || left == 0)
            return reply;
        struct pollfd fd = {.fd = wire->fd, .events = wire_events(wire)};
        if (poll(&fd, 1, left > INT_MAX ? INT_MAX : (int) left) > 0)
            wire_turn(wire);
    }
}

// False when there is no use in going on.
static bool
sign_in(struct exchange *exchange, int64_t end_ms)
{
    redisReply *reply = hear(&exchange->wire, end_ms);
    if (reply == NULL)
        return false;
    exchange->signing_in = false;
    exchange->refused = reply->type == REDIS_REPLY_ERROR;
    if (exchange->refused)
        wire_refused(&exchange->wire, reply);
    freeReplyObject(reply);
    return !exchange->refused;
}

redisReply *
exchange_hear(struct exchange *exchange, int64_t end_ms)
{
    if (exchange->signing_in && !sign_in(exchange, end_ms))
        return NULL;
    return hear(&exchange->wire, end_ms);
}

void
exchange_close(struct exchange *exchange)
{
    wire_close(&exchange->wire);
}
