// wire.h - one conversation with a port that speaks RESP (redis, sentinel, haproxy before them): it
// never blocks. The only user of hiredis, of its reply reader and command formatter: these are the
// same from 0.14 to 1.x. Sockets are our own, so that every step obeys the caller's deadline.
// Internal to probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_WIRE_H
#define AIRBUILD_PROBE_WIRE_H

#include "base/str.h"
#include "probe/probe.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>

// A conversation that receives more than this is over: INFO, the largest answer, has 6 KB.
#define WIRE_MAX (256 * 1024)
// Elements of one array, and arrays within arrays.
#define WIRE_MAX_ELEMENTS 4096
#define WIRE_MAX_DEPTH 6

#define WIRE_MAX_WORDS 8 // of one command

// The type of an array's length in the reader's hooks: int in hiredis 0.14, size_t from 1.0 on.
#if HIREDIS_MAJOR >= 1
typedef size_t wire_elements;
#else
typedef int wire_elements;
#endif

struct wire {
    int fd;                // -1 when it is over
    bool connected, ended; // ended: the other side sends no more
    int ended_by;          // errno of that; 0 when it closed the connection
    struct buf out;        // commands to send; those before sent are gone
    size_t sent, received;
    redisReader *reader;
    redisReplyObjectFunctions functions; // hiredis' own, but for arrays: those are bounded
    void *(*plain_array)(const redisReadTask *, wire_elements);
    bool too_large;         // an array was refused
    char error[PROBE_TEXT]; // why it is over; "" while it goes on
};

// Begin to connect. Whatever goes wrong, now or later, is told by wire->error.
void wire_open(struct wire *wire, const char *address, unsigned port);

// Queue a command; it may be called before the connection stands.
void wire_command(struct wire *wire, const char *const *words, size_t count);

bool wire_over(const struct wire *wire);
short wire_events(const struct wire *wire); // what to poll wire->fd for
void wire_turn(struct wire *wire); // connect, send and receive as far as it goes without waiting

// The next reply that has come whole, or NULL. The caller frees it by freeReplyObject().
redisReply *wire_reply(struct wire *wire);
// What was sent and received so far no longer counts. For conversations that go on and on.
void wire_renew(struct wire *wire);

// Tell why it is over, and close. Text of a server is made printable and cut to fit.
void wire_fail(struct wire *wire, const char *format, ...) __attribute__((format(printf, 2, 3)));
void wire_refused(struct wire *wire, const redisReply *reply); // an error reply is why
void wire_close(struct wire *wire);                            // keeps the error

// Copy text into ret of size bytes, unprintable characters as '?', cut with a NUL at the end. NULL
// copies "".
void wire_copy(char *ret, size_t size, const char *text);

#endif
