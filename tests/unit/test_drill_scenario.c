// test_drill_scenario.c - drills without a cluster: the table of scenarios is consistent, and
// verdicts follow the limits.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "drill/scenario.h"

#define WRITES_PER_S 250

// ---- the table ------------------------------------------------------------------------------------

static const struct drill_scenario *
scenario_at(size_t index)
{
    return drill_at(index) != NULL ? drill_scenario(drill_at(index)->name) : NULL;
}

static void
test_names(void **state)
{
    size_t count = 0;
    for (; drill_at(count) != NULL; count++) {
        const struct drill_info *info = drill_at(count);
        assert_ptr_equal(drill_find(info->name), info);
        assert_int_equal(strspn(info->name, "abcdefghijklmnopqrstuvwxyz-"), strlen(info->name));
        assert_true(strlen(info->what) > 10 && strlen(info->limit) > 8);
        assert_false(str_ends(info->what, ".") || str_ends(info->limit, "."));
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(drill_at(i)->name, info->name);
    }
    assert_int_equal(count, 17);
    assert_null(drill_at(count + 1));
    assert_null(drill_find("no-such"));
    assert_null(drill_scenario(""));
}

// Counts an act in a list of steps.
static size_t
times(const struct drill_scenario *scenario, enum drill_act act)
{
    size_t count = 0;
    for (const struct drill_step *step = scenario->steps; step->act != ACT_END; step++)
        count += step->act == act;
    return count;
}

// Every fault is repaired, each measurement begins once, and the end waits for convergence or
// watches.
static void
test_steps(void **state)
{
    static const enum drill_act pairs[][2] = {{ACT_UNPLUG, ACT_PLUG}, {ACT_SUSPEND, ACT_RESUME},
        {ACT_STOP_REDIS, ACT_START_REDIS}, {ACT_CUT_PEERS, ACT_JOIN_PEERS}, {ACT_BURN, ACT_REST}};
    const struct drill_scenario *scenario;
    for (size_t i = 0; (scenario = scenario_at(i)) != NULL; i++) {
        assert_int_equal(times(scenario, ACT_MEASURE), 1);
        assert_true(times(scenario, ACT_AWAIT_CONVERGED) >= 1);
        for (size_t j = 0; j < sizeof pairs / sizeof *pairs; j++)
            assert_int_equal(times(scenario, pairs[j][0]), times(scenario, pairs[j][1]));
        size_t off = times(scenario, ACT_PULL) + times(scenario, ACT_PRESS);
        size_t on = times(scenario, ACT_START) + times(scenario, ACT_START_SHUFFLED);
        assert_int_equal(off + times(scenario, ACT_NEW_DISKS), on);
        assert_int_equal(times(scenario, ACT_NEW_DISKS), scenario->info.new_data ? 1 : 0);
        assert_false(scenario->failover && scenario->steady);
        assert_false(scenario->failover && times(scenario, ACT_AWAIT_MASTER) == 0);
    }
}

// A step has targets exactly when its act needs them, and only ACT_WATCH has a time.
static void
test_whom(void **state)
{
    const struct drill_scenario *scenario;
    for (size_t i = 0; (scenario = scenario_at(i)) != NULL; i++)
        for (const struct drill_step *step = scenario->steps; step->act != ACT_END; step++) {
            bool nobody = step->act == ACT_MEASURE || step->act == ACT_NEW_DISKS ||
                          step->act == ACT_WATCH || step->act == ACT_BURN ||
                          step->act == ACT_REST || step->act == ACT_AWAIT_MASTER ||
                          step->act == ACT_AWAIT_SERVING || step->act == ACT_AWAIT_CONVERGED;
            assert_int_equal(step->whom == WHOM_NONE, nobody);
            assert_int_equal(step->ms > 0, step->act == ACT_WATCH);
        }
}

// ---- the verdict ------------------------------------------------------------------------------------

static const struct spec_redis usual = {.down_after_ms = 2000,
    .failover_timeout_ms = 5000,
    .min_replicas = 1,
    .min_replicas_max_lag = 2};

// A drill that met all limits.
static struct drill_result
good(void)
{
    return (struct drill_result){
        .acked = 10000, .noise_s = 0.05, .promoted_s = 2.5, .converged_s = 20};
}

static struct drill_result
good_of(const char *name)
{
    struct drill_result result = good();
    if (drill_scenario(name)->steady)
        result.promoted_s = -1;
    return result;
}

static void
assert_verdict(const char *name, struct drill_result result, unsigned long long closed,
    bool behaved, bool in_time, const char *verdict)
{
    struct drill_limits limits;
    drill_limits(drill_scenario(name), &usual, &limits);
    drill_assess(drill_scenario(name), &limits, WRITES_PER_S, closed, &result);
    assert_int_equal(result.behaved, behaved);
    assert_int_equal(result.in_time, in_time);
    assert_string_equal(result.verdict, verdict);
    drill_result_free(&result);
}

static void
test_pass(void **state)
{
    for (size_t i = 0; drill_at(i) != NULL; i++)
        assert_verdict(drill_at(i)->name, good_of(drill_at(i)->name), 0, true, true, "PASS");
}

static void
test_lost(void **state)
{
    struct drill_result result = good();
    result.lost = 1;
    assert_verdict("master-off", result, 0, false, false, "1 of 10000 acknowledged writes lost");
    assert_verdict("all-off", result, 0, true, true, "PASS");
    result.lost = WRITES_PER_S;
    assert_verdict("all-off", result, 0, true, true, "PASS");
    result.lost++;
    assert_verdict("all-off", result, 0, false, false, "251 of 10000 acknowledged writes lost");
    result.lost = 4 * WRITES_PER_S + 1;
    assert_verdict(
        "master-half-cut", result, 0, false, false, "1001 of 10000 acknowledged writes lost");
}

static void
test_misbehaved(void **state)
{
    struct drill_result result = good();
    result.two_masters = 3;
    result.two_masters_s = 0.4;
    assert_verdict("master-return", result, 0, false, false,
        "two workers accepted writes at the same time (seen 3 times)");
    result = good();
    result.converged_s = -1;
    assert_verdict("pause", result, 0, false, false, "it did not converge again");
    result = good();
    result.promoted_s = -1;
    assert_verdict("master-off", result, 0, false, false, "no other master was named");
    assert_verdict("master-kill", result, 0, true, true, "PASS"); // a restart is as good
    assert_verdict(
        "two-down", good(), 7, false, false, "7 writes acknowledged while a majority was away");
    assert_verdict("master-off", good(), 7, true, true, "PASS");
}

// Failures of every drill: acknowledged writes lost, two masters, no convergence; and of some.
static void
test_each_can_fail(void **state)
{
    for (size_t i = 0; drill_at(i) != NULL; i++) {
        const char *name = drill_at(i)->name;
        struct drill_result result = good_of(name);
        result.lost = result.acked;
        assert_verdict(name, result, 0, false, false, "10000 of 10000 acknowledged writes lost");
        result = good_of(name);
        result.two_masters = 1;
        assert_verdict(name, result, 0, false, false,
            "two workers accepted writes at the same time (seen 1 times)");
        result = good_of(name);
        result.converged_s = -1;
        assert_verdict(name, result, 0, false, false, "it did not converge again");
    }
}

static void
test_nobody_was_to_be_replaced(void **state)
{
    static const char *const names[] = {
        "replica-shutdown", "replica-off", "replica-return", "sentinel-kill", "busy-host"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_verdict(names[i], good(), 0, false, false,
            "another master was named, though nothing was wrong with the first");
    struct drill_result result = good_of("busy-host");
    result.write_outage_s = 1.7;
    assert_verdict("busy-host", result, 0, true, false,
        "write outage 1.70 s, limit 1.0 s beyond the noise of 0.05 s");
}

// Limits follow from the cluster's settings.
static void
test_limits_follow_the_spec(void **state)
{
    struct drill_limits limits;
    struct spec_redis redis = usual;
    drill_limits(drill_scenario("master-off"), &redis, &limits);
    assert_float_equal(limits.outage_s, 6, 0.001);
    redis.down_after_ms = 30000;
    redis.failover_timeout_ms = 60000;
    drill_limits(drill_scenario("master-off"), &redis, &limits);
    assert_float_equal(limits.outage_s, 34, 0.001);
    assert_int_equal(limits.failover_ms, 210000);
    assert_int_equal(limits.watch_ms, 0);

    drill_limits(drill_scenario("two-down"), &redis, &limits);
    assert_int_equal(limits.closed_ms, 4000);
    redis.min_replicas_max_lag = 20;
    drill_limits(drill_scenario("two-down"), &redis, &limits);
    assert_int_equal(limits.closed_ms, 22000);
    assert_int_equal(limits.watch_ms, 22000); // or there would be nothing to assess
    drill_limits(drill_scenario("master-half-cut"), &redis, &limits);
    assert_float_equal(limits.lost_s, 22, 0.001);
    redis.min_replicas = 0;
    drill_limits(drill_scenario("master-half-cut"), &redis, &limits);
    assert_float_equal(limits.lost_s, 34, 0.001);
    assert_float_equal(limits.read_outage_s, 2, 0.001);
}

static void
test_too_slow(void **state)
{
    struct drill_result result = good();
    result.write_outage_s = 6.04;
    assert_verdict("master-off", result, 0, true, true, "PASS");
    result.write_outage_s = 6.06;
    assert_verdict("master-off", result, 0, true, false,
        "write outage 6.06 s, limit 6.0 s beyond the noise of 0.05 s");
    assert_verdict("all-off", result, 0, true, true, "PASS");
    result = good_of("replica-off");
    result.write_pause_s = 0.16;
    assert_verdict("replica-off", result, 0, true, false,
        "write gap 0.16 s, limit 0.1 s beyond the noise of 0.05 s");
    result.noise_s = 0.07;
    assert_verdict("replica-off", result, 0, true, true, "PASS");
}

static void
test_all_that_is_wrong_is_told(void **state)
{
    struct drill_result result = good();
    result.lost = 2;
    result.converged_s = -1;
    result.write_outage_s = 9;
    assert_verdict("master-off", result, 0, false, false,
        "2 of 10000 acknowledged writes lost; it did not converge again; write outage 9.00 s, "
        "limit 6.0 s beyond the noise of 0.05 s");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_whom),
        cmocka_unit_test(test_pass),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_misbehaved),
        cmocka_unit_test(test_each_can_fail),
        cmocka_unit_test(test_nobody_was_to_be_replaced),
        cmocka_unit_test(test_limits_follow_the_spec),
        cmocka_unit_test(test_too_slow),
        cmocka_unit_test(test_all_that_is_wrong_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
