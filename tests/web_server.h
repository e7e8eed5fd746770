// web_server.h - a web server on a loopback port whose paths misbehave, each in its own way.
// Include unit.h first.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_WEB_SERVER_H
#define AIRBUILD_TESTS_WEB_SERVER_H

#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"
#include "fake_server.h"

#include <signal.h>
#include <stdio.h>

enum { WEB_BYTES = 300000 };

static struct {
    unsigned port;
    char body[WEB_BYTES]; // of every file
    const char *folder;   // served below /files/
    atomic_int asked;     // requests since web_reset
    atomic_int resumed;   // of them with a Range that was used
    atomic_bool raise;    // /interrupted sends this process SIGINT, once, in the middle
    const char *partial;  // but waits first until a file in this folder is not empty
} web;

static inline bool
web_has_partial(void)
{
    ERROR_AUTO struct error ignored = {0};
    STRV_AUTO struct strv names = {0};
    bool found = false;
    dir_list(web.partial, &names, &ignored);
    for (size_t i = 0; i < names.count; i++) {
        struct stat status;
        FREE_AUTO char *path = path_join(web.partial, names.items[i]);
        found = found || (stat(path, &status) == 0 && status.st_size >= WEB_BYTES / 4);
    }
    return found;
}

static inline void
web_await_partial(void)
{
    for (int i = 0; i < 2000 && !web_has_partial(); i++)
        usleep(10000);
}

static inline void __attribute__((format(printf, 2, 3))) web_say(int fd, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *text = str_formatv(format, args);
    va_end(args);
    say(fd, text, strlen(text));
}

// headers: lines that end with CR LF. Sends the given bytes of the body from offset begin on.
static inline void
web_send(int fd, const char *headers, size_t begin, size_t bytes)
{
    if (begin > 0)
        web_say(fd, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%d/%d\r\n", begin,
            WEB_BYTES - 1, WEB_BYTES);
    else
        web_say(fd, "HTTP/1.1 200 OK\r\n");
    web_say(fd, "%sContent-Length: %zu\r\n\r\n", headers, (size_t) WEB_BYTES - begin);
    say(fd, web.body + begin, bytes);
}

static inline void
web_send_text(int fd, const char *status, const char *headers, const char *text)
{
    web_say(
        fd, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(text), text);
}

static inline void
web_send_file(int fd, const char *name)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(web.folder, name), *data = NULL;
    size_t length = 0;
    if (file_read(path, 1 << 20, &data, &length, &err) < 0) {
        web_send_text(fd, "404 Not Found", "", "");
        return;
    }
    web_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", length);
    say(fd, data, length);
}

// The N of "Range: bytes=N-" if its If-Range is etag, else 0.
static inline size_t
web_range(const char *request, const char *etag)
{
    const char *range = strstr(request, "Range: bytes=");
    FREE_AUTO char *condition = str_format("If-Range: %s\r\n", etag);
    if (range == NULL || strstr(request, condition) == NULL)
        return 0;
    atomic_fetch_add(&web.resumed, 1);
    return strtoul(range + strlen("Range: bytes="), NULL, 10);
}

#define WEB_ETAG "\"one\""
#define WEB_ETAG_LINE "ETag: " WEB_ETAG "\r\n"
#define WEB_DATE "Sun, 01 Nov 2026 00:00:00 GMT"

// Sends half of the file to clients that do not resume it, with the headers of each path.
static inline void
web_send_half(int fd, const char *request, const char *etag, const char *headers)
{
    size_t from = web_range(request, etag);
    web_send(fd, headers, from, from == 0 ? WEB_BYTES / 2 : WEB_BYTES - from);
}

static inline void
web_answer_cut(int fd, const char *request, const char *how)
{
    if (str_equal(how, ""))
        web_send(fd, "", 0, WEB_BYTES / 2);
    else if (str_equal(how, "-kept"))
        web_send(fd, WEB_ETAG_LINE, 0, WEB_BYTES / 2);
    else if (str_equal(how, "-moved"))
        web_send_text(fd, "302 Found", "Location: /cut-once\r\n", "it is elsewhere");
    else if (str_equal(how, "-dated"))
        web_send_half(
            fd, request, WEB_DATE, "ETag: W/\"weak\"\r\nlast-modified:  " WEB_DATE " \r\n");
    else if (str_equal(how, "-early-hints"))
        web_say(fd, "HTTP/1.1 103 Early Hints\r\nETag: \"gone\"\r\n\r\n"),
            web_send_half(
                fd, request, WEB_ETAG, "Last-Modified: " WEB_DATE "\r\netag:  " WEB_ETAG "\r\n");
    else
        web_send_half(fd, request, WEB_ETAG, WEB_ETAG_LINE);
}

static inline void
web_answer(int fd, const char *request, const char *path, int number)
{
    size_t half = WEB_BYTES / 2, from;
    if (str_starts(path, "/files/"))
        web_send_file(fd, path + strlen("/files/"));
    else if (str_equal(path, "/disk") || str_equal(path, "/other"))
        from = web_range(request, WEB_ETAG), web_send(fd, WEB_ETAG_LINE, from, WEB_BYTES - from);
    else if (str_equal(path, "/html"))
        web_send_text(fd, "200 OK", "Content-Type: text/html; charset=utf-8\r\n", "please sign in");
    else if (str_equal(path, "/page"))
        web_send_text(fd, "200 OK", "", "\n <!DOCTYPE html><p>please sign in");
    else if (str_equal(path, "/silent"))
        hang(fd);
    else if (str_equal(path, "/stall"))
        web_send(fd, "", 0, 500), hang(fd);
    else if (str_starts(path, "/cut"))
        web_answer_cut(fd, request, path + strlen("/cut"));
    else if (str_equal(path, "/interrupted") && atomic_exchange(&web.raise, false))
        web_send(fd, WEB_ETAG_LINE, 0, half), web_await_partial(), kill(getpid(), SIGINT), hang(fd);
    else if (str_equal(path, "/interrupted"))
        from = web_range(request, WEB_ETAG), web_send(fd, WEB_ETAG_LINE, from, WEB_BYTES - from);
    else if (str_equal(path, "/changed"))
        web_send(fd, number == 1 ? WEB_ETAG_LINE : "", 0, number == 1 ? half : WEB_BYTES);
    else if (str_equal(path, "/wrong-range"))
        web_send(fd, WEB_ETAG_LINE, number == 1 ? 0 : 7, half);
    else if (str_equal(path, "/busy") || (str_equal(path, "/busy-once") && number == 1))
        web_send_text(fd, "503 Service Unavailable", "", "");
    else if (str_equal(path, "/busy-once"))
        web_send(fd, "", 0, WEB_BYTES);
    else if (str_equal(path, "/here"))
        web_send_text(fd, "302 Found", "Location: /disk\r\n", "");
    else if (str_equal(path, "/loop"))
        web_send_text(fd, "302 Found", "Location: /loop\r\n", "");
    else if (str_equal(path, "/away"))
        web_send_text(fd, "302 Found", "Location: http://localhost:9/disk\r\n", "");
    else if (str_equal(path, "/to-file"))
        web_send_text(fd, "302 Found", "Location: file:///etc/passwd\r\n", "");
    else if (str_equal(path, "/huge"))
        web_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9663676416\r\n\r\nQFI");
    else if (str_equal(path, "/endless"))
        for (web_say(fd, "HTTP/1.1 200 OK\r\n\r\n"); say(fd, web.body, WEB_BYTES);)
            continue;
    else
        web_send_text(fd, "404 Not Found", "Content-Type: text/html\r\n", "<html>no");
}

static inline void *
web_serve(void *context)
{
    int fd = (int) (intptr_t) context;
    char request[8192] = "", path[256] = "";
    size_t length = 0;
    while (strstr(request, "\r\n\r\n") == NULL && length + 1 < sizeof request) {
        ssize_t count = recv(fd, request + length, sizeof request - 1 - length, 0);
        if (count <= 0)
            break;
        length += (size_t) count;
        request[length] = '\0';
    }
    if (sscanf(request, "GET %255s", path) == 1)
        web_answer(fd, request, path, 1 + atomic_fetch_add(&web.asked, 1));
    else if (sscanf(request, "HEAD %255s", path) == 1)
        web_say(fd, "HTTP/1.1 %s\r\n\r\n", str_equal(path, "/disk") ? "200 OK" : "404 Not Found");
    shutdown(fd, SHUT_WR);
    hang(fd);
    close(fd);
    atomic_fetch_sub(&serving, 1);
    return NULL;
}

static inline void *
web_accept(void *context)
{
    int fd = (int) (intptr_t) context;
    for (;;) {
        int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;
        if (connection < 0)
            return NULL;
        if (pthread_create(&thread, NULL, web_serve, (void *) (intptr_t) connection) == 0)
            pthread_detach(thread);
    }
}

// Group setup: serves on a free port.
static inline int
web_start(void **state)
{
    struct sockaddr_in where;
    socklen_t size = sizeof where;
    (void) state;
    for (size_t i = 0; i < WEB_BYTES; i++)
        web.body[i] = (char) (i * 31 + i / 251);
    memcpy(web.body, "QFI\xfb", 4);
    int fd = listen_on("127.0.0.1", 0);
    if (fd < 0 || getsockname(fd, (struct sockaddr *) &where, &size) < 0)
        return -1;
    web.port = ntohs(where.sin_port);
    return serve_all(fd, web_serve);
}

static inline char *
web_url(const char *path)
{
    return str_format("http://127.0.0.1:%u%s", web.port, path);
}

#endif
