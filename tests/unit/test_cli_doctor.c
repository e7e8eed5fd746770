// test_cli_doctor.c - what doctor makes of routes and names, without looking at this host.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "cli/doctor.h"
#include "cli/hosts.h"

#define HEAD "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
#define ROUTE(iface, destination, mask) \
    iface "\t" destination "\t00000000\t0001\t0\t0\t0\t" mask "\t0\t0\t0\n"

static void
assert_clash(const char *routes, const char *expected, bool expected_wider)
{
    bool wider = !expected_wider;
    FREE_AUTO char *seen = doctor_route_clash(routes, "172.31.255.0/24", "air0", &wider);
    if (expected == NULL)
        assert_null(seen);
    else
        assert_string_equal(seen, expected);
    assert_int_equal(wider, expected_wider);
}

static void
test_routes(void **state)
{
    (void) state;
    assert_clash("", NULL, false);
    assert_clash(HEAD, NULL, false);
    assert_clash(HEAD ROUTE("eth0", "00000000", "00000000"), NULL, false); // the default route
    assert_clash(HEAD ROUTE("eth0", "0000000A", "000000FF"), NULL, false); // 10.0.0.0/8
    assert_clash(HEAD ROUTE("air0", "00FF1FAC", "00FFFFFF"), NULL, false); // our own bridge
    assert_clash(HEAD ROUTE("virbr9", "00FF1FAC", "00FFFFFF"), "172.31.255.0/24 by virbr9", false);
    assert_clash(HEAD ROUTE("tun0", "0BFF1FAC", "FFFFFFFF"), "172.31.255.11/32 by tun0", false);
    assert_clash(HEAD ROUTE("tun0", "000010AC", "0000F0FF"), "172.16.0.0/12 by tun0", true);
    // One that is in the way counts more than one that is only wider.
    assert_clash(HEAD ROUTE("tun0", "000010AC", "0000F0FF") ROUTE("x", "00FF1FAC", "00FFFFFF"),
        "172.31.255.0/24 by x", false);
}

static void
test_ranges(void **state)
{
    (void) state;
    assert_true(doctor_ranges_overlap(0x0a000000, 8, 0x0a010200, 24));
    assert_true(doctor_ranges_overlap(0x0a010200, 24, 0x0a000000, 8));
    assert_false(doctor_ranges_overlap(0x0a010200, 24, 0x0a010300, 24));
    assert_true(doctor_ranges_overlap(0, 0, 0xffffffff, 32));
}

static void
test_hosts(void **state)
{
    (void) state;
    const char *text = "127.0.0.1 localhost\n"
                       "# 10.0.0.1 commented\n"
                       "10.0.0.1\thead10 Head # work11\n"
                       "10.0.0.2 work11x\r\n"
                       "10.0.0.3";
    assert_true(hosts_text_knows(text, "head10", "10.0.0.1"));
    assert_true(hosts_text_knows(text, "head", "10.0.0.1"));
    assert_true(hosts_text_knows(text, "work11x", "10.0.0.2"));
    assert_false(hosts_text_knows(text, "head10", "10.0.0.2"));
    assert_false(hosts_text_knows(text, "work11", "10.0.0.1"));
    assert_false(hosts_text_knows(text, "commented", "10.0.0.1"));
    assert_false(hosts_text_knows("", "head10", "10.0.0.1"));
}

static void
test_facts(void **state)
{
    (void) state;
    DOCTOR_AUTO struct doctor doctor = {0};
    doctor_pass(&doctor, "cpu", "%d of them", 4);
    doctor_bad(&doctor, "disk", DOCTOR_FAIL, "buy one", "only %s", "little");
    assert_int_equal(doctor.count, 2);
    assert_string_equal(doctor.facts[0].detail, "4 of them");
    assert_null(doctor.facts[0].mend);
    assert_string_equal(doctor.facts[1].mend, "buy one");
    assert_string_equal(doctor_result_name(doctor.facts[1].result), "FAIL");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
