// resp.h - a connection to a port that speaks RESP (redis, sentinel, haproxy before them). Nothing
// here blocks but resp_wait, which has a deadline; replies are bounded in size, width and depth.
// The only user of hiredis, from 0.14 to 1.x: of its buffers and its reader, not of its async.h,
// which aborts the program on a reply that nobody asked for. The socket is our own, so that it is
// close-on-exec and its errors keep their numbers; the program ignores SIGPIPE. Internal to probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_RESP_H
#define AIRBUILD_PROBE_RESP_H

#include "probe/probe.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resp_conn {         // {0} is closed
    redisContext *context; // NULL: closed
    bool connected;
    bool sending;                        // commands wait to be sent
    bool signing_in;                     // the reply to AUTH is still to come
    bool refused;                        // AUTH was refused, so it is closed
    unsigned asked, answered;            // commands and replies, AUTH not counted
    size_t received;                     // bytes since the last whole reply
    int cause;                           // errno of context->err
    redisReplyObjectFunctions functions; // hiredis' own, but for arrays: those are bounded
    const redisReplyObjectFunctions *plain;
    char error[PROBE_TEXT]; // why it was closed; "" while it is open, and after resp_close
};

// Begin to connect and, when access has a password, to sign in. *conn is overwritten. Whatever goes
// wrong, now or later, closes it and is told by conn->error.
void resp_open(
    struct resp_conn *conn, const char *address, unsigned port, const struct probe_access *access);
// Keeps the error. Accepts one that is closed.
void resp_close(struct resp_conn *conn);
#define RESP_AUTO __attribute__((cleanup(resp_close)))
bool resp_is_closed(const struct resp_conn *conn);

// Queue a command; any number may wait for their replies.
#define resp_ask(conn, ...)                               \
    resp_ask_words((conn), (const char *[]){__VA_ARGS__}, \
        sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))
void resp_ask_words(struct resp_conn *conn, const char **words, size_t count);

struct pollfd resp_pollfd(const struct resp_conn *conn); // what to wait for; fd -1 when closed
void resp_turn(struct resp_conn *conn); // connect, receive and send, after poll reported it

// Returns the next reply that has come whole; the caller frees it by freeReplyObject(). NULL: none,
// or the connection is closed.
redisReply *resp_reply(struct resp_conn *conn);
// Send what is queued and wait for the next reply until end_ms (as clock_ms counts), else as
// resp_reply. It obeys no signal.
redisReply *resp_wait(struct resp_conn *conn, int64_t end_ms);

// Close it and say why. Text of a server is made printable and cut to fit.
void resp_fail(struct resp_conn *conn, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void resp_fail_reply(struct resp_conn *conn, const redisReply *reply); // because of an error reply

// Copy text into ret of size bytes, unprintable characters as '?', cut with a NUL at the end. NULL
// copies "".
void resp_copy_text(char *ret, size_t size, const char *text);

#endif
