// exchange.h - one client's connection, question and answer in turn: the calling thread waits, but
// never longer than it says. Unlike talk.h it serves one port at a time and obeys no signal.
// Internal to probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_EXCHANGE_H
#define AIRBUILD_PROBE_EXCHANGE_H

#include "probe/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange {
    struct wire wire; // wire.error says why it is over
    bool signing_in;  // the reply to AUTH is still to come
    bool refused;     // AUTH was: that is why it is over
};

// Begin to connect and, when access has a password, to sign in. *exchange is overwritten.
void exchange_open(struct exchange *exchange, const char *address, unsigned port,
    const struct probe_access *access);

// Queue a command; any number may wait for their answers.
#define exchange_ask(exchange, ...)                                     \
    wire_command(&(exchange)->wire, (const char *const[]){__VA_ARGS__}, \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

// The next answer that is there already; the caller frees it by freeReplyObject(). NULL: none, or
// it is over. Between two of these wire_turn() carries on.
redisReply *exchange_reply(struct exchange *exchange);

// Send what is queued and wait for the next answer until end_ms (as clock_ms counts); the caller
// frees it by freeReplyObject(). NULL: it is over, or, when wire_over() says no, the time is.
redisReply *exchange_hear(struct exchange *exchange, int64_t end_ms);

void exchange_close(struct exchange *exchange);
#define EXCHANGE_AUTO __attribute__((cleanup(exchange_close)))

#endif
