// judge.c - whether what the nodes said makes a converged cluster, and if not, what is still
// awaited. Pure.
// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

struct view {
    const struct probe_target *targets;
    const struct probe_result *results;
    size_t count;
    unsigned quorum;
    struct probe_verdict *verdict;
};

// Note what is awaited. Always false, so that a rule can end with it.
static bool __attribute__((format(printf, 2, 3)))
await(const struct view *view, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(view->verdict->awaited, sizeof view->verdict->awaited, format, args);
    va_end(args);
    return false;
}

static bool
is_worker(const struct view *view, size_t i)
{
    return !view->targets[i].head && view->targets[i].running;
}

static bool
every_redis_answers(const struct view *view)
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
every_sentinel_answers(const struct view *view)
{
    unsigned running = 0;
    for (size_t i = 0; i < view->count; i++) {
        const struct probe_sentinel *sentinel = &view->results[i].sentinel;
        if (!is_worker(view, i))
            continue;
        running++;
        if (!sentinel->answered)
            return await(view, "sentinel on '%s' does not answer: %s", view->targets[i].name,
                sentinel->error);
        if (sentinel->master[0] == '\0')
            return await(view, "sentinel on '%s' names no master", view->targets[i].name);
    }
    if (running < view->quorum || running == 0)
        return await(
            view, "workers that run: %u, too few for a quorum of %u", running, view->quorum);
    return true;
}

// The running sentinels that name this address.
static unsigned
named_by(const struct view *view, const char *address)
{
    unsigned voices = 0;
    for (size_t i = 0; i < view->count; i++)
        voices += is_worker(view, i) && view->results[i].sentinel.answered &&
                  str_equal(view->results[i].sentinel.master, address);
    return voices;
}

// The worker that says role:master and that at least a quorum names, -1 when there is none.
static int
find_master(const struct view *view)
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
name_of(const struct view *view, const char *address)
{
    for (size_t i = 0; i < view->count; i++)
        if (str_equal(view->targets[i].address, address))
            return view->targets[i].name;
    return address;
}

// All sentinels have answered here. They agree when each names what the first one names.
static bool
sentinels_agree(const struct view *view)
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
every_replica_follows(const struct view *view)
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
head_serves(const struct view *view, size_t i)
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
some_head_serves(const struct view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->targets[i].head)
            return head_serves(view, i);
    return await(view, "there is no head to serve it");
}

void
probe_judge(const struct probe_target *targets, const struct probe_result *results, size_t count,
    unsigned quorum, struct probe_verdict *ret)
{
    *ret = (struct probe_verdict){.master = -1};
    struct view view = {targets, results, count, quorum, ret};
    ret->master = find_master(&view);
    ret->converged = every_redis_answers(&view) && every_sentinel_answers(&view) &&
                     sentinels_agree(&view) && every_replica_follows(&view) &&
                     some_head_serves(&view);
}
