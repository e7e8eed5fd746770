// load.c - the two clients of a load, and what became of their writes. Each has one connection,
// asks at its own rate without waiting for the answer before (so a slow cluster gets no fewer
// requests), and reconnects as clients do: not after an error reply, always when the connection
// broke or does not answer.
// SPDX-License-Identifier: Apache-2.0
#include "probe/load.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "probe/resp.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#define MOMENT_US 100000 // requests that were missed for no longer are made up for
#define BATCH 256        // commands under way at once, of load_verify and load_forget

struct load_client { // a thread; until it is joined, only the thread uses these
    struct load *load;
    bool writes; // else it reads
    unsigned port, per_s;
    pthread_t thread;
    bool running;
    struct resp_conn conn; // closed between two connections
    unsigned next;         // number of the next write
    int64_t due_us;        // when to send next, in microseconds as clock_ms counts
    int64_t open_ms;       // when to connect next
    struct load_sample *samples;
    size_t count, capacity, ended; // those from ended on are under way, oldest first
};

struct load {
    char *address, *prefix;
    char *user, *password; // of access
    struct probe_access access;
    int64_t answer_ms, reconnect_ms;
    int stop; // eventfd: readable from when both must end
    atomic_ullong acked;
    _Atomic int64_t acked_ms;
    atomic_uint latest; // number of the last acknowledged write; 0: none yet
    struct load_client writer, reader;
};

// Returns the key of a write; the caller frees it.
static char *
load_key(const struct load *load, unsigned number)
{
    return str_format("%s:%u", load->prefix, number);
}

static bool
holds_write(const redisReply *reply, unsigned number)
{
    char value[16];
    snprintf(value, sizeof value, "%u", number);
    return reply->type == REDIS_REPLY_STRING && str_equal(reply->str, value);
}

// Ends the oldest attempt under way.
static void
end_attempt(struct load_client *client, enum load_outcome outcome)
{
    struct load_sample *sample = &client->samples[client->ended++];
    sample->outcome = outcome;
    sample->ended_ms = clock_ms();
    if (!client->writes || outcome != LOAD_ACKED)
        return;
    atomic_fetch_add(&client->load->acked, 1);
    atomic_store(&client->load->acked_ms, sample->ended_ms);
    atomic_store(&client->load->latest, sample->number);
}

// ---- the connection -----------------------------------------------------------------------------

static void
send_one(struct load_client *client)
{
    unsigned number = client->writes ? client->next++ : atomic_load(&client->load->latest);
    FREE_AUTO char *key = load_key(client->load, number);
    FREE_AUTO char *value = str_format("%u", number);
    mem_grow(&client->samples, &client->capacity, client->count + 1, sizeof *client->samples);
    client->samples[client->count++] =
        (struct load_sample){.sent_ms = clock_ms(), .number = number};
    client->due_us += 1000000 / client->per_s;
    if (client->writes)
        resp_ask(&client->conn, "SET", key, value);
    else
        resp_ask(&client->conn, "GET", key);
}

// Closes a connection that broke or does not answer; that ends all attempts under way.
static void
give_up_client(struct load_client *client)
{
    const struct resp_conn *conn = &client->conn;
    enum load_outcome outcome = conn->refused ? LOAD_REFUSED : LOAD_BROKEN;
    if (!resp_is_closed(conn) && conn->connected)
        outcome = LOAD_SILENT;
    while (client->ended < client->count)
        end_attempt(client, outcome);
    resp_close(&client->conn);
    client->open_ms = clock_ms() + client->load->reconnect_ms;
}

// Returns when the oldest attempt under way times out; INT64_MAX when there is none.
static int64_t
late_ms(const struct load_client *client)
{
    return client->ended < client->count
               ? client->samples[client->ended].sent_ms + client->load->answer_ms
               : INT64_MAX;
}

// Waits until there is something to do. Returns false when the load must end.
static bool
wait_for(struct load_client *client, bool stopping)
{
    const struct resp_conn *conn = &client->conn;
    int64_t until = resp_is_closed(conn) ? client->open_ms : late_ms(client);
    if (!resp_is_closed(conn) && !stopping && client->due_us / 1000 < until)
        until = client->due_us / 1000;
    struct pollfd fds[] = {
        resp_pollfd(conn),
        {.fd = stopping ? -1 : client->load->stop, .events = POLLIN},
    };
    poll(fds, sizeof fds / sizeof *fds, (int) clock_left(until));
    if (fds[0].revents != 0)
        resp_turn(&client->conn);
    return fds[1].revents == 0;
}

// When the load must end, it sends nothing more and waits for the replies that are due.
static void *
load_thread(void *context)
{
    struct load_client *client = context;
    const struct load *load = client->load;
    struct resp_conn *conn = &client->conn;
    bool stopping = false;
    while (!stopping || client->ended < client->count) {
        if (resp_is_closed(conn) && clock_left(client->open_ms) == 0) {
            resp_open(conn, load->address, client->port, &load->access);
            client->due_us = clock_ms() * 1000;
            send_one(client); // a connection that fails at once counts as a failed attempt, too
        }
        if (!resp_is_closed(conn) && !stopping) {
            int64_t now_us = clock_ms() * 1000;
            // Requests that an outage prevented are not sent later: that would raise the rate.
            if (client->due_us < now_us - MOMENT_US)
                client->due_us = now_us;
            while (client->due_us <= now_us)
                send_one(client);
        }
        stopping = !wait_for(client, stopping) || stopping;
        redisReply *reply;
        while (client->ended < client->count && (reply = resp_reply(conn)) != NULL) {
            unsigned number = client->samples[client->ended].number;
            // nil is a good reply to a read, as a replica may not have the key yet; any other value
            // than the one written is not.
            bool good = client->writes
                            ? reply->type == REDIS_REPLY_STATUS
                            : reply->type == REDIS_REPLY_NIL || holds_write(reply, number);
            end_attempt(client, good ? LOAD_ACKED : LOAD_REFUSED);
            freeReplyObject(reply);
        }
        if ((resp_is_closed(conn) && client->ended < client->count) ||
            clock_left(late_ms(client)) == 0)
            give_up_client(client);
    }
    resp_close(conn);
    return NULL;
}

// ---- the load ------------------------------------------------------------------------------------

int
load_start(const struct load_options *options, struct load **ret, struct error *err)
{
    LOAD_AUTO struct load *load = mem_zero(1, sizeof *load);
    load->address = str_dup(options->address);
    load->prefix = str_dup(options->prefix);
    load->user = str_dup(options->access->user);
    load->password = str_dup(options->access->password);
    load->access = (struct probe_access){.user = load->user, .password = load->password};
    load->answer_ms = options->answer_ms;
    load->reconnect_ms = options->reconnect_ms;
    load->acked_ms = clock_ms();
    load->writer = (struct load_client){.load = load,
        .writes = true,
        .next = 1,
        .port = PROBE_WRITE_PORT,
        .per_s = options->writes_per_s};
    load->reader =
        (struct load_client){.load = load, .port = PROBE_READ_PORT, .per_s = options->reads_per_s};
    load->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (load->stop < 0)
        return error_errno(err, errno, "cannot start a load");
    struct load_client *clients[] = {&load->writer, &load->reader};
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        int number = thread_start(&clients[i]->thread, load_thread, clients[i]);
        if (number != 0)
            return error_errno(err, number, "cannot start a client of the load");
        clients[i]->running = true;
    }
    *ret = TAKE(load);
    return 0;
}

void
load_stop(struct load *load)
{
    struct load_client *clients[] = {&load->writer, &load->reader};
    if (load->stop >= 0)
        eventfd_write(load->stop, 1);
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        if (clients[i]->running)
            pthread_join(clients[i]->thread, NULL);
        clients[i]->running = false;
    }
}

void
load_free(struct load *load)
{
    if (load == NULL)
        return;
    load_stop(load);
    if (load->stop >= 0)
        close(load->stop);
    free(load->writer.samples);
    free(load->reader.samples);
    free(load->address);
    free(load->prefix);
    free(load->user);
    free(load->password);
    free(load);
}

const struct load_sample *
load_writes(const struct load *load, size_t *ret_count)
{
    *ret_count = load->writer.count;
    return load->writer.samples;
}

const struct load_sample *
load_reads(const struct load *load, size_t *ret_count)
{
    *ret_count = load->reader.count;
    return load->reader.samples;
}

void
load_now(struct load *load, unsigned long long *ret_acked, int64_t *ret_silence_ms)
{
    *ret_acked = atomic_load(&load->acked);
    *ret_silence_ms = clock_ms() - atomic_load(&load->acked_ms);
}

// ---- afterwards ----------------------------------------------------------------------------------

// Reads the acknowledged writes and marks those that are lost, or (verify is false) removes all
// keys. false: no more replies come. The account `status` may use one key a command, so a whole
// batch is under way at once.
static bool
visit_writes(const struct load *load, struct resp_conn *conn, bool verify, int64_t end_ms)
{
    struct load_sample *samples = load->writer.samples;
    size_t count = load->writer.count, to;
    for (size_t from = 0; from < count; from = to) {
        to = count - from < BATCH ? count : from + BATCH;
        for (size_t i = from; i < to; i++) {
            FREE_AUTO char *key = load_key(load, samples[i].number);
            if (!verify || samples[i].outcome == LOAD_ACKED)
                resp_ask(conn, verify ? "GET" : "DEL", key);
        }
        for (size_t i = from; i < to; i++) {
            if (verify && samples[i].outcome != LOAD_ACKED)
                continue;
            redisReply *reply = resp_wait(conn, end_ms);
            if (reply == NULL)
                return false;
            if (verify)
                samples[i].lost = !holds_write(reply, samples[i].number);
            if (verify && reply->type == REDIS_REPLY_ERROR)
                resp_fail_reply(conn, reply);
            freeReplyObject(reply);
            if (resp_is_closed(conn))
                return false;
        }
    }
    return true;
}

int
load_verify(struct load *load, const char *address, int64_t deadline_ms,
    unsigned long long *ret_acked, unsigned long long *ret_lost, struct error *err)
{
    int64_t end_ms = clock_ms() + deadline_ms;
    const struct load_sample *samples = load->writer.samples;
    RESP_AUTO struct resp_conn conn;
    resp_open(&conn, address, PROBE_REDIS_PORT, &load->access);
    if (!visit_writes(load, &conn, true, end_ms)) {
        if (resp_is_closed(&conn))
            return error_set(err, ERR_FAILED,
                "cannot read the writes back from '%s': %s; see 'airbuild status'", address,
                conn.error);
        return error_set(err, ERR_TIMEOUT,
            "reading the writes back from '%s' timed out; see 'airbuild status'", address);
    }
    *ret_acked = *ret_lost = 0;
    for (size_t i = 0; i < load->writer.count; i++) {
        *ret_acked += samples[i].outcome == LOAD_ACKED;
        *ret_lost += samples[i].lost;
    }
    return 0;
}

void
load_forget(const struct load *load, const char *address, int64_t deadline_ms)
{
    int64_t end_ms = clock_ms() + deadline_ms;
    RESP_AUTO struct resp_conn conn;
    resp_open(&conn, address, PROBE_REDIS_PORT, &load->access);
    visit_writes(load, &conn, false, end_ms);
}

bool
load_accepts(
    const char *address, const struct probe_access *access, const char *key, int64_t deadline_ms)
{
    RESP_AUTO struct resp_conn conn;
    resp_open(&conn, address, PROBE_REDIS_PORT, access);
    resp_ask(&conn, "SET", key, "1");
    redisReply *reply = resp_wait(&conn, clock_ms() + deadline_ms);
    bool accepted = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (reply != NULL)
        freeReplyObject(reply);
    return accepted;
}
