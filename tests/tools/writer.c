// writer.c - a client under whose eyes a cluster is broken: numbered writes through the head, each
// acknowledgement remembered, reconnecting like a real client; reads beside them; and a write now
// and then to every worker directly, to see whether two of them accept writes at once. SIGTERM ends
// it: it asks the cluster for everything that was acknowledged and prints what it saw as one JSON
// object. Plain RESP over sockets, no library, no sentinel, no TLS.
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WATCH_MAX 8
#define CLIENT_MAX (2 + WATCH_MAX)
#define RETRY_MS 20     // a broken connection is made anew after this
#define CONNECT_MS 1000 // a connection that is not made by then is given up
#define REPLY_MS 2000   // as is one whose answer does not come
#define WATCH_PERIOD_MS 250
#define VERIFY_MS 30000   // the cluster has this long to answer what is asked at the end
#define VERIFY_BATCH 500U // keys in one MGET
#define BUFFER 65536

enum kind { WRITER, READER, WATCHER };
enum state { CLOSED, CONNECTING, GREETING, READY, AWAITING };

struct client {
    enum kind kind;
    const char *address;
    unsigned port;
    const char *user, *password; // user NULL: the default user; password NULL: no AUTH
    int64_t period_ms;
    enum state state;
    int fd;
    int64_t due_ms;      // when to act next, or when to give up what is awaited
    int64_t sent_ms;     // when the outstanding command was sent
    int64_t failing_ms;  // when the first command of the present outage was sent or due; -1: none
    int64_t outage_ms;   // the longest so far
    int64_t accepted_ms; // of a watcher: when it last accepted a write
    uint64_t done, failed;
    unsigned left; // commands before this connection is given up for a new one; 0: kept
    char in[BUFFER];
    size_t in_length;
};

struct run {
    struct client clients[CLIENT_MAX];
    size_t count;
    unsigned char *acked; // one byte a number
    uint64_t next, capacity;
    uint64_t two_masters;
    unsigned reconnect;
};

static volatile sig_atomic_t stopping;

static void
stop(int signal_number)
{
    (void) signal_number;
    stopping = 1;
}

static int64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void
die(const char *what)
{
    fprintf(stderr, "writer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
client_outage_ends(struct client *client, int64_t now)
{
    if (client->failing_ms >= 0 && now - client->failing_ms > client->outage_ms)
        client->outage_ms = now - client->failing_ms;
    client->failing_ms = -1;
}

static void
client_fails(struct client *client, int64_t since)
{
    client->failed++;
    if (client->failing_ms < 0)
        client->failing_ms = since;
}

// The connection is gone; an outstanding command counts as failed.
static void
client_close(struct client *client, int64_t now)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    if (client->state == AWAITING)
        client_fails(client, client->sent_ms);
    else if (client->failing_ms < 0)
        client->failing_ms = now;
    client->state = CLOSED;
    client->due_ms = now + RETRY_MS;
}

static void
client_open(struct client *client, int64_t now)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) client->port)};
    client->in_length = 0;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        die("socket");
    if (inet_pton(AF_INET, client->address, &to.sin_addr) != 1)
        die(client->address);
    client->state = CONNECTING;
    client->due_ms = now + CONNECT_MS;
    if (connect(client->fd, (struct sockaddr *) &to, sizeof to) && errno != EINPROGRESS)
        client_close(client, now);
}

static void
client_send(struct client *client, const char *text, enum state next, int64_t now)
{
    size_t length = strlen(text);
    client->state = next;
    client->sent_ms = now;
    client->due_ms = now + REPLY_MS;
    if (send(client->fd, text, length, MSG_NOSIGNAL) != (ssize_t) length)
        client_close(client, now);
}

static void
client_greet(struct client *client, unsigned reconnect, int64_t now)
{
    char text[256];
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length) || error) {
        client_close(client, now);
        return;
    }
    client->left = reconnect;
    if (!client->password) {
        client->state = READY;
        client->due_ms = now;
        return;
    }
    snprintf(text, sizeof text, "AUTH %s %s\r\n", client->user ? client->user : "default",
        client->password);
    client_send(client, text, GREETING, now);
}

static void
run_make_room(struct run *run)
{
    if (run->next < run->capacity)
        return;
    uint64_t capacity = run->capacity ? 2 * run->capacity : 65536;
    run->acked = realloc(run->acked, capacity);
    if (!run->acked)
        die("memory");
    memset(run->acked + run->capacity, 0, capacity - run->capacity);
    run->capacity = capacity;
}

static void
run_command(struct run *run, struct client *client, int64_t now)
{
    char text[128];
    if (client->kind == WRITER) {
        run_make_room(run);
        snprintf(text, sizeof text, "SET w:%llu %llu\r\n", (unsigned long long) run->next,
            (unsigned long long) run->next);
        run->next++;
    } else if (client->kind == READER) {
        snprintf(text, sizeof text, "GET w:0\r\n");
    } else {
        snprintf(text, sizeof text, "SET airbuild:watch %lld\r\n", (long long) now);
    }
    client_send(client, text, AWAITING, now);
}

// Two workers that accept writes within the same round are two masters.
static void
run_accepted(struct run *run, struct client *client, int64_t now)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct client *other = &run->clients[i];
        if (other != client && other->kind == WATCHER && other->accepted_ms >= 0 &&
            now - other->accepted_ms < WATCH_PERIOD_MS)
            run->two_masters++;
    }
    client->accepted_ms = now;
}

static void
run_replied(struct run *run, struct client *client, int64_t now)
{
    bool good = client->in[0] != '-';
    bool greeting = client->state == GREETING;
    client->in_length = 0;
    client->state = READY;
    if (greeting) {
        client->due_ms = now;
        if (!good)
            client_close(client, now);
        return;
    }
    client->due_ms = client->sent_ms + client->period_ms;
    if (!good) {
        client_fails(client, client->sent_ms);
        if (client->kind != WATCHER)
            client_close(client, now);
        return;
    }
    client->done++;
    client_outage_ends(client, now);
    if (client->kind == WRITER)
        run->acked[run->next - 1] = 1;
    if (client->kind == WATCHER)
        run_accepted(run, client, now);
    if (client->left > 0 && --client->left == 0) {
        close(client->fd);
        client->fd = -1;
        client->state = CLOSED;
    }
}

// Is there one whole reply? Lines, and bulk strings as GET answers.
static bool
reply_is_whole(const char *in, size_t length)
{
    const char *end = memchr(in, '\n', length);
    if (!end)
        return false;
    if (in[0] != '$' || in[1] == '-')
        return true;
    size_t head = (size_t) (end + 1 - in);
    return length >= head + strtoul(in + 1, NULL, 10) + 2;
}

static void
run_receive(struct run *run, struct client *client, int64_t now)
{
    ssize_t got =
        recv(client->fd, client->in + client->in_length, BUFFER - 1 - client->in_length, 0);
    if (got <= 0) {
        client_close(client, now);
        return;
    }
    client->in_length += (size_t) got;
    client->in[client->in_length] = 0;
    if (reply_is_whole(client->in, client->in_length))
        run_replied(run, client, now);
}

static void
run_due(struct run *run, struct client *client, int64_t now)
{
    if (now < client->due_ms)
        return;
    if (client->state == CLOSED)
        client_open(client, now);
    else if (client->state == READY)
        run_command(run, client, now);
    else
        client_close(client, now);
}

static void
run_step(struct run *run)
{
    struct pollfd fds[CLIENT_MAX];
    int64_t now = now_ms(), wait = 100;
    for (size_t i = 0; i < run->count; i++) {
        struct client *client = &run->clients[i];
        run_due(run, client, now);
        fds[i].fd = client->fd;
        fds[i].events = client->state == CONNECTING ? POLLOUT : POLLIN;
        if (client->due_ms - now < wait)
            wait = client->due_ms > now ? client->due_ms - now : 0;
    }
    if (poll(fds, run->count, (int) wait) <= 0)
        return;
    now = now_ms();
    for (size_t i = 0; i < run->count; i++) {
        if (!fds[i].revents)
            continue;
        if (run->clients[i].state == CONNECTING)
            client_greet(&run->clients[i], run->reconnect, now);
        else
            run_receive(run, &run->clients[i], now);
    }
}

static struct client *
run_add(struct run *run, enum kind kind, const char *address, unsigned port, int64_t period_ms)
{
    if (run->count == CLIENT_MAX)
        die("too many workers to watch");
    struct client *client = &run->clients[run->count++];
    client->kind = kind;
    client->address = address;
    client->port = port;
    client->period_ms = period_ms;
    client->password = getenv("REDISCLI_AUTH");
    client->fd = -1;
    client->failing_ms = client->accepted_ms = -1;
    if (kind == WATCHER) {
        client->user = "status";
        client->password = getenv("STATUS_AUTH");
    }
    return client;
}

// Connect to where the writes went and log in, as a stream with a deadline on every read. NULL: not
// now.
static FILE *
verify_open(const struct client *writer)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) writer->port)};
    struct timeval limit = {.tv_sec = REPLY_MS / 1000};
    inet_pton(AF_INET, writer->address, &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    FILE *stream = connect(fd, (struct sockaddr *) &to, sizeof to) ? NULL : fdopen(fd, "r+");
    if (!stream) {
        close(fd);
        return NULL;
    }
    char line[256];
    if (writer->password) {
        fprintf(stream, "AUTH default %s\r\n", writer->password);
        if (fflush(stream) || !fgets(line, sizeof line, stream) || line[0] != '+') {
            fclose(stream);
            return NULL;
        }
    }
    return stream;
}

// One batch: which of the numbers from..to-1 does the cluster hold? -1: it did not say.
static int
verify_batch(FILE *stream, uint64_t from, uint64_t to, unsigned char *held)
{
    char line[256];
    fputs("MGET", stream);
    for (uint64_t number = from; number < to; number++)
        fprintf(stream, " w:%llu", (unsigned long long) number);
    fputs("\r\n", stream);
    if (fflush(stream) || !fgets(line, sizeof line, stream) || line[0] != '*')
        return -1;
    for (uint64_t number = from; number < to; number++) {
        if (!fgets(line, sizeof line, stream) || line[0] != '$')
            return -1;
        if (line[1] == '-')
            continue;
        if (!fgets(line, sizeof line, stream))
            return -1;
        held[number] = strtoull(line, NULL, 10) == number;
    }
    return 0;
}

static int
verify_once(const struct run *run, unsigned char *held)
{
    FILE *stream = verify_open(&run->clients[0]);
    if (!stream)
        return -1;
    int result = 0;
    for (uint64_t from = 0; from < run->next && !result; from += VERIFY_BATCH) {
        uint64_t to = from + VERIFY_BATCH < run->next ? from + VERIFY_BATCH : run->next;
        result = verify_batch(stream, from, to, held);
    }
    fclose(stream);
    return result;
}

// How many acknowledged writes the cluster does not have. -1: it did not answer in time.
static int64_t
verify(const struct run *run)
{
    int64_t end = now_ms() + VERIFY_MS, lost = 0;
    unsigned char *held = calloc(run->next + 1, 1);
    if (!held)
        die("memory");
    while (verify_once(run, held)) {
        if (now_ms() >= end) {
            free(held);
            return -1;
        }
        memset(held, 0, run->next + 1);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    for (uint64_t number = 0; number < run->next; number++) {
        if (!run->acked[number] || held[number])
            continue;
        if (!lost++)
            fprintf(
                stderr, "writer: w:%llu is the first that is lost\n", (unsigned long long) number);
    }
    free(held);
    return lost;
}

static void
report(struct run *run)
{
    struct client *writer = &run->clients[0], *reader = &run->clients[1];
    client_outage_ends(writer, now_ms());
    client_outage_ends(reader, now_ms());
    int64_t lost = verify(run);
    printf("{\"acked\": %llu, \"failed\": %llu, \"lost\": %lld, \"write_outage_s\": %.3f, "
           "\"reads\": %llu, \"read_outage_s\": %.3f, \"two_masters\": %llu}\n",
        (unsigned long long) writer->done, (unsigned long long) writer->failed, (long long) lost,
        (double) writer->outage_ms / 1000, (unsigned long long) reader->done,
        (double) reader->outage_ms / 1000, (unsigned long long) run->two_masters);
}

static _Noreturn void
usage(void)
{
    fputs(
        "usage: writer [-r COMMANDS] [-p PERIOD_MS] HEAD [WORKER...]\n"
        "Addresses are IPv4. -r: a new connection after so many commands. -p: between two writes\n"
        "(4). Passwords by REDISCLI_AUTH (the application) and STATUS_AUTH (user status).\n",
        stderr);
    exit(2);
}

int
main(int argc, char **argv)
{
    static struct run run;
    int64_t period = 4;
    for (int option; (option = getopt(argc, argv, "r:p:")) != -1;) {
        if (option == 'r')
            run.reconnect = (unsigned) strtoul(optarg, NULL, 10);
        else if (option == 'p')
            period = strtoll(optarg, NULL, 10);
        else
            usage();
    }
    if (optind == argc)
        usage();
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    run_add(&run, WRITER, argv[optind], 6380, period);
    run_add(&run, READER, argv[optind], 6379, 10);
    for (int i = optind + 1; i < argc; i++)
        run_add(&run, WATCHER, argv[i], 6379, WATCH_PERIOD_MS);
    while (!stopping)
        run_step(&run);
    report(&run);
    return 0;
}
