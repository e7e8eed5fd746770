// verdict.c - turns the measurements of a drill into a verdict. Pure.
// SPDX-License-Identifier: Apache-2.0
#include "drill/scenario.h"

#include "base/cleanup.h"
#include "base/str.h"

void
drill_result_free(struct drill_result *result)
{
    for (size_t i = 0; i < result->event_count; i++)
        free(result->events[i].text);
    free(result->events);
    free(result->slots);
    free(result->verdict);
    *result = (struct drill_result){0};
}

// Sentinels need down-after, the last of them a quarter more, and 2 to 3 s for the election and the
// switch (measured with down-after 2 s: 4.0 to 5.0 s without writes on idle hosts).
#define ELECTION_MS 4000
// A master checks each second how long its replicas have been silent, in whole seconds.
#define FENCE_MS 2000
#define WAIT_MS 60000 // for an election, beyond its known delays

void
drill_limits(
    const struct drill_scenario *scenario, const struct spec_redis *redis, struct drill_limits *ret)
{
    int64_t failover = (int64_t) redis->down_after_ms + ELECTION_MS;
    int64_t fenced = (int64_t) redis->min_replicas_max_lag * 1000 + FENCE_MS;
    // Without a fence a lone master accepts writes until the head stops sending clients to it.
    if (redis->min_replicas == 0 || fenced > failover)
        fenced = failover;
    *ret = scenario->limits;
    ret->closed_ms = fenced;
    ret->failover_ms = WAIT_MS + redis->down_after_ms + 2 * (int64_t) redis->failover_timeout_ms;
    ret->watch_ms = scenario->closed ? fenced : 0;
    if (ret->outage_s == DRILL_BY_SPEC)
        ret->outage_s = (double) failover / 1000;
    if (ret->lost_s == DRILL_BY_SPEC)
        ret->lost_s = (double) fenced / 1000;
}

static void
check_limit(const char *what, double measured, double limit, double noise, struct strv *faults)
{
    if (limit >= 0 && measured > limit + noise)
        strv_addf(faults, "%s %.2f s, limit %.1f s beyond the noise of %.2f s", what, measured,
            limit, noise);
}

void
drill_assess(const struct drill_scenario *scenario, const struct drill_limits *limits,
    unsigned writes_per_s, unsigned long long acked_while_closed, struct drill_result *result)
{
    STRV_AUTO struct strv faults = {0};
    result->limits = *limits;
    if ((double) result->lost > limits->lost_s * writes_per_s)
        strv_addf(&faults, "%llu of %llu acknowledged writes lost", result->lost, result->acked);
    if (result->two_masters > 0)
        strv_addf(&faults, "two workers accepted writes at the same time (seen %u times)",
            result->two_masters);
    if (result->converged_s < 0)
        strv_add(&faults, "it did not converge again");
    if (scenario->failover && result->promoted_s < 0)
        strv_add(&faults, "no other master was named");
    if (scenario->steady && result->promoted_s >= 0)
        strv_add(&faults, "another master was named, though nothing was wrong with the first");
    if (scenario->closed && acked_while_closed > 0)
        strv_addf(
            &faults, "%llu writes acknowledged while a majority was away", acked_while_closed);
    result->behaved = faults.count == 0;
    check_limit("write outage", result->write_outage_s, limits->outage_s, result->noise_s, &faults);
    check_limit("write gap", result->write_pause_s, limits->pause_s, result->noise_s, &faults);
    check_limit(
        "read outage", result->read_outage_s, limits->read_outage_s, result->noise_s, &faults);
    result->in_time = faults.count == 0;
    free(result->verdict);
    result->verdict = faults.count == 0 ? str_dup("PASS") : strv_join(&faults, "; ");
}
