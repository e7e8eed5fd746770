// drill_judge.c - from what was measured to a verdict. Pure.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/drill_plan.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdarg.h>

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

static void
judge_behaviour(const struct drill_scenario *scenario, unsigned writes_per_s,
    unsigned long long acked_while_closed, const struct drill_result *result, struct strv *faults)
{
    double allowed = scenario->lost_s * writes_per_s;
    if ((double) result->lost > allowed)
        strv_addf(faults, "%llu of %llu acknowledged writes lost", result->lost, result->acked);
    if (result->two_masters > 0)
        strv_addf(faults, "two workers took writes at %u looks", result->two_masters);
    if (result->converged_s < 0)
        strv_add(faults, "it did not converge again");
    if (scenario->failover && result->promoted_s < 0)
        strv_add(faults, "no other master was named");
    if (scenario->closed && acked_while_closed > 0)
        strv_addf(faults, "%llu writes acknowledged while a majority was away", acked_while_closed);
}

static void
judge_time(const char *what, double measured, double limit, double noise, struct strv *faults)
{
    if (limit >= 0 && measured > limit + noise)
        strv_addf(faults, "%s %.2f s, limit %.1f s beyond the noise of %.2f s", what, measured,
            limit, noise);
}

void
drill_judge(const struct drill_scenario *scenario, unsigned writes_per_s,
    unsigned long long acked_while_closed, struct drill_result *result)
{
    STRV_AUTO struct strv faults = {0};
    judge_behaviour(scenario, writes_per_s, acked_while_closed, result, &faults);
    result->behaved = faults.count == 0;
    judge_time(
        "write outage", result->write_outage_s, scenario->outage_s, result->noise_s, &faults);
    judge_time("write gap", result->write_pause_s, scenario->pause_s, result->noise_s, &faults);
    judge_time(
        "read outage", result->read_outage_s, scenario->read_outage_s, result->noise_s, &faults);
    result->in_time = faults.count == 0;
    free(result->verdict);
    result->verdict = faults.count == 0 ? str_dup("PASS") : strv_join(&faults, "; ");
}
