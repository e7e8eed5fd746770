// resp.h - a connection to a port that speaks RESP (redis, sentinel, haproxy before them). Only
// resp_wait blocks, with a deadline; replies are bounded in size, width and depth. Uses the
// connection buffers and the reader of hiredis 0.14 to 1.x, but not its async.h, which aborts the
// program on a reply that nobody asked for. Makes the socket itself, so that it is close-on-exec
// and errors keep their numbers; the program ignores SIGPIPE. Internal to probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_RESP_H
#define AIRBUILD_PROBE_RESP_H

#include "base/cleanup.h"
#include "probe/probe.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resp_conn {         // {0} is closed
    redisContext *context; // NULL: closed
    bool connected;
    bool sending;                        // there are commands to send
    bool signing_in;                     // the reply to AUTH has not come yet
    bool refused;                        // AUTH was refused, so it is closed
    unsigned asked, answered;            // commands and replies, AUTH not counted
    size_t received;                     // bytes since the last whole reply
    int cause;                           // errno of context->err
    redisReplyObjectFunctions functions; // hiredis' own, but for arrays: those are bounded
    const redisReplyObjectFunctions *plain;
    char error[PROBE_TEXT]; // why it was closed; "" while it is open, and after resp_close
};

// Starts to connect and, when access has a password, to sign in. Overwrites *conn. Any failure, now
// or later, closes it and sets conn->error.
void resp_open(
    struct resp_conn *conn, const char *address, unsigned port, const struct probe_access *access);
// Keeps the error. Accepts a closed connection.
void resp_close(struct resp_conn *conn);
#define RESP_AUTO CLEANUP(resp_close)
bool resp_is_closed(const struct resp_conn *conn);

// Queues a command; any number of commands may be waiting for their replies.
#define resp_ask(conn, ...)                               \
    resp_ask_words((conn), (const char *[]){__VA_ARGS__}, \
        sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))
void resp_ask_words(struct resp_conn *conn, const char **words, size_t count);

struct pollfd resp_pollfd(const struct resp_conn *conn); // for poll; fd -1 when closed
void resp_turn(struct resp_conn *conn); // after poll reported it: connects, receives and sends

// Returns the next reply that is complete; the caller frees it by freeReplyObject(). NULL: none
// yet, or the connection is closed.
redisReply *resp_reply(struct resp_conn *conn);
// As resp_reply, but sends what is queued and waits for the reply until end_ms (as clock_ms
// counts). Not interrupted by signals.
redisReply *resp_wait(struct resp_conn *conn, int64_t end_ms);

// Closes it and sets conn->error, made printable and cut to fit.
void resp_fail(struct resp_conn *conn, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void resp_fail_reply(struct resp_conn *conn, const redisReply *reply); // by an error reply

// Copies text (NULL: "") into ret of size bytes, cut to fit, NUL-terminated, with '?' for what is
// not printable ASCII.
void resp_copy_text(char *ret, size_t size, const char *text);

#endif
