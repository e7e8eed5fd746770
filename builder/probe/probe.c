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

static void
advance_query(struct query *query, bool ready)
{
    if (resp_is_closed(&query->conn))
        return;
    if (ready) {
        resp_turn(&query->conn);
        // Stops at the last answer: what the other side does after it, such as closing the
        // connection, does not matter.
        redisReply *reply;
        while (!is_answered(query) && (reply = resp_reply(&query->conn)) != NULL) {
            query->on_reply(query, query->conn.answered - 1, reply);
            freeReplyObject(reply);
        }
    }
    if (query->wake_at != 0 && clock_left(query->wake_at) == 0) {
        query->wake_at = 0;
        query->wake(query);
    }
    if (is_answered(query))
        resp_close(&query->conn);
}

// Advances the queries until each is over, at most until end_ms. -1 only when interrupted.
static int
poll_queries(struct query *queries, size_t count, int64_t end_ms, struct error *err)
{
    FREE_AUTO struct pollfd *fds = mem_zero(count + 1, sizeof *fds);
    for (;;) {
        if (interrupt_check(err) < 0)
            return -1;
        bool open = false;
        int64_t end_left = clock_left(end_ms), left = end_left; // until the deadline or a wake
        for (size_t i = 0; i < count; i++) {
            fds[i] = resp_pollfd(&queries[i].conn);
            if (resp_is_closed(&queries[i].conn))
                continue;
            open = true;
            if (queries[i].wake_at != 0 && clock_left(queries[i].wake_at) < left)
                left = clock_left(queries[i].wake_at);
        }
        if (!open || end_left == 0)
            return 0;
        fds[count] = (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};
        poll(fds, count + 1, left > INT_MAX ? INT_MAX : (int) left);
        for (size_t i = 0; i < count; i++)
            advance_query(&queries[i], fds[i].revents != 0);
    }
}

// ---- the nodes ----------------------------------------------------------------------------------

static void
complete_results(const struct probe_target *targets, struct probe_result *results, size_t count)
{
    static const char lost[] = "what was written did not come back";
    for (size_t i = 0; i < count; i++) {
        struct probe_head *head = &results[i].head;
        results[i].redis.answered = !targets[i].head && results[i].redis.error[0] == '\0';
        results[i].sentinel.answered = !targets[i].head && results[i].sentinel.error[0] == '\0';
        if (head->written && head->readable && !head->read_back)
            memcpy(head->read_error, lost, sizeof lost);
        head->writer = -1;
        for (size_t k = 0; k < count && head->writer < 0; k++)
            if (head->writer_id[0] != '\0' && str_equal(results[k].redis.run_id, head->writer_id))
                head->writer = (int) k;
    }
}

int
probe_cluster(const struct probe_target *targets, size_t count, const struct probe_access *access,
    int64_t deadline_ms, struct probe_result *results, struct error *err)
{
    int64_t start_ms = clock_ms();
    size_t query_count = 2 * count; // two of each target
    FREE_AUTO struct query *queries = mem_zero(query_count + 1, sizeof *queries);
    for (size_t i = 0; i < count; i++) {
        struct query *first = &queries[2 * i], *second = first + 1;
        struct probe_result *result = &results[i];
        const char *address = targets[i].address;
        *result = (struct probe_result){0};
        if (!targets[i].running) {
            static const char why[] = "its domain does not run";
            memcpy(result->redis.error, why, sizeof why);
            memcpy(result->sentinel.error, why, sizeof why);
            memcpy(result->head.write_error, why, sizeof why);
            memcpy(result->head.read_error, why, sizeof why);
        } else if (targets[i].head) {
            query_head(first, second, address, access, &result->head);
        } else {
            query_redis(first, address, access, &result->redis);
            query_sentinel(second, address, access, &result->sentinel);
        }
    }
    int result = poll_queries(queries, query_count, start_ms + deadline_ms, err);
    for (size_t i = 0; i < query_count; i++) {
        struct resp_conn *conn = &queries[i].conn;
        if (!resp_is_closed(conn))
            resp_fail(conn, "no %s within %" PRId64 " ms",
                conn->connected ? "answer" : "connection", deadline_ms);
        if (queries[i].error != NULL)
            memcpy(queries[i].error, conn->error, PROBE_TEXT);
    }
    if (result < 0)
        return -1;
    complete_results(targets, results, count);
    return 0;
}

const char *
probe_role_name(enum probe_role role)
{
    static const char *const names[] = {
        [PROBE_ROLE_UNKNOWN] = "unknown", [PROBE_MASTER] = "master", [PROBE_REPLICA] = "replica"};
    return names[role];
}
