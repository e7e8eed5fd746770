// load.c - the two clients of a load: each has one connection and one attempt under way at a time,
// and reconnects like a client of the ecosystem: not when it is refused, always when the connection
// broke or stays silent. What the samples mean is load_measure.c's.
// SPDX-License-Identifier: Apache-2.0
#include "probe/load_state.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

char *
load_key(const struct load *load, unsigned number)
{
    return str_format("%s:%u", load->prefix, number);
}

// ---- one attempt ----------------------------------------------------------------------------------

static void
ask(struct load_client *client, const char *key, unsigned number)
{
    char value[16];
    snprintf(value, sizeof value, "%u", number);
    if (client->writes)
        exchange_ask(&client->exchange, "SET", key, value);
    else
        exchange_ask(&client->exchange, "GET", key);
}

// A replica may not have it yet, so nothing is a good answer to a read; anything else than what was
// written is not.
static enum load_outcome
judge(const struct load_client *client, unsigned number, const redisReply *reply)
{
    char value[16];
    snprintf(value, sizeof value, "%u", number);
    bool good = client->writes
                    ? reply->type == REDIS_REPLY_STATUS
                    : reply->type == REDIS_REPLY_NIL ||
                          (reply->type == REDIS_REPLY_STRING && str_equal(reply->str, value));
    return good ? LOAD_ACKED : LOAD_REFUSED;
}

static enum load_outcome
attempt(struct load_client *client, unsigned number)
{
    const struct load *load = client->load;
    struct exchange *exchange = &client->exchange;
    int64_t end_ms = clock_ms() + load->answer_ms;
    if (wire_over(&exchange->wire))
        exchange_open(exchange, load->address, client->port, &load->access);
    FREE_AUTO char *key = load_key(load, number);
    ask(client, key, number);
    redisReply *reply = exchange_hear(exchange, end_ms);
    if (reply != NULL) {
        enum load_outcome outcome = judge(client, number, reply);
        freeReplyObject(reply);
        wire_renew(&exchange->wire);
        return outcome;
    }
    enum load_outcome outcome = exchange->refused ? LOAD_REFUSED : LOAD_BROKEN;
    if (!wire_over(&exchange->wire) && exchange->wire.connected)
        outcome = LOAD_SILENT;
    exchange_close(exchange);
    return outcome;
}

static void
remember(struct load_client *client, const struct load_sample *sample)
{
    mem_grow(&client->samples, &client->capacity, client->count + 1, sizeof *client->samples);
    client->samples[client->count++] = *sample;
    if (!client->writes || sample->outcome != LOAD_ACKED)
        return;
    atomic_fetch_add(&client->load->acked, 1);
    atomic_store(&client->load->acked_ms, sample->ended_ms);
    atomic_store(&client->load->latest, sample->number);
}

// ---- a thread ---------------------------------------------------------------------------------------

// False: no more.
static bool
pause_until(const struct load *load, int64_t until_ms)
{
    struct pollfd fd = {.fd = load->stop, .events = POLLIN};
    return poll(&fd, 1, (int) clock_left(until_ms)) <= 0;
}

// A client that fell behind does not catch up: its rate is never above what was asked for.
static void *
run(void *context)
{
    struct load_client *client = context;
    const struct load *load = client->load;
    int64_t due_us = clock_ms() * 1000;
    unsigned next = 1;
    while (pause_until(load, due_us / 1000)) {
        unsigned number = client->writes ? next++ : atomic_load(&load->latest);
        struct load_sample sample = {.sent_ms = clock_ms(), .number = number};
        sample.outcome = attempt(client, number);
        sample.ended_ms = clock_ms();
        remember(client, &sample);
        due_us += 1000000 / client->per_s;
        int64_t earliest_ms =
            sample.ended_ms + (wire_over(&client->exchange.wire) ? load->reconnect_ms : 0);
        if (due_us < earliest_ms * 1000)
            due_us = earliest_ms * 1000;
    }
    exchange_close(&client->exchange);
    return NULL;
}

// Signals are for the thread that waits for them.
static int
start(struct load_client *client, struct error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&client->thread, NULL, run, client);
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
        .port = PROBE_WRITE_PORT,
        .per_s = options->writes_per_s,
        .exchange.wire.fd = -1};
    load->reader = (struct load_client){.load = load,
        .port = PROBE_READ_PORT,
        .per_s = options->reads_per_s,
        .exchange.wire.fd = -1};
    load->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return load;
}

int
load_start(const struct load_options *options, struct load **ret, struct error *err)
{
    LOAD_AUTO struct load *load = load_new(options);
    if (load->stop < 0)
        return error_errno(err, errno, "cannot start a load");
    if (start(&load->writer, err) < 0 || start(&load->reader, err) < 0)
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
