// wire.c - a conversation in RESP over a socket that never blocks; replies are bounded in size,
// width and depth. It knows no command and no deadline: those are the caller's.
// SPDX-License-Identifier: Apache-2.0
#include "probe/wire.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
wire_copy(char *ret, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strnlen(text, size - 1);
    for (size_t i = 0; i < length; i++)
        ret[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    ret[length] = '\0';
}

void
wire_close(struct wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
    if (wire->reader != NULL)
        redisReaderFree(wire->reader);
    wire->reader = NULL;
    buf_free(&wire->out);
}

void
wire_fail(struct wire *wire, const char *format, ...)
{
    char text[PROBE_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    wire_copy(wire->error, sizeof wire->error, text);
    wire_close(wire);
}

void
wire_refused(struct wire *wire, const redisReply *reply)
{
    wire_fail(wire, "%s", reply->len == 0 ? "it refuses without a word" : reply->str);
}

// strerror() capitalizes; these texts stand after a colon.
static void
fail_errno(struct wire *wire, int number)
{
    switch (number) {
    case ECONNREFUSED:
        wire_fail(wire, "connection refused");
        break;
    case EHOSTUNREACH:
    case ENETUNREACH:
        wire_fail(wire, "no route to it");
        break;
    case ECONNRESET:
    case EPIPE:
        wire_fail(wire, "the connection was cut");
        break;
    default:
        wire_fail(wire, "%s", strerror(number));
    }
}

// In place of hiredis' createArray: a length that a server merely claims must not make us allocate
// gigabytes.
static void *
create_array(const redisReadTask *task, wire_elements elements)
{
    struct wire *wire = task->privdata;
    unsigned depth = 0;
    for (const redisReadTask *up = task->parent; up != NULL; up = up->parent)
        depth++;
    wire->too_large = elements > WIRE_MAX_ELEMENTS || depth > WIRE_MAX_DEPTH;
    return wire->too_large ? NULL : wire->plain_array(task, elements);
}

static bool
make_reader(struct wire *wire)
{
    wire->reader = redisReaderCreate();
    if (wire->reader == NULL)
        return false;
    wire->functions = *wire->reader->fn;
    wire->plain_array = wire->functions.createArray;
    wire->functions.createArray = create_array;
    wire->reader->fn = &wire->functions;
    wire->reader->privdata = wire;
    return true;
}

void
wire_open(struct wire *wire, const char *address, unsigned port)
{
    *wire = (struct wire){.fd = -1};
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    if (inet_pton(AF_INET, address, &where.sin_addr) != 1) {
        wire_fail(wire, "'%s' is no IPv4 address", address);
        return;
    }
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->fd < 0 || !make_reader(wire)) {
        fail_errno(wire, errno);
        return;
    }
    int one = 1;
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(wire->fd, (struct sockaddr *) &where, sizeof where) == 0)
        wire->connected = true;
    else if (errno != EINPROGRESS)
        fail_errno(wire, errno);
}

void
wire_command(struct wire *wire, const char *const *words, size_t count)
{
    if (wire_over(wire))
        return;
    const char *copies[WIRE_MAX_WORDS];
    assert(count <= WIRE_MAX_WORDS);
    memcpy(copies, words, count * sizeof *words);
    char *text = NULL;
    long long length = redisFormatCommandArgv(&text, (int) count, copies, NULL);
    if (length < 0) {
        wire_fail(wire, "there is no memory for a command");
        return;
    }
    buf_add_bytes(&wire->out, text, (size_t) length);
    redisFreeCommand(text);
}

bool
wire_over(const struct wire *wire)
{
    return wire->fd < 0;
}

short
wire_events(const struct wire *wire)
{
    bool sends = !wire->connected || wire->sent < wire->out.length;
    return (short) (POLLIN | (sends ? POLLOUT : 0));
}

// Whether the connection stands. poll said that something happened, so it stands or it failed.
static bool
connected(struct wire *wire)
{
    if (wire->connected)
        return true;
    int number = 0;
    socklen_t size = sizeof number;
    getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &number, &size);
    if (number != 0)
        fail_errno(wire, number);
    wire->connected = number == 0;
    return wire->connected;
}

// A send that fails is not the end: what the other side said before it closed is still to be read.
static void
send_commands(struct wire *wire)
{
    while (wire->sent < wire->out.length) {
        const char *rest = wire->out.data + wire->sent;
        ssize_t n = send(wire->fd, rest, wire->out.length - wire->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            wire->sent = wire->out.length;
        if (n < 0)
            return;
        wire->sent += (size_t) n;
    }
}

static void
receive(struct wire *wire)
{
    char bytes[16384];
    while (!wire->ended) {
        ssize_t n = recv(wire->fd, bytes, sizeof bytes, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            wire->ended = true;
            wire->ended_by = n < 0 ? errno : 0;
            return;
        }
        wire->received += (size_t) n;
        if (wire->received > WIRE_MAX) {
            wire_fail(wire, "its answer is longer than any of redis; something else listens there");
            return;
        }
        redisReaderFeed(wire->reader, bytes, (size_t) n);
    }
}

void
wire_turn(struct wire *wire)
{
    if (wire_over(wire) || !connected(wire))
        return;
    send_commands(wire);
    receive(wire);
}

static void
fail_protocol(struct wire *wire)
{
    if (wire->too_large)
        wire_fail(wire, "its answer is larger than any of redis; something else listens there");
    else
        wire_fail(wire, "it does not speak as redis does: %s", wire->reader->errstr);
}

redisReply *
wire_reply(struct wire *wire)
{
    if (wire_over(wire))
        return NULL;
    void *reply = NULL;
    if (redisReaderGetReply(wire->reader, &reply) != REDIS_OK)
        fail_protocol(wire);
    else if (reply == NULL && wire->ended_by != 0)
        fail_errno(wire, wire->ended_by);
    else if (reply == NULL && wire->ended)
        wire_fail(wire, "the connection was closed");
    return reply;
}

void
wire_renew(struct wire *wire)
{
    if (wire_over(wire))
        return;
    buf_drop(&wire->out, wire->sent);
    wire->sent = wire->received = 0;
}
