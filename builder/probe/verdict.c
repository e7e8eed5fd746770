// verdict.c - whether what the nodes said makes a converged cluster, and if not, what is still
// awaited. Pure.
// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct cluster_view {
    const struct probe_target *targets;
    const struct probe_result *results;
    size_t count;
    unsigned quorum;
    struct probe_verdict *verdict;
};

// Note what is awaited. Always false, so that a rule can end with it.
static bool __attribute__((format(printf, 2, 3)))
await(const struct cluster_view *view, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(view->verdict->awaited, sizeof view->verdict->awaited, format, args);
    va_end(args);
    return false;
}

static bool
is_worker(const struct cluster_view *view, size_t i)
{
    return !view->targets[i].head && view->targets[i].running;
}

// What those that run say cannot help when they are too few; a sentinel of one that is alone does
// not even start (images/files/redis/usr/lib/airbuild/wait-in-sync).
static bool
enough_workers_run(const struct cluster_view *view)
{
    unsigned running = 0;
    for (size_t i = 0; i < view->count; i++)
        running += is_worker(view, i);
    if (running < view->quorum || running == 0)
        return await(
            view, "workers that run: %u, too few for a quorum of %u", running, view->quorum);
    return true;
}

static bool
every_redis_answers(const struct cluster_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct probe_redis *redis = &view->results[i].redis;
        if (!is_worker(view, i))
            continue;
        if (!redis->answered)
            return await(
                view, "redis on '%s' does not answer: %s", view->targets[i].name, redis->error);
        if (redis->loading)
            return await(view, "redis on '%s' still loads its data", view->targets[i].name);
    }
    return true;
}

static bool
every_sentinel_answers(const struct cluster_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct probe_sentinel *sentinel = &view->results[i].sentinel;
        if (!is_worker(view, i))
            continue;
        if (!sentinel->answered)
            return await(view, "sentinel on '%s' does not answer: %s", view->targets[i].name,
                sentinel->error);
        if (sentinel->master[0] == '\0')
            return await(view, "sentinel on '%s' names no master", view->targets[i].name);
    }
    return true;
}

// The running sentinels that name this address.
static unsigned
named_by(const struct cluster_view *view, const char *address)
{
    unsigned voices = 0;
    for (size_t i = 0; i < view->count; i++)
        voices += is_worker(view, i) && view->results[i].sentinel.answered &&
                  str_equal(view->results[i].sentinel.master, address);
    return voices;
}

// The worker that says role:master and that at least a quorum names, -1 when there is none.
static int
find_master(const struct cluster_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        unsigned voices = named_by(view, view->targets[i].address);
        if (is_worker(view, i) && view->results[i].redis.role == PROBE_MASTER && voices > 0 &&
            voices >= view->quorum)
            return (int) i;
    }
    return -1;
}

static const char *
name_of(const struct cluster_view *view, const char *address)
{
    for (size_t i = 0; i < view->count; i++)
        if (str_equal(view->targets[i].address, address))
            return view->targets[i].name;
    return address;
}

// All sentinels have answered here. They agree when each names what the first one names.
static bool
sentinels_agree(const struct cluster_view *view)
{
    size_t first = 0;
    while (!is_worker(view, first))
        first++;
    const char *named = view->results[first].sentinel.master;
    for (size_t i = first + 1; i < view->count; i++) {
        const char *other = view->results[i].sentinel.master;
        if (is_worker(view, i) && !str_equal(other, named))
            return await(view, "sentinel on '%s' names '%s' master, that on '%s' names '%s'",
                view->targets[first].name, name_of(view, named), view->targets[i].name,
                name_of(view, other));
    }
    if (view->verdict->master < 0)
        return await(
            view, "the sentinels name '%s', which is not a running master", name_of(view, named));
    return true;
}

static bool
every_replica_follows(const struct cluster_view *view)
{
    const struct probe_target *master = &view->targets[view->verdict->master];
    for (size_t i = 0; i < view->count; i++) {
        const struct probe_redis *redis = &view->results[i].redis;
        const char *name = view->targets[i].name;
        if (!is_worker(view, i) || (int) i == view->verdict->master)
            continue;
        if (redis->role == PROBE_MASTER)
            return await(view, "'%s' says that it is a master too", name);
        if (redis->role == PROBE_ROLE_UNKNOWN)
            return await(view, "'%s' does not say which role it has", name);
        if (!str_equal(redis->master, master->address))
            return await(view, "'%s' follows '%s' and not '%s' yet", name,
                name_of(view, redis->master), master->name);
        if (redis->syncing)
            return await(view, "'%s' still copies the data of '%s'", name, master->name);
        if (!redis->link_up)
            return await(view, "'%s' has no link to '%s' yet", name, master->name);
    }
    return true;
}

static bool
head_serves(const struct cluster_view *view, size_t i)
{
    const struct probe_head *head = &view->results[i].head;
    const char *name = view->targets[i].name;
    if (!view->targets[i].running)
        return await(view, "'%s' does not run", name);
    if (!head->written)
        return await(view, "'%s' serves no writes: %s", name, head->write_error);
    if (head->writer >= 0 && head->writer != view->verdict->master)
        return await(view, "'%s' sends writes to '%s', which is not the master", name,
            view->targets[head->writer].name);
    if (!head->read_back)
        return await(view, "'%s' serves no reads: %s", name, head->read_error);
    return true;
}

static bool
some_head_serves(const struct cluster_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->targets[i].head)
            return head_serves(view, i);
    return await(view, "there is no head to serve it");
}

static bool
knows(const struct probe_sentinel *sentinel, const char *address)
{
    for (unsigned i = 0; i < sentinel->peer_count; i++)
        if (str_equal(sentinel->peers[i], address))
            return true;
    return false;
}

static bool
is_workers_address(const struct cluster_view *view, const char *address)
{
    for (size_t i = 0; i < view->count; i++)
        if (!view->targets[i].head && str_equal(view->targets[i].address, address))
            return true;
    return false;
}

// Each other worker's that runs, and none besides: one that is nobody's counts for the majority.
static bool
sentinel_knows(const struct cluster_view *view, size_t i)
{
    const struct probe_sentinel *sentinel = &view->results[i].sentinel;
    const char *name = view->targets[i].name;
    for (size_t k = 0; k < view->count; k++)
        if (is_worker(view, k) && k != i && !knows(sentinel, view->targets[k].address))
            return await(
                view, "sentinel on '%s' does not know that on '%s'", name, view->targets[k].name);
    for (unsigned k = 0; k < sentinel->peer_count; k++)
        if (!is_workers_address(view, sentinel->peers[k]))
            return await(view, "sentinel on '%s' counts with one at '%s', which is no worker", name,
                sentinel->peers[k]);
    if (sentinel->other_sentinels != sentinel->peer_count)
        return await(view, "sentinel on '%s' counts with %u others, and names %u", name,
            sentinel->other_sentinels, sentinel->peer_count);
    return true;
}

// Whether it would elect that worker: it knows it, and does not take it for down.
static bool
could_elect(const struct cluster_view *view, size_t i, size_t k)
{
    const struct probe_sentinel *sentinel = &view->results[i].sentinel;
    for (unsigned n = 0; n < sentinel->known_count; n++)
        if (str_equal(sentinel->known[n].address, view->targets[k].address))
            return !sentinel->known[n].down ||
                   await(view, "sentinel on '%s' takes redis on '%s' for down",
                       view->targets[i].name, view->targets[k].name);
    return await(view, "sentinel on '%s' does not know redis on '%s'", view->targets[i].name,
        view->targets[k].name);
}

static bool
sentinel_sees_replicas(const struct cluster_view *view, size_t i)
{
    if (!view->results[i].sentinel.known_told)
        return true;
    for (size_t k = 0; k < view->count; k++)
        if (is_worker(view, k) && (int) k != view->verdict->master && !could_elect(view, i, k))
            return false;
    return true;
}

// They could replace the master now.
static bool
sentinels_are_ready(const struct cluster_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct probe_sentinel *sentinel = &view->results[i].sentinel;
        const char *name = view->targets[i].name;
        if (!is_worker(view, i))
            continue;
        if (!sentinel_knows(view, i) || !sentinel_sees_replicas(view, i))
            return false;
        if (sentinel->tilt)
            return await(view,
                "sentinel on '%s' is in TILT, as its clock jumped: it only watches for 30 s", name);
        if (!sentinel->quorum_ok)
            return await(view, "sentinel on '%s' could not replace the master: %s", name,
                sentinel->quorum_text);
    }
    return true;
}

static bool
clocks_are_right(const struct cluster_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct probe_redis *redis = &view->results[i].redis;
        if (is_worker(view, i) && redis->clock_known && llabs(redis->clock_ms) > PROBE_CLOCK_MS)
            return await(view, "the clock of '%s' is %.1f s %s", view->targets[i].name,
                (double) llabs(redis->clock_ms) / 1000, redis->clock_ms < 0 ? "behind" : "ahead");
    }
    return true;
}

void
probe_assess(const struct probe_target *targets, const struct probe_result *results, size_t count,
    unsigned quorum, struct probe_verdict *ret)
{
    *ret = (struct probe_verdict){.master = -1};
    struct cluster_view view = {targets, results, count, quorum, ret};
    ret->master = find_master(&view);
    ret->converged = enough_workers_run(&view) && every_redis_answers(&view) &&
                     every_sentinel_answers(&view) && sentinels_agree(&view) &&
                     every_replica_follows(&view) && some_head_serves(&view) &&
                     sentinels_are_ready(&view) && clocks_are_right(&view);
}
