// verdict.c - whether the nodes' replies make a converged cluster, and if not, the first condition
// that is not met. Pure.
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
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

// Notes the condition that is not met. Always returns false, so that a rule can end with it.
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

// Returns whether the rule holds for each running worker.
static bool
every_worker(
    const struct cluster_view *view, bool (*rule)(const struct cluster_view *view, size_t i))
{
    for (size_t i = 0; i < view->count; i++)
        if (is_worker(view, i) && !rule(view, i))
            return false;
    return true;
}

static const char *
name_of(const struct cluster_view *view, const char *address)
{
    for (size_t i = 0; i < view->count; i++)
        if (str_equal(view->targets[i].address, address))
            return view->targets[i].name;
    return address;
}

// ---- redis, and the master -----------------------------------------------------------------------

// Too few workers cannot converge whatever they report; a sentinel that is alone does not even
// start (images/files/redis/usr/lib/airbuild/wait-in-sync).
static bool
enough_workers_run(const struct cluster_view *view)
{
    unsigned running = 0;
    for (size_t i = 0; i < view->count; i++)
        running += is_worker(view, i);
    if (running < view->quorum || running == 0)
        return await(
            view, "running workers: %u, too few for a quorum of %u", running, view->quorum);
    return true;
}

static bool
redis_answers(const struct cluster_view *view, size_t i)
{
    const struct probe_redis *redis = &view->results[i].redis;
    const char *name = view->targets[i].name;
    if (!redis->answered)
        return await(view, "redis on '%s' does not answer: %s", name, redis->error);
    if (redis->loading)
        return await(view, "redis on '%s' is still loading its data", name);
    return true;
}

static bool
sentinel_answers(const struct cluster_view *view, size_t i)
{
    const struct probe_sentinel *sentinel = &view->results[i].sentinel;
    const char *name = view->targets[i].name;
    if (!sentinel->answered)
        return await(view, "sentinel on '%s' does not answer: %s", name, sentinel->error);
    if (sentinel->master[0] == '\0')
        return await(view, "sentinel on '%s' names no master", name);
    return true;
}

// Returns the worker that reports role:master and that at least a quorum names, or -1.
static int
find_master(const struct cluster_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        if (!is_worker(view, i) || view->results[i].redis.role != PROBE_MASTER)
            continue;
        unsigned votes = 0;
        for (size_t k = 0; k < view->count; k++)
            votes += is_worker(view, k) && view->results[k].sentinel.answered &&
                     str_equal(view->results[k].sentinel.master, view->targets[i].address);
        if (votes > 0 && votes >= view->quorum)
            return (int) i;
    }
    return -1;
}

// All sentinels have answered here. They agree when each names the same master as the first one.
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
replica_follows(const struct cluster_view *view, size_t i)
{
    const struct probe_target *master = &view->targets[view->verdict->master];
    const struct probe_redis *redis = &view->results[i].redis;
    const char *name = view->targets[i].name;
    if (&view->targets[i] == master)
        return true;
    if (redis->role == PROBE_MASTER)
        return await(view, "'%s' reports that it is a master, too", name);
    if (redis->role == PROBE_ROLE_UNKNOWN)
        return await(view, "'%s' reports no role", name);
    if (!str_equal(redis->master, master->address))
        return await(view, "'%s' replicates '%s', not yet '%s'", name, name_of(view, redis->master),
            master->name);
    if (redis->syncing)
        return await(view, "'%s' is still copying the data of '%s'", name, master->name);
    if (!redis->link_up)
        return await(view, "'%s' has no link to '%s' yet", name, master->name);
    return true;
}

static bool
clock_is_right(const struct cluster_view *view, size_t i)
{
    const struct probe_redis *redis = &view->results[i].redis;
    if (redis->clock_known && llabs(redis->clock_ms) > PROBE_CLOCK_MS)
        return await(view, "the clock of '%s' is %.1f s %s", view->targets[i].name,
            (double) llabs(redis->clock_ms) / 1000, redis->clock_ms < 0 ? "behind" : "ahead");
    return true;
}

// ---- the head ------------------------------------------------------------------------------------

static bool
first_head_serves(const struct cluster_view *view)
{
    size_t i = 0;
    while (i < view->count && !view->targets[i].head)
        i++;
    if (i == view->count)
        return await(view, "the cluster has no head");
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

// ---- the sentinels: could they replace the master now? -------------------------------------------

static bool
knows_peer(const struct probe_sentinel *sentinel, const char *address)
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

// It must know those of all other running workers, and no others, which would change the majority.
static bool
sentinel_knows_peers(const struct cluster_view *view, size_t i)
{
    const struct probe_sentinel *sentinel = &view->results[i].sentinel;
    const char *name = view->targets[i].name;
    for (size_t k = 0; k < view->count; k++)
        if (is_worker(view, k) && k != i && !knows_peer(sentinel, view->targets[k].address))
            return await(view, "sentinel on '%s' does not know the one on '%s'", name,
                view->targets[k].name);
    for (unsigned k = 0; k < sentinel->peer_count; k++)
        if (!is_workers_address(view, sentinel->peers[k]))
            return await(view, "sentinel on '%s' knows one at '%s', which is not a worker", name,
                sentinel->peers[k]);
    if (sentinel->other_sentinels != sentinel->peer_count)
        return await(view, "sentinel on '%s' counts %u others, but lists %u", name,
            sentinel->other_sentinels, sentinel->peer_count);
    return true;
}

// Returns whether sentinel on worker i could elect redis on worker k: it knows it, and not as down.
static bool
could_elect(const struct cluster_view *view, size_t i, size_t k)
{
    const struct probe_sentinel *sentinel = &view->results[i].sentinel;
    const char *name = view->targets[i].name, *replica = view->targets[k].name;
    for (unsigned n = 0; n < sentinel->known_count; n++)
        if (str_equal(sentinel->known[n].address, view->targets[k].address))
            return !sentinel->known[n].down ||
                   await(view, "sentinel on '%s' reports redis on '%s' as down", name, replica);
    return await(view, "sentinel on '%s' does not know redis on '%s'", name, replica);
}

static bool
sentinel_is_ready(const struct cluster_view *view, size_t i)
{
    const struct probe_sentinel *sentinel = &view->results[i].sentinel;
    const char *name = view->targets[i].name;
    if (!sentinel_knows_peers(view, i))
        return false;
    for (size_t k = 0; sentinel->replicas_known && k < view->count; k++)
        if (is_worker(view, k) && (int) k != view->verdict->master && !could_elect(view, i, k))
            return false;
    if (sentinel->tilt)
        return await(view,
            "sentinel on '%s' is in TILT, as its clock jumped: it takes no action for 30 s", name);
    if (!sentinel->quorum_ok)
        return await(
            view, "sentinel on '%s' cannot replace the master: %s", name, sentinel->quorum_text);
    return true;
}

void
probe_assess(const struct probe_target *targets, const struct probe_result *results, size_t count,
    unsigned quorum, struct probe_verdict *ret)
{
    *ret = (struct probe_verdict){.master = -1};
    struct cluster_view view = {targets, results, count, quorum, ret};
    ret->master = find_master(&view);
    ret->converged = enough_workers_run(&view) && every_worker(&view, redis_answers) &&
                     every_worker(&view, sentinel_answers) && sentinels_agree(&view) &&
                     every_worker(&view, replica_follows) && first_head_serves(&view) &&
                     every_worker(&view, sentinel_is_ready) && every_worker(&view, clock_is_right);
}
