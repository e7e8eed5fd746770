// probe.c - queries all nodes at once: begins every query, advances all of them in one poll loop,
// completes the results.
// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "probe/query.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

// ---- the loop -----------------------------------------------------------------------------------

static bool
is_answered(const struct query *query)
{
    return query->wake_at == 0 && query->conn.answered >= query->conn.asked;
}

// Stops at the last answer: what the other side does after it, such as closing the connection, does
// not matter.
static void
take_replies(struct query *query)
{
    redisReply *reply;
    while (!is_answered(query) && (reply = resp_reply(&query->conn)) != NULL) {
        query->on_reply(query, query->conn.answered - 1, reply);
        freeReplyObject(reply);
    }
}

static void
advance_query(struct query *query, bool ready)
{
    if (resp_is_closed(&query->conn))
        return;
    if (ready) {
        resp_turn(&query->conn);
        take_replies(query);
    }
    if (query->wake_at != 0 && clock_left(query->wake_at) == 0) {
        query->wake_at = 0;
        query->wake(query);
    }
    if (is_answered(query))
        resp_close(&query->conn);
}

// Fills fds with the descriptors to poll and reduces *left_ms to the time until the next wake.
// Returns the number of queries that are not over.
static size_t
gather_queries(struct query *const *queries, size_t count, struct pollfd *fds, int64_t *left_ms)
{
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        fds[i] = resp_pollfd(&queries[i]->conn);
        if (resp_is_closed(&queries[i]->conn))
            continue;
        open++;
        if (queries[i]->wake_at != 0 && clock_left(queries[i]->wake_at) < *left_ms)
            *left_ms = clock_left(queries[i]->wake_at);
    }
    return open;
}

static int
poll_queries(struct query *const *queries, size_t count, int64_t end_ms, struct error *err)
{
    FREE_AUTO struct pollfd *fds = mem_zero(count + 1, sizeof *fds);
    for (;;) {
        if (interrupt_check(err) < 0)
            return -1;
        int64_t end_left = clock_left(end_ms), left = end_left;
        if (gather_queries(queries, count, fds, &left) == 0 || end_left == 0)
            return 0;
        fds[count] = (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};
        poll(fds, count + 1, left > INT_MAX ? INT_MAX : (int) left);
        for (size_t i = 0; i < count; i++)
            advance_query(queries[i], fds[i].revents != 0);
    }
}

// Runs them until each is over, at most until deadline_ms after start_ms; those that are not over
// then fail. Closes all. -1 only when interrupted.
static int
run_queries(struct query *const *queries, size_t count, int64_t start_ms, int64_t deadline_ms,
    struct error *err)
{
    int result = poll_queries(queries, count, start_ms + deadline_ms, err);
    for (size_t i = 0; i < count; i++) {
        struct resp_conn *conn = &queries[i]->conn;
        if (!resp_is_closed(conn))
            resp_fail(conn, "no %s within %" PRId64 " ms",
                conn->connected ? "answer" : "connection", deadline_ms);
        memcpy(queries[i]->error, conn->error, PROBE_TEXT);
    }
    return result;
}

// ---- the nodes ----------------------------------------------------------------------------------

struct target_queries { // of one target
    struct query redis, sentinel;
    struct head_query head;
};

// Begins the two queries of a target, and lists them in ret.
static void
begin_queries(const struct probe_target *target, const struct probe_access *access,
    struct target_queries *queries, struct probe_result *result, struct query *ret[2])
{
    if (target->head) {
        query_head(&queries->head, target->address, access, &result->head);
        ret[0] = &queries->head.write;
        ret[1] = &queries->head.read;
    } else {
        query_redis(&queries->redis, target->address, access, &result->redis);
        query_sentinel(&queries->sentinel, target->address, access, &result->sentinel);
        ret[0] = &queries->redis;
        ret[1] = &queries->sentinel;
    }
}

static void
not_running(struct probe_result *result)
{
    static const char why[] = "its domain does not run";
    memcpy(result->redis.error, why, sizeof why);
    memcpy(result->sentinel.error, why, sizeof why);
    memcpy(result->head.write_error, why, sizeof why);
    memcpy(result->head.read_error, why, sizeof why);
}

static int
find_run_id(const struct probe_result *results, size_t count, const char *run_id)
{
    for (size_t i = 0; i < count; i++)
        if (run_id[0] != '\0' && str_equal(results[i].redis.run_id, run_id))
            return (int) i;
    return -1;
}

static void
complete_result(const struct probe_target *target, struct probe_result *result)
{
    static const char lost[] = "what was written did not come back";
    struct probe_head *head = &result->head;
    result->redis.answered = !target->head && result->redis.error[0] == '\0';
    result->sentinel.answered = !target->head && result->sentinel.error[0] == '\0';
    if (head->written && head->readable && !head->read_back)
        memcpy(head->read_error, lost, sizeof lost);
}

int
probe_cluster(const struct probe_target *targets, size_t count, const struct probe_access *access,
    int64_t deadline_ms, struct probe_result *results, struct error *err)
{
    int64_t start_ms = clock_ms();
    FREE_AUTO struct target_queries *all = mem_zero(count + 1, sizeof *all);
    FREE_AUTO struct query **queries = mem_zero(2 * count + 1, sizeof(struct query *));
    size_t query_count = 0;
    for (size_t i = 0; i < count; i++) {
        results[i] = (struct probe_result){0};
        if (!targets[i].running) {
            not_running(&results[i]);
            continue;
        }
        begin_queries(&targets[i], access, &all[i], &results[i], &queries[query_count]);
        query_count += 2;
    }
    if (run_queries(queries, query_count, start_ms, deadline_ms, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        complete_result(&targets[i], &results[i]);
    for (size_t i = 0; i < count; i++)
        results[i].head.writer = find_run_id(results, count, results[i].head.writer_id);
    return 0;
}

const char *
probe_role_name(enum probe_role role)
{
    static const char *const names[] = {
        [PROBE_ROLE_UNKNOWN] = "unknown", [PROBE_MASTER] = "master", [PROBE_REPLICA] = "replica"};
    return names[role];
}
