// fake_server.h - servers that send a test's script whatever the request, for tests of clients.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_FAKE_SERVER_H
#define AIRBUILD_TESTS_FAKE_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum manner { THEN_HANG, THEN_CLOSE, THEN_REPEAT, BYTE_BY_BYTE };

static struct {
    const char *text;
    size_t length;
    enum manner manner;
} script; // set before the client connects

static atomic_int serving; // connections being served

static inline bool
say(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, text, length, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        text += n;
        length -= (size_t) n;
    }
    return true;
}

// Read until the other side closes.
static inline void
hang(int fd)
{
    char bytes[4096];
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        continue;
}

static inline void *
serve(void *context)
{
    int fd = (int) (intptr_t) context;
    // Wait for a request.
    char bytes[4096];
    ssize_t asked = recv(fd, bytes, sizeof bytes, 0);
    bool goes_on = asked > 0;
    if (script.manner == BYTE_BY_BYTE)
        for (size_t i = 0; goes_on && i < script.length; i++) {
            goes_on = say(fd, script.text + i, 1);
            poll(NULL, 0, 2);
        }
    else
        goes_on = goes_on && say(fd, script.text, script.length);
    while (goes_on && script.manner == THEN_REPEAT)
        goes_on = say(fd, script.text, script.length);
    if (script.manner == THEN_CLOSE)
        shutdown(fd, SHUT_WR);
    hang(fd);
    close(fd);
    atomic_fetch_sub(&serving, 1);
    return NULL;
}

static inline int
listen_on(const char *address, unsigned port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, address, &where.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    return bind(fd, (struct sockaddr *) &where, sizeof where) == 0 && listen(fd, 64) == 0 ? fd : -1;
}

struct acceptor {
    int fd;
    void *(*serve)(void *); // its argument is a connection's descriptor; decrements serving
};

static inline void *
accept_all(void *context)
{
    const struct acceptor *acceptor = context;
    for (;;) {
        int connection = accept4(acceptor->fd, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;
        if (connection < 0)
            return NULL;
        atomic_fetch_add(&serving, 1);
        pthread_create(&thread, NULL, acceptor->serve, (void *) (intptr_t) connection);
        pthread_detach(thread);
    }
}

// Serve every connection to fd in a thread of its own until the process ends. 0, or -1.
static inline int
serve_all(int fd, void *(*serve_one)(void *) )
{
    static struct acceptor acceptors[8]; // static: a forked child has no thread that refers to them
    static size_t count;
    pthread_t thread;
    if (fd < 0 || count == sizeof acceptors / sizeof *acceptors)
        return -1;
    struct acceptor *acceptor = &acceptors[count++];
    *acceptor = (struct acceptor){fd, serve_one};
    if (pthread_create(&thread, NULL, accept_all, acceptor) != 0)
        return -1;
    return pthread_detach(thread) == 0 ? 0 : -1;
}

// Serve the script on this address. 0, or -1.
static inline int
serve_on(const char *address, unsigned port)
{
    return serve_all(listen_on(address, port), serve);
}

#endif
