// test_cluster_profile.c - the profile of a launch: answers of nodes, recorded and hostile, and
// which nodes are asked.
// SPDX-License-Identifier: Apache-2.0
#include "life_fixture.h"

#include "cluster/freeze.h"
#include "cluster/profile.h"

#include <math.h>

// A node that was started 1 s after the first one; its script began 100 s after that.
static const struct profile_clock clock_of = {
    .base_ms = 50000,
    .asked_ms = 151000,
    .converged_ms = 121000,
};

static struct profile_node
node_of(const char *name, enum spec_role role)
{
    return (struct profile_node){.name = name, .role = role, .start_s = 1};
}

static void
node_free(struct profile_node *node)
{
    struct profile *profile = mem_zero(1, sizeof *profile);
    profile->nodes = mem_zero(1, sizeof *profile->nodes);
    profile->nodes[0] = *node;
    profile->count = 1;
    profile_free(profile);
}
#define NODE_AUTO CLEANUP(node_free)

static void
assert_about(double seen, double wanted)
{
    if (fabs(seen - wanted) > 0.001)
        fail_msg("%.4f, not %.4f", seen, wanted);
}

static void
assert_phases(const struct profile_node *node, const double *ends)
{
    for (size_t i = 0; i < PROFILE_PHASES; i++)
        assert_about(node->ends_s[i], ends[i]);
}

static const struct profile_unit *
unit_of(const struct profile_node *node, const char *name)
{
    for (size_t i = 0; i < node->unit_count; i++)
        if (str_equal(node->units[i].name, name))
            return &node->units[i];
    return NULL;
}

// ---- recorded answers ------------------------------------------------------------------------------

static void
read_recording(const char *path, struct profile_clock clock, struct profile_node *node)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    assert_ok(file_read(path, 1 << 16, &text, NULL, &err), &err);
    assert_ok(profile_read(text, &clock, node, &err), &err);
}

static void
test_worker(void **state)
{
    NODE_AUTO struct profile_node node = node_of("work11", SPEC_REDIS);
    struct profile_clock clock = clock_of;
    clock.asked_ms = clock.base_ms + 140390; // its clock began at 4 s
    read_recording("tests/unit/boot-work11.txt", clock, &node);
    const double ends[] = {4, 8.46931, 19.095439, 22.929977, 38.114179, 71};
    assert_phases(&node, ends);
    const char *const heaviest[] = {"redis.service", "sentinel.service", "airbuild-clock.service"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(node.units[i].name, heaviest[i]);
    assert_about(node.units[0].start_s, 22.929977);
    assert_about(node.units[0].took_s, 12.649885);
    assert_about(node.units[0].cpu_s, 20.172691);
    assert_about(node.units[2].took_s, 0);
    assert_null(unit_of(&node, "-.mount")); // it took no time
    assert_about(unit_of(&node, "init.scope")->start_s, 21.000495);
}

static void
test_head(void **state)
{
    NODE_AUTO struct profile_node node = node_of("head10", SPEC_HAPROXY);
    struct profile_clock clock = clock_of;
    clock.asked_ms = clock.base_ms + 45250; // its clock began at 2 s
    clock.converged_ms = clock.base_ms + 30000;
    read_recording("tests/unit/boot-head10.txt", clock, &node);
    const double ends[] = {2, 7.142424, 16.201183, 21.541468, 30, 30};
    assert_phases(&node, ends);
    assert_about(unit_of(&node, "haproxy.service")->took_s, 30 - 21.541468);
    assert_null(unit_of(&node, "airbuild-clock.service")); // after the cluster had converged
}

// ---- other answers ---------------------------------------------------------------------------------

static const char begin[] = "Uptime=100.00\nInitrd=5.5\nUserspaceTimestampMonotonic=10000000\n\n";

// Reads begin and the rest; its clock began with the first node's start plus 1 s.
static struct profile_node
read_rest(const char *rest)
{
    ERROR_AUTO struct error err = {0};
    struct profile_node node = node_of("work11", SPEC_REDIS);
    FREE_AUTO char *text = str_format("%s%s", begin, rest);
    assert_ok(profile_read(text, &clock_of, &node, &err), &err);
    return node;
}

static void
test_servers(void **state)
{
    NODE_AUTO struct profile_node none = read_rest("");
    const double no_server[] = {1, 6.5, 11, 71, 71, 71};
    assert_phases(&none, no_server);
    NODE_AUTO struct profile_node starting =
        read_rest("Id=redis.service\nInactiveExitTimestampMonotonic=20000000\n"
                  "ActiveEnterTimestampMonotonic=25000000\n\n"
                  "InactiveExitTimestampMonotonic=26000000\nId=sentinel.service\n"
                  "ActiveEnterTimestampMonotonic=0\nCPUUsageNSec=[not set]\n");
    const double not_ready[] = {1, 6.5, 11, 21, 71, 71};
    assert_phases(&starting, not_ready);
    assert_string_equal(starting.units[0].name, "sentinel.service");
    assert_about(starting.units[0].took_s, 44); // it still activates
    assert_about(starting.units[0].cpu_s, -1);
    NODE_AUTO struct profile_node again =
        read_rest("Id=redis.service\nInactiveExitTimestampMonotonic=20000000\n"
                  "ActiveEnterTimestampMonotonic=15000000\n"); // restarts
    assert_phases(&again, not_ready);
}

static void
test_activation(void **state)
{
    NODE_AUTO struct profile_node node =
        read_rest("Id=once.service\nInactiveExitTimestampMonotonic=20000000\n"
                  "InactiveEnterTimestampMonotonic=23000000\n\n"
                  "Id=never.service\nInactiveExitTimestampMonotonic=0\nCPUUsageNSec=9000000000\n\n"
                  "Id=late.service\nInactiveExitTimestampMonotonic=90000000\n\n"
                  "Id=short.service\nInactiveExitTimestampMonotonic=20000000\n"
                  "ActiveEnterTimestampMonotonic=20001000\nCPUUsageNSec=900000\n\n\n\n"
                  "Id=busy.service\nInactiveExitTimestampMonotonic=20000000\n"
                  "ActiveEnterTimestampMonotonic=20000000\nCPUUsageNSec=4000000000");
    assert_int_equal(node.unit_count, 2);
    assert_string_equal(node.units[0].name, "busy.service");
    assert_about(node.units[0].cpu_s, 4);
    assert_string_equal(node.units[1].name, "once.service");
    assert_about(node.units[1].took_s, 3);
}

static void
test_no_initrd(void **state)
{
    ERROR_AUTO struct error err = {0};
    NODE_AUTO struct profile_node node = node_of("work11", SPEC_REDIS);
    assert_ok(
        profile_read("Uptime=98.5\nUserspaceTimestampMonotonic=10000000\n", &clock_of, &node, &err),
        &err);
    const double ends[] = {2.5, 12.5, 12.5, 71, 71, 71};
    assert_phases(&node, ends);
}

// A node whose clock runs fast, or that claims so, began before it was started.
static void
test_fast_clock(void **state)
{
    ERROR_AUTO struct error err = {0};
    NODE_AUTO struct profile_node node = node_of("work11", SPEC_REDIS);
    assert_ok(profile_read("Uptime=900.5\nUserspaceTimestampMonotonic=10000000\n\nId=a\n"
                           "InactiveExitTimestampMonotonic=11000000\nCPUUsageNSec=1000000000\n",
                  &clock_of, &node, &err),
        &err);
    const double ends[] = {1, 1, 1, 71, 71, 71};
    assert_phases(&node, ends);
    assert_about(node.units[0].start_s, 1);
}

static void
test_hostile(void **state)
{
    ERROR_AUTO struct error err = {0};
    static const char *const texts[] = {"", "\n\n\n", "=", "Uptime", "Uptime=\n", "Uptime=-1\n",
        "Uptime=1000000000\nUserspaceTimestampMonotonic=1\n",
        "Uptime=1.2.3\nUserspaceTimestampMonotonic=1\n",
        "Uptime=99999999999999999999999999999\nUserspaceTimestampMonotonic=1\n",
        "Uptime=5\nUserspaceTimestampMonotonic=18446744073709551615\n",
        "Uptime=5\nUserspaceTimestampMonotonic=1e3\n", "sh: 1: systemctl: not found\n",
        "Id=a.service\nInactiveExitTimestampMonotonic=1\nCPUUsageNSec=9000000000\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        NODE_AUTO struct profile_node node = node_of("work11", SPEC_REDIS);
        assert_error(profile_read(texts[i], &clock_of, &node, &err), &err, ERR_GUEST,
            "did not report the times of its boot");
    }
    BUF_AUTO struct buf many = {0};
    for (int i = 0; i < 3000; i++)
        buf_printf(&many, "Id=%d\033[2J<b>\xff.service\nInactiveExitTimestampMonotonic=%d\n\n", i,
            20000000 + i);
    buf_printf(&many, "Id=%0300d\nInactiveExitTimestampMonotonic=20000000\n\nId=\n", 0);
    buf_add(&many, "InactiveExitTimestampMonotonic=18446744073709551615\nCPUUsageNSec=-5\n");
    NODE_AUTO struct profile_node node = read_rest(many.data);
    assert_int_equal(node.unit_count, PROFILE_UNITS);
    assert_string_equal(node.units[0].name, "0\033[2J<b>\xff.service"); // as it was sent
    assert_about(node.units[0].took_s, 50);
}

// ---- which nodes are asked -------------------------------------------------------------------------

static struct profile *
collect_profile(struct life *life, const struct launch_options *options)
{
    SESSION_AUTO struct session session = {.lock = -1};
    LAUNCH_AUTO struct launch launch = {.options = options, .session = &session};
    struct profile *profile = NULL;
    assert_ok(session_open(life->spec, true, &session, &life->err), &life->err);
    assert_ok(session_connect(&session, &life->err), &life->err);
    assert_ok(launch_in_session(&launch, &life->err), &life->err);
    assert_ok(profile_collect(&launch, 0, &profile, &life->err), &life->err);
    assert_true(profile->seconds > 0);
    return profile;
}

// The nodes of libvirt's test driver have no agent.
static void
test_booted_nodes(void **state)
{
    struct life *life = *state;
    struct launch_options options = ask_for(life);
    PROFILE_AUTO struct profile *first = collect_profile(life, &options);
    assert_int_equal(first->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(first->nodes[i].name, life->spec->nodes[i].name);
        assert_contains(first->nodes[i].missing, "guest agent");
        assert_int_equal(first->nodes[i].unit_count, 0);
    }
    PROFILE_AUTO struct profile *unchanged = collect_profile(life, &options);
    assert_int_equal(unchanged->count, 0);
    STRV_AUTO struct strv names = {0};
    strv_add(&names, "work12");
    assert_ok(cluster_stop(life->spec, &names, NULL, &life->err), &life->err);
    PROFILE_AUTO struct profile *one = collect_profile(life, &options);
    assert_int_equal(one->count, 1);
    assert_string_equal(one->nodes[0].name, "work12");
    assert_about(one->nodes[0].start_s, 0);
}

// Neither a paused nor a thawed node boots.
static void
test_resumed_nodes(void **state)
{
    struct life *life = *state;
    struct launch_options options = ask_for(life);
    bool found;
    assert_ok(launch(life), &life->err);
    SESSION_AUTO struct session session = {.lock = -1};
    assert_ok(session_open_launched(life->spec, false, &session, &life->err), &life->err);
    assert_ok(virt_domain_suspend(session.virt, "air", "work12", &life->err), &life->err);
    PROFILE_AUTO struct profile *resumed = collect_profile(life, &options);
    assert_int_equal(resumed->count, 0);
    struct freeze_report report = {0};
    assert_ok(freeze_in_session(&session, false, NULL, &report, &life->err), &life->err);
    free(report.folder);
    assert_ok(cluster_destroy(life->spec, NULL, &found, &life->err), &life->err);
    PROFILE_AUTO struct profile *thawed = collect_profile(life, &options);
    assert_int_equal(thawed->count, 0);
    assert_domains(life, 4, VIRT_RUNNING);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_activation),
        cmocka_unit_test(test_no_initrd),
        cmocka_unit_test(test_fast_clock),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test_setup_teardown(test_booted_nodes, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(test_resumed_nodes, life_setup, life_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
