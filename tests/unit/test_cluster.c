// test_cluster.c - decisions of launch without a hypervisor: plans from surveys, refusals, records,
// console phases, reports.
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "store_fixture.h"

#include "base/cleanup.h"
#include "cluster/definition.h"
#include "cluster/plan.h"
#include "cluster/report.h"
#include "cluster/tail.h"

#include <stdio.h>

static struct spec *
four_nodes(void)
{
    struct error err = {0};
    struct spec *spec = NULL;
    const char *text = spec_builtin_text();
    assert_ok(spec_parse("built-in", text, strlen(text), &spec, &err), &err);
    return spec;
}

// A host with nothing of the cluster, or with all of it running.
static void
fake_survey(const struct spec *spec, bool there, struct survey *ret)
{
    *ret = survey_empty(spec);
    for (size_t i = 0; i < spec->node_count && there; i++) {
        ret->disks[i] = ret->seeds[i] = true;
        ret->domains[i].state = VIRT_RUNNING;
        ret->domains[i].ours = true;
        ret->domains[i].reason = "";
        ret->domains[i].cluster = str_dup(spec->cluster);
    }
    if (there) {
        ret->network.exists = ret->network.active = ret->network.ours = true;
        ret->network.cluster = str_dup(spec->cluster);
    }
}

static size_t
count_verb(const struct cluster_plan *plan, const char *verb)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++)
        count += str_equal(plan->steps[i].verb, verb);
    return count;
}

static void
test_plan_from_nothing(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    SURVEY_AUTO struct survey survey = {0};
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    ERROR_AUTO struct error err = {0};
    fake_survey(spec, false, &survey);
    plan_fill(plan, spec, NULL, &survey);
    assert_int_equal(count_verb(plan, "keep"), 0);
    assert_int_equal(count_verb(plan, "make"), 1 + 1 + 4 + 4);
    assert_int_equal(count_verb(plan, "define"), 4);
    assert_int_equal(count_verb(plan, "start"), 4);
    assert_string_equal(plan->steps[0].object, "network air");
    assert_ok(plan_refuse(plan, spec, &err), &err);
}

static void
test_plan_when_all_is_there(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    SURVEY_AUTO struct survey survey = {0};
    RECORD_AUTO struct record *record = record_new(spec, "0123456789abcdef0123456789abcdef");
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    fake_survey(spec, true, &survey);
    plan_fill(plan, spec, record, &survey);
    assert_int_equal(count_verb(plan, "keep"), plan->count);
}

static void
test_plan_of_a_node_that_is_off(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    SURVEY_AUTO struct survey survey = {0};
    RECORD_AUTO struct record *record = record_new(spec, "0123456789abcdef0123456789abcdef");
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    fake_survey(spec, true, &survey);
    survey.domains[2].state = VIRT_OFF;
    plan_fill(plan, spec, record, &survey);
    assert_int_equal(count_verb(plan, "keep"), plan->count - 1);
    assert_int_equal(count_verb(plan, "start"), 1);
}

// Running nodes have their memory, and a host of unknown memory is trusted.
static void
test_nodes_that_do_not_fit_are_refused(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes(); // of 512 and three times 768 MiB
    const struct {
        bool one_runs;
        uint64_t free, total; // MiB
        const char *refusal;
    } cases[] = {{false, 3216, 4096, NULL}, {false, 0, 0, NULL}, {true, 2348, 4096, NULL},
        {false, 3215, 4096,
            "4 nodes to start need 3.1 GiB of memory, but only 3.1 GiB of this host's 4 GiB are "
            "free; write less 'memory'"},
        {true, 1, 4096, "3 nodes to start need 2.3 GiB of memory, but only 1 MiB"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ERROR_AUTO struct error err = {0};
        SURVEY_AUTO struct survey survey = {0};
        CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
        fake_survey(spec, false, &survey);
        survey.domains[1].state = cases[i].one_runs ? VIRT_RUNNING : VIRT_ABSENT;
        survey.domains[1].ours = true;
        survey.domains[1].cluster = str_dup(spec->cluster);
        survey.disks[1] = true;
        survey.overhead = 100 << 20;
        survey.host.memory_free = cases[i].free << 20;
        survey.host.memory_total = cases[i].total << 20;
        plan_fill(plan, spec, NULL, &survey);
        if (cases[i].refusal == NULL)
            assert_ok(plan_refuse(plan, spec, &err), &err);
        else
            assert_error(plan_refuse(plan, spec, &err), &err, ERR_SPACE, cases[i].refusal);
    }
}

// A lost disk means a new instance, which must not use the old seed.
static void
test_plan_makes_a_seed_with_a_disk(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    SURVEY_AUTO struct survey survey = {0};
    RECORD_AUTO struct record *record = record_new(spec, "0123456789abcdef0123456789abcdef");
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    fake_survey(spec, true, &survey);
    survey.disks[1] = false;
    plan_fill(plan, spec, record, &survey);
    assert_int_equal(count_verb(plan, "make"), 2);
}

static void
test_foreign_names_are_refused(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    SURVEY_AUTO struct survey survey = {0};
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    ERROR_AUTO struct error err = {0};
    fake_survey(spec, true, &survey);
    survey.domains[0].ours = false;
    free(survey.domains[0].cluster);
    survey.domains[0].cluster = NULL;
    free(survey.domains[3].cluster);
    survey.domains[3].cluster = str_dup("other");
    survey.network.ours = false;
    survey.network.folder = str_dup("/home/x/clusters/air");
    plan_fill(plan, spec, NULL, &survey);
    assert_int_equal(plan->conflicts.count, 3);
    assert_error(plan_refuse(plan, spec, &err), &err, ERR_CONFLICT,
        "libvirt network 'air' (of the cluster 'air' in '/home/x/clusters/air'), libvirt domain "
        "'head10', libvirt domain 'work13' (of another cluster 'other') exist");
}

static void
test_a_changed_spec_is_refused(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    SURVEY_AUTO struct survey survey = {0};
    RECORD_AUTO struct record *record = record_new(spec, "0123456789abcdef0123456789abcdef");
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    ERROR_AUTO struct error err = {0};
    fake_survey(spec, true, &survey);
    spec->redis.down_after_ms = 5000;
    spec->nodes[1].memory_mib = 4096;
    plan_fill(plan, spec, record, &survey);
    assert_int_equal(plan->differences.count, 2);
    assert_error(
        plan_refuse(plan, spec, &err), &err, ERR_CONFLICT, "was launched with another spec");
}

static void
test_record_differences(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    STRV_AUTO struct strv lines = {0};
    record_differences("cluster: air\nredis.quorum: 3\nnodes.work14.role: redis\n", spec, &lines);
    FREE_AUTO char *text = strv_join(&lines, "|");
    assert_contains(text, "redis.quorum: was 3, now 2|");
    assert_contains(text, "nodes.work11.role: was absent, now redis|");
    assert_contains(text, "|nodes.work14.role: was redis, now absent");
    assert_null(strstr(text, "cluster"));
}

static void
test_record_comes_back(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    RECORD_AUTO struct record *record = record_new(spec, "0123456789abcdef0123456789abcdef"),
                              *back = NULL;
    ERROR_AUTO struct error err = {0};
    json_object_set_new(record->images, "work11", json_string("k1"));
    json_object_set_new(record->images, "work12", json_string("k2"));
    json_object_set_new(record->images, "work11", json_string("k3"));
    assert_ok(record_save(*state, record, &err), &err);
    assert_ok(record_load(*state, &back, &err), &err);
    assert_string_equal(back->spec, record->spec);
    assert_string_equal(back->network, "air");
    assert_string_equal(record_image(back, "work11"), "k3");
    assert_string_equal(record_image(back, "work12"), "k2");
    assert_null(record_image(back, "work13"));
}

static void
test_damaged_record(void **state)
{
    RECORD_AUTO struct record *back = NULL;
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, RECORD_FILE);
    assert_error(record_load(*state, &back, &err), &err, ERR_NOT_FOUND, path);
    assert_ok(file_write(path, 0644, "{\"format\": 1", 12, &err), &err);
    assert_error(record_load(*state, &back, &err), &err, ERR_DAMAGED, "airbuild destroy");
    put_text(path, "{\"format\": 9}");
    assert_error(record_load(*state, &back, &err), &err, ERR_CONFLICT, "newer airbuild");
    put_text(path, "{\"format\": 2, \"spec\": \"\", \"id\": \"short\"}");
    assert_error(record_load(*state, &back, &err), &err, ERR_DAMAGED, "airbuild destroy");
    put_text(path, "[1]");
    assert_error(record_load(*state, &back, &err), &err, ERR_DAMAGED, "airbuild destroy");
}

static void
check_phase(const char *text, const char *expected)
{
    FREE_AUTO char *phase = tail_phase(text, "work11");
    assert_string_equal(phase, expected);
}

static void
test_phases(void **state)
{
    check_phase("", "firmware");
    check_phase("[    0.0] Linux version 6.1.0\n", "kernel");
    check_phase("Linux version\nsystemd[1]: Hello\n", "services");
    check_phase("systemd[1]\ncloud-init[310]: v. 22.4\n", "cloud-init");
    check_phase("cloud-init\nairbuild: work11: configured\r\nfoo\n", "configured");
    check_phase("airbuild: work11: configured\nairbuild: work11: redis ready\n", "redis ready");
    check_phase("airbuild: work12: redis ready\n", "firmware");
    check_phase("Linux version\nairbuild: work11: redis ready\nLinux version\n", "kernel");
}

static void
test_lines_are_harmless(void **state)
{
    FREE_AUTO char *lines =
        tail_lines("first\n\033[0;1;31mred\033[0m\a\r\n\n   \nlast\xc3\xa9\x7f", 2);
    assert_string_equal(lines, "  red\n  last\xc3\xa9\n");
    FREE_AUTO char *none = tail_lines("", 8);
    assert_string_equal(none, "");
    FREE_AUTO char *cut = tail_lines("\033[", 8);
    assert_string_equal(cut, "");
}

static void
test_domain_names_every_disk_of_its_chain(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    struct image image = {.key = (char *) "KEY",
        .disk = (char *) "/s/role.qcow2",
        .backing_disk = (char *) "/s/base.qcow2",
        .kernel = (char *) "/s/kernel",
        .initrd = (char *) "/s/initrd",
        .cmdline = (char *) "root=/dev/vda3"};
    DOMAIN_DEFINITION_AUTO struct domain_definition wanted;
    domain_definition_fill(&wanted, spec, "1d", "5bec", &spec->nodes[1], &image, false);
    assert_int_equal(wanted.domain.disks[0].chain_count, 3);
    assert_string_equal(wanted.domain.disks[0].chain[1].path, "/s/role.qcow2");
    assert_string_equal(wanted.domain.disks[0].chain[2].path, "/s/base.qcow2");
    assert_true(wanted.domain.disks[1].read_only);
    assert_string_equal(wanted.domain.disks[1].chain[0].format, "raw");
    assert_string_equal(wanted.domain.tap, "air_11");
    assert_true(str_starts(wanted.domain.cmdline, "root=/dev/vda3 "));
}

static void
test_report_of_a_converged_cluster(void **state)
{
    SPEC_AUTO struct spec *spec = four_nodes();
    SURVEY_AUTO struct survey survey = {0};
    fake_survey(spec, true, &survey);
    struct probe_result *results = survey.results;
    survey.verdict = (struct probe_verdict){.converged = true, .master = 2};
    results[0].head = (struct probe_head){.written = true, .read_back = true};
    for (size_t i = 1; i < 4; i++) {
        results[i].redis.answered = results[i].sentinel.answered = true;
        results[i].redis.role = i == 2 ? PROBE_MASTER : PROBE_REPLICA;
        results[i].redis.link_up = i != 2;
        results[i].sentinel.other_sentinels = 2;
        snprintf(results[i].sentinel.master, sizeof results[i].sentinel.master, "%s",
            spec->nodes[2].address);
    }
    CLUSTER_REPORT_AUTO struct cluster_report *report = report_make(spec, &survey);
    assert_true(report->converged && report->writes && report->reads);
    assert_string_equal(report->master, "work12");
    assert_string_equal(
        report->summary, "work12 is master, 2 replicas follow, 3 sentinels agree, head10 serves");
    assert_string_equal(report->nodes[0].says, "serving");
    assert_string_equal(report->nodes[1].says, "replica");
    assert_string_equal(report->nodes[1].sentinel, "work12");
    assert_int_equal(report->nodes[1].sentinels, 3);
}

// libvirt keeps no reason, so the message names the restart of the host only when it fits.
static void
test_report_of_machines_that_are_off(void **state)
{
    FREE_AUTO char *restarted = report_off(1764000000, 1763999999);
    assert_contains(
        restarted, "the host was restarted at 2025-11-24T16:00:00Z, or they were stopped");
    assert_contains(restarted, "'airbuild launch' starts them");
    FREE_AUTO char *stopped = report_off(1764000000, 1764000000);
    assert_contains(stopped, "the machines are off: they were stopped; 'airbuild launch'");
    FREE_AUTO char *unknown = report_off(0, 1764000000), *silent = report_off(1764000000, 0);
    assert_string_equal(unknown, stopped);
    assert_string_equal(silent, stopped);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_from_nothing),
        cmocka_unit_test(test_plan_when_all_is_there),
        cmocka_unit_test(test_plan_of_a_node_that_is_off),
        cmocka_unit_test(test_nodes_that_do_not_fit_are_refused),
        cmocka_unit_test(test_plan_makes_a_seed_with_a_disk),
        cmocka_unit_test(test_foreign_names_are_refused),
        cmocka_unit_test(test_a_changed_spec_is_refused),
        cmocka_unit_test(test_record_differences),
        scratch_test(test_record_comes_back),
        scratch_test(test_damaged_record),
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_lines_are_harmless),
        cmocka_unit_test(test_domain_names_every_disk_of_its_chain),
        cmocka_unit_test(test_report_of_a_converged_cluster),
        cmocka_unit_test(test_report_of_machines_that_are_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
