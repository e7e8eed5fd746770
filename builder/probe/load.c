// load.c - the two clients of a load: each has one connection, asks at its own pace without waiting
// for the answer before (so a slow cluster is asked no less), and reconnects as clients do: not
// when it is refused, always when the connection broke or stays silent. What the samples mean is
// load_measure.c's.
// SPDX-License-Identifier: Apache-2.0
#include "probe/load_state.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#define MOMENT_US 100000 // what is missed within it is made up for

char *
load_key(const struct load *load, unsigned number)
{
    return str_format("%s:%u", load->prefix, number);
}

// ---- attempts -----------------------------------------------------------------------------------

static void
send_attempt(struct load_client *client, unsigned number)
{
    char value[16];
    snprintf(value, sizeof value, "%u", number);
    FREE_AUTO char *key = load_key(client->load, number);
    if (client->writes)
        resp_ask(&client->conn, "SET", key, value);
    else
        resp_ask(&client->conn, "GET", key);
}

// A replica may not have it yet, so nothing is a good answer to a read; anything else than what was
// written is not.
static enum load_outcome
judge_reply(const struct load_client *client, unsigned number, const redisReply *reply)
{
    char value[16];
    snprintf(value, sizeof value, "%u", number);
    bool good = client->writes
                    ? reply->type == REDIS_REPLY_STATUS
                    : reply->type == REDIS_REPLY_NIL ||
                          (reply->type == REDIS_REPLY_STRING && str_equal(reply->str, value));
    return good ? LOAD_ACKED : LOAD_REFUSED;
}

// The oldest attempt under way has ended.
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
    mem_grow(&client->samples, &client->capacity, client->count + 1, sizeof *client->samples);
    client->samples[client->count++] =
        (struct load_sample){.sent_ms = clock_ms(), .number = number};
    client->due_us += 1000000 / client->per_s;
    send_attempt(client, number);
}

// Not what was missed in an outage: the rate would be another.
static void
send_due(struct load_client *client)
{
    int64_t now_us = clock_ms() * 1000;
    if (client->due_us < now_us - MOMENT_US)
        client->due_us = now_us;
    while (client->due_us <= now_us)
        send_one(client);
}

// A connection that cannot even be begun is an attempt that failed, too.
static void
connect_again(struct load_client *client)
{
    const struct load *load = client->load;
    resp_open(&client->conn, load->address, client->port, &load->access);
    client->due_us = clock_ms() * 1000;
    send_one(client);
}

static void
read_replies(struct load_client *client)
{
    redisReply *reply;
    while (client->ended < client->count && (reply = resp_reply(&client->conn)) != NULL) {
        end_attempt(client, judge_reply(client, client->samples[client->ended].number, reply));
        freeReplyObject(reply);
    }
}

// It broke, or stays silent: whatever is under way has ended with it.
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

// When the oldest attempt has waited long enough; far away when there is none.
static int64_t
late_ms(const struct load_client *client)
{
    return client->ended < client->count
               ? client->samples[client->ended].sent_ms + client->load->answer_ms
               : INT64_MAX;
}

// Sleep until there is something to do. False: the load is to end.
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

// Told to end, it waits for the answers that are still to come and asks nothing more.
static void *
load_thread(void *context)
{
    struct load_client *client = context;
    struct resp_conn *conn = &client->conn;
    bool stopping = false;
    while (!stopping || client->ended < client->count) {
        if (resp_is_closed(conn) && clock_left(client->open_ms) == 0)
            connect_again(client);
        if (!resp_is_closed(conn) && !stopping)
            send_due(client);
        stopping = !wait_for(client, stopping) || stopping;
        read_replies(client);
        if ((resp_is_closed(conn) && client->ended < client->count) ||
            clock_left(late_ms(client)) == 0)
            give_up_client(client);
    }
    resp_close(&client->conn);
    return NULL;
}

// Signals are for the thread that waits for them.
static int
start_client(struct load_client *client, struct error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&client->thread, NULL, load_thread, client);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    client->running = number == 0;
    return number == 0 ? 0 : error_errno(err, number, "cannot start a client of the load");
}

// ---- the load ---------------------------------------------------------------------------------------

static struct load *
load_new(const struct load_options *options)
{
    struct load *load = mem_zero(1, sizeof *load);
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
    return load;
}

int
load_start(const struct load_options *options, struct load **ret, struct error *err)
{
    LOAD_AUTO struct load *load = load_new(options);
    if (load->stop < 0)
        return error_errno(err, errno, "cannot start a load");
    if (start_client(&load->writer, err) < 0 || start_client(&load->reader, err) < 0)
        return -1;
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

void
load_freep(struct load **load)
{
    load_free(*load);
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
