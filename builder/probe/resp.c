// resp.c - see resp.h. AUTH is the only command it knows.
// SPDX-License-Identifier: Apache-2.0
#include "probe/resp.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_REPLY (256 * 1024) // bytes; INFO, the largest reply, has 6 KB
#define MAX_ELEMENTS 4096      // of one array
#define MAX_DEPTH 6            // arrays within arrays; hiredis has no bound of its own from 1.0 on

// The type of an array's length in hiredis' createArray.
#if HIREDIS_MAJOR >= 1
typedef size_t resp_length;
#else
typedef int resp_length;
#endif

void
resp_copy_text(char *ret, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strnlen(text, size - 1);
    for (size_t i = 0; i < length; i++)
        ret[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    ret[length] = '\0';
}

// ---- close ---------------------------------------------------------------------------------------

void
resp_close(struct resp_conn *conn)
{
    redisFree(conn->context);
    conn->context = NULL;
}

bool
resp_is_closed(const struct resp_conn *conn)
{
    return conn->context == NULL;
}

void
resp_fail(struct resp_conn *conn, const char *format, ...)
{
    char text[PROBE_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    resp_copy_text(conn->error, sizeof conn->error, text);
    resp_close(conn);
}

void
resp_fail_reply(struct resp_conn *conn, const redisReply *reply)
{
    resp_fail(conn, "%s", reply->len == 0 ? "it refuses without a reason" : reply->str);
}

// The common ones without the capital of strerror(), as they stand after a colon.
static void
fail_errno(struct resp_conn *conn, int number)
{
    const char *text = strerror(number);
    if (number == ECONNREFUSED)
        text = "connection refused";
    else if (number == EHOSTUNREACH || number == ENETUNREACH)
        text = "no route to it";
    else if (number == ECONNRESET || number == EPIPE)
        text = "the connection was reset";
    resp_fail(conn, "%s", text);
}

// ---- open ----------------------------------------------------------------------------------------

// Replaces hiredis' createArray: the length that a server claims must not make us allocate
// gigabytes. Returning NULL is an error to the reader.
static void *
create_bounded_array(const redisReadTask *task, resp_length elements)
{
    const struct resp_conn *conn = task->privdata;
    unsigned depth = 0;
    for (const redisReadTask *up = task->parent; up != NULL; up = up->parent)
        depth++;
    bool too_large = elements > MAX_ELEMENTS || depth > MAX_DEPTH;
    return too_large ? NULL : conn->plain->createArray(task, elements);
}

void
resp_open(
    struct resp_conn *conn, const char *address, unsigned port, const struct probe_access *access)
{
    *conn = (struct resp_conn){0};
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    if (inet_pton(AF_INET, address, &where.sin_addr) != 1) {
        resp_fail(conn, "'%s' is not an IPv4 address", address);
        return;
    }
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    conn->context = fd < 0 ? NULL : redisConnectFd(fd);
    if (conn->context == NULL) {
        fail_errno(conn, errno);
        if (fd >= 0)
            close(fd);
        return;
    }
    conn->context->flags &= ~REDIS_BLOCK;
    redisReader *reader = conn->context->reader;
    conn->plain = reader->fn;
    conn->functions = *reader->fn;
    conn->functions.createArray = create_bounded_array;
    reader->fn = &conn->functions;
    reader->privdata = conn;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    conn->connected = connect(fd, (const struct sockaddr *) &where, sizeof where) == 0;
    if (!conn->connected && errno != EINPROGRESS) {
        fail_errno(conn, errno);
    } else if (access->password != NULL) {
        resp_ask(conn, "AUTH", access->user, access->password);
        conn->signing_in = true;
        conn->asked = 0;
    }
}

// ---- ask, send, receive --------------------------------------------------------------------------

void
resp_ask_words(struct resp_conn *conn, const char **words, size_t count)
{
    conn->asked++;
    if (conn->context == NULL)
        return;
    conn->sending = true;
    if (redisAppendCommandArgv(conn->context, (int) count, words, NULL) != REDIS_OK)
        resp_fail(conn, "out of memory for a command");
}

struct pollfd
resp_pollfd(const struct resp_conn *conn)
{
    bool sends = !conn->connected || conn->sending;
    return (struct pollfd){
        .fd = conn->context == NULL ? -1 : conn->context->fd,
        .events = (short) (POLLIN | (sends ? POLLOUT : 0)),
    };
}

// Receives first: what the other side sent before it closed counts even when sending fails. An
// error stays in the context until resp_reply has returned the replies before it.
void
resp_turn(struct resp_conn *conn)
{
    redisContext *context = conn->context;
    if (context == NULL || context->err != 0)
        return;
    int number = 0; // why it could not connect; 0: it could
    socklen_t size = sizeof number;
    if (!conn->connected)
        getsockopt(context->fd, SOL_SOCKET, SO_ERROR, &number, &size);
    conn->connected = number == 0;
    if (number != 0) {
        fail_errno(conn, number);
        return;
    }
    size_t before = context->reader->len;
    int done = 0;
    if (redisBufferRead(context) != REDIS_OK ||
        (conn->sending && redisBufferWrite(context, &done) != REDIS_OK))
        conn->cause = errno;
    conn->sending = conn->sending && !done;
    conn->received += context->reader->len - before;
    if (conn->received > MAX_REPLY)
        resp_fail(conn, "its reply is longer than any of redis: another program listens there");
}

redisReply *
resp_reply(struct resp_conn *conn)
{
    while (conn->context != NULL) {
        void *reply = NULL;
        redisReader *reader = conn->context->reader;
        redisReaderGetReply(reader, &reply);
        // It has an error when the bytes are not RESP; the context, when no more can come.
        if (reader->err == REDIS_ERR_OOM)
            resp_fail(conn, "its reply is larger than any of redis: another program listens there");
        else if (reader->err != 0)
            resp_fail(conn, "it does not speak redis' protocol: %s", reader->errstr);
        else if (reply == NULL && conn->context->err == REDIS_ERR_IO)
            fail_errno(conn, conn->cause);
        else if (reply == NULL && conn->context->err != 0)
            resp_fail(conn, "the connection was closed");
        if (reply == NULL)
            return NULL;
        conn->received = 0;
        if (!conn->signing_in && conn->answered != conn->asked) {
            conn->answered++;
            return reply;
        }
        // The reply to AUTH, or one that nobody asked for.
        const redisReply *other = reply;
        conn->refused = conn->signing_in && other->type == REDIS_REPLY_ERROR;
        if (conn->refused)
            resp_fail_reply(conn, other);
        else if (!conn->signing_in)
            resp_fail(conn, "it sent a reply to no request");
        conn->signing_in = false;
        freeReplyObject(reply);
    }
    return NULL;
}

redisReply *
resp_wait(struct resp_conn *conn, int64_t end_ms)
{
    for (;;) {
        redisReply *reply = resp_reply(conn);
        int64_t left = clock_left(end_ms);
        if (reply != NULL || resp_is_closed(conn) || left == 0)
            return reply;
        struct pollfd fd = resp_pollfd(conn);
        if (poll(&fd, 1, left > INT_MAX ? INT_MAX : (int) left) > 0)
            resp_turn(conn);
    }
}
