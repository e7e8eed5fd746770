// writer.c - the client of the fast tests during failures: the load of the drills, and regular
// writes to every worker, to see whether two of them accept writes at the same time. On SIGTERM it
// reads all acknowledged writes from the master and prints its results as one JSON object.
//
// usage: writer HEAD WORKER... (IPv4 addresses; STATUS_AUTH: password of the user status)
//
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "probe/load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PREFIX "airbuild:written"
#define WATCH_KEY "airbuild:watched"
#define WATCH_MS 250     // between two rounds of writes to all workers
#define ACCEPT_MS 200    // for one worker to accept a write
#define VERIFY_MS 30000U // to find a master, and for its answer

// Returns how many workers accept a write; *ret_last is the last of them. Reports two at once.
static int
accepting(char **workers, const struct probe_access *access, const char **ret_last)
{
    int count = 0;
    for (char **worker = workers; *worker != NULL; worker++) {
        if (!load_accepts(*worker, access, WATCH_KEY, ACCEPT_MS))
            continue;
        if (count > 0)
            fprintf(stderr, "writer: %s and %s take writes, at %lld\n", *ret_last, *worker,
                (long long) time(NULL));
        *ret_last = *worker;
        count++;
    }
    return count;
}

// Returns how many acknowledged writes the master lacks; -1: unknown.
static long long
count_lost(struct load *load, char **workers, const struct probe_access *access)
{
    const char *master = NULL;
    unsigned long long acked, lost;
    int64_t end_ms = clock_ms() + VERIFY_MS;
    ERROR_AUTO struct error err = {0};
    while (accepting(workers, access, &master) != 1 && clock_left(end_ms) > 0)
        clock_sleep(WATCH_MS, &err);
    if (master != NULL && load_verify(load, master, VERIFY_MS, &acked, &lost, &err) == 0)
        return (long long) lost;
    fprintf(stderr, "writer: %s\n", master == NULL ? "no worker takes a write" : err.message);
    return -1;
}

// Print when lost writes were acknowledged, in seconds since the first write.
static void
print_lost(const struct load_sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i].lost)
            fprintf(stderr, "writer: lost: %u, acknowledged at %.3f s\n", samples[i].number,
                (double) (samples[i].ended_ms - samples[0].sent_ms) / 1000);
}

static unsigned long long
count_outcome(const struct load_sample *samples, size_t count, bool acked)
{
    unsigned long long sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (samples[i].outcome == LOAD_ACKED) == acked;
    return sum;
}

static double
outage_s(const struct load_sample *samples, size_t count)
{
    struct load_gap gap = load_outage(samples, count, 0, clock_ms());
    return (double) (gap.to_ms - gap.from_ms) / 1000;
}

static void
report(const struct load *load, long long lost, unsigned two_masters)
{
    size_t writes, reads;
    const struct load_sample *write = load_writes(load, &writes), *read = load_reads(load, &reads);
    print_lost(write, writes);
    printf("{\"acked\": %llu, \"failed\": %llu, \"lost\": %lld, \"write_outage_s\": %.3f, "
           "\"reads\": %llu, \"read_outage_s\": %.3f, \"two_masters\": %u}\n",
        count_outcome(write, writes, true), count_outcome(write, writes, false), lost,
        outage_s(write, writes), count_outcome(read, reads, true), outage_s(read, reads),
        two_masters);
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: writer HEAD WORKER...\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); // as airbuild does
    struct probe_access access = {.user = "status", .password = getenv("STATUS_AUTH")};
    struct load_options options = {.address = argv[1],
        .access = &access,
        .prefix = PREFIX,
        .writes_per_s = 250,
        .reads_per_s = 100,
        .answer_ms = 1000,
        .reconnect_ms = 20};
    ERROR_AUTO struct error err = {0};
    LOAD_AUTO struct load *load = NULL;
    unsigned two_masters = 0;
    if (interrupt_install(&err) < 0 || load_start(&options, &load, &err) < 0) {
        fprintf(stderr, "writer: %s\n", err.message);
        return 1;
    }
    for (const char *last; clock_sleep(WATCH_MS, &err) == 0;)
        two_masters += accepting(argv + 2, &access, &last) > 1;
    interrupt_acknowledge();
    load_stop(load);
    report(load, count_lost(load, argv + 2, &access), two_masters);
    return 0;
}
