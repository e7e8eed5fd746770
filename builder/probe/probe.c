// probe.c - ask all nodes at once: begin every dialogue, carry on with all of them, gather what
// they say.
// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "probe/ask.h"

struct questions { // to one target
    struct talk redis, sentinel;
    struct ask_head head;
};

// Two dialogues a target, listed in ret.
static void
begin_questions(const struct probe_target *target, const struct probe_access *access,
    int64_t start_ms, struct questions *questions, struct probe_result *result, struct talk *ret[2])
{
    if (target->head) {
        ask_head(&questions->head, target->address, access, start_ms, &result->head);
        ret[0] = &questions->head.write;
        ret[1] = &questions->head.read;
    } else {
        ask_redis(&questions->redis, target->address, access, &result->redis);
        ask_sentinel(&questions->sentinel, target->address, access, &result->sentinel);
        ret[0] = &questions->redis;
        ret[1] = &questions->sentinel;
    }
}

static void
end_questions(const struct probe_target *target, const struct questions *questions)
{
    if (target->head) {
        ask_head_end(&questions->head);
    } else {
        ask_redis_end(&questions->redis);
        ask_sentinel_end(&questions->sentinel);
    }
}

static void
not_running(struct probe_result *result)
{
    static const char why[] = "its machine does not run";
    wire_copy(result->redis.error, sizeof result->redis.error, why);
    wire_copy(result->sentinel.error, sizeof result->sentinel.error, why);
    wire_copy(result->head.write_error, sizeof result->head.write_error, why);
    wire_copy(result->head.read_error, sizeof result->head.read_error, why);
    result->head.writer = result->head.reader = -1;
    result->head.write_ms = result->head.read_ms = -1;
}

static int
find_run_id(const struct probe_result *results, size_t count, const char *run_id)
{
    for (size_t i = 0; i < count; i++)
        if (run_id[0] != '\0' && str_equal(results[i].redis.run_id, run_id))
            return (int) i;
    return -1;
}

int
probe_cluster(const struct probe_target *targets, size_t count, const struct probe_access *access,
    int64_t deadline_ms, struct probe_result *results, struct error *err)
{
    int64_t start_ms = clock_ms();
    FREE_AUTO struct questions *questions = mem_zero(count + 1, sizeof *questions);
    FREE_AUTO struct talk **talks = mem_zero(2 * count + 1, sizeof(struct talk *));
    size_t talk_count = 0;
    for (size_t i = 0; i < count; i++) {
        results[i] = (struct probe_result){0};
        if (!targets[i].running) {
            not_running(&results[i]);
            continue;
        }
        begin_questions(
            &targets[i], access, start_ms, &questions[i], &results[i], &talks[talk_count]);
        talk_count += 2;
    }
    if (talk_run(talks, talk_count, start_ms, deadline_ms, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (targets[i].running)
            end_questions(&targets[i], &questions[i]);
    for (size_t i = 0; i < count; i++) {
        struct probe_head *head = &results[i].head;
        head->writer = find_run_id(results, count, head->writer_id);
        head->reader = find_run_id(results, count, head->reader_id);
    }
    return 0;
}

const char *
probe_role_name(enum probe_role role)
{
    switch (role) {
    case PROBE_MASTER:
        return "master";
    case PROBE_REPLICA:
        return "replica";
    case PROBE_ROLE_UNKNOWN:
        break;
    }
    return "unknown";
}
