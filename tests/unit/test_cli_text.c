// test_cli_text.c - output for people: tables, quotes, the nodes of a report.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "cli/message.h"
#include "cli/show.h"
#include "cli/table.h"

#include <jansson.h>

static void
assert_quoted(const char *word, const char *expected)
{
    BUF_AUTO struct buf seen = {0};
    message_quote(&seen, word);
    assert_string_equal(seen.data, expected);
}

static void
test_quotes(void **state)
{
    assert_quoted("172.31.255.10:6380", "172.31.255.10:6380");
    assert_quoted("", "''");
    assert_quoted("a b", "'a b'");
    assert_quoted("a'$(b)", "'a'\\''$(b)'");
    assert_quoted("~", "'~'");
}

static void
test_table(void **state)
{
    TABLE_AUTO struct table table = {0};
    table_row(&table);
    table_cell(&table, COLOR_GREEN, "a");
    table_cell(&table, COLOR_NONE, "long\nname");
    table_cell(&table, COLOR_NONE, "end");
    table_row(&table);
    table_cell(&table, COLOR_RED, "\xc3\xa9t\xc3\xa9");
    table_cellf(&table, COLOR_NONE, "%d", 5);
    table_cell(&table, COLOR_NONE, "");
    table_row(&table);
    table_cell(&table, COLOR_NONE, NULL);
    BUF_AUTO struct buf plain = {0}, colored = {0};
    table_print(&table, 1, false, &plain);
    assert_string_equal(plain.data, " a    long name  end\n"
                                    " \xc3\xa9t\xc3\xa9  5\n"
                                    " -\n");
    table_print(&table, 0, true, &colored);
    assert_contains(colored.data, "\033[32ma\033[0m    long name");
}

static struct cluster_report *
report_of(bool converged)
{
    struct cluster_report *report = mem_zero(1, sizeof(*report));
    report->converged = converged;
    report->summary = str_dup(converged ? "all is well" : "work12 does not answer");
    report->nodes = mem_zero(3, sizeof(*report->nodes));
    report->node_count = 3;
    report->nodes[0] = (struct cluster_node_report){.name = "head10",
        .address = "10.0.0.10",
        .role = SPEC_HAPROXY,
        .state = str_dup("running"),
        .says = str_dup("serving"),
        .lag_s = -1};
    report->nodes[1] = (struct cluster_node_report){.name = "work11",
        .address = "10.0.0.11",
        .role = SPEC_REDIS,
        .state = str_dup("running"),
        .says = str_dup("replica"),
        .link_up = true,
        .lag_s = 1,
        .sentinel = str_dup("work12"),
        .sentinels = 3};
    report->nodes[2] = (struct cluster_node_report){.name = "work12",
        .address = "10.0.0.12",
        .role = SPEC_REDIS,
        .state = str_dup("running"),
        .says = str_dup("starting"),
        .phase = str_dup("kernel\033[2J"),
        .lag_s = -1};
    return report;
}

static void
test_nodes(void **state)
{
    CLUSTER_REPORT_AUTO struct cluster_report *report = report_of(false);
    BUF_AUTO struct buf text = {0};
    show_report(report, false, &text);
    assert_string_equal(text.data,
        "NODE    ADDRESS    STATE    ROLE     LINK           LAG  SENTINEL NAMES\n"
        "head10  10.0.0.10  running  haproxy  serving        -    -\n"
        "work11  10.0.0.11  running  replica  up             1 s  work12 (3 sentinels)\n"
        "work12  10.0.0.12  running  redis    kernel\\x1b[2J  -    -\n"
        "\nnot converged: work12 does not answer\n");
}

static void
test_report_json(void **state)
{
    CLUSTER_REPORT_AUTO struct cluster_report *report = report_of(true);
    struct spec spec = {.cluster = (char[]){"air"}};
    json_auto_t *value = show_json(&spec, report);
    assert_true(json_is_true(json_object_get(value, "converged")));
    assert_null(json_string_value(json_object_get(value, "master")));
    const json_t *node = json_array_get(json_object_get(value, "nodes"), 1);
    assert_string_equal(json_string_value(json_object_get(node, "name")), "work11");
    assert_string_equal(json_string_value(json_object_get(node, "address")), "10.0.0.11");
    assert_string_equal(json_string_value(json_object_get(node, "state")), "running");
    assert_string_equal(json_string_value(json_object_get(node, "role")), "replica");
    assert_int_equal((json_is_integer(json_object_get(node, "lag_s"))
                             ? json_integer_value(json_object_get(node, "lag_s"))
                             : -5),
        1);
    const json_t *starting = json_array_get(json_object_get(value, "nodes"), 2);
    assert_string_equal(json_string_value(json_object_get(starting, "role")), "redis");
    assert_int_equal((json_is_integer(json_object_get(starting, "lag_s"))
                             ? json_integer_value(json_object_get(starting, "lag_s"))
                             : -5),
        -5); // null
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_report_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
