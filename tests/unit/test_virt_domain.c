// test_virt_domain.c - domains in libvirt's own in-memory hypervisor: their life, differences,
// owners.
// SPDX-License-Identifier: Apache-2.0
#include "virt_bench.h"

#include "base/cleanup.h"
#include "virt/agent.h"
#include "virt/connection.h"
#include "virt/console.h"

static void
assert_state(struct bench *bench, const char *name, enum virt_state state, const char *reason)
{
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    assert_ok(virt_domain_look(bench->virt, name, &info, &bench->err), &bench->err);
    assert_string_equal(virt_state_name(info.state), virt_state_name(state));
    assert_string_equal(info.reason, reason);
}

// ---- a domain's life -----------------------------------------------------------------------------

static void
test_life(void **state)
{
    struct bench *bench = *state;
    struct error *err = &bench->err;
    assert_state(bench, "work11", VIRT_ABSENT, "");
    define(bench, "work11");
    assert_state(bench, "work11", VIRT_OFF, "");
    assert_ok(virt_domain_start(bench->virt, "air", "work11", false, err), err);
    assert_state(bench, "work11", VIRT_RUNNING, "");
    assert_ok(virt_domain_start(bench->virt, "air", "work11", false, err), err);
    assert_ok(virt_domain_suspend(bench->virt, "air", "work11", err), err);
    assert_state(bench, "work11", VIRT_PAUSED, "by request");
    assert_ok(virt_domain_resume(bench->virt, "air", "work11", err), err);
    assert_state(bench, "work11", VIRT_RUNNING, "");
    assert_ok(virt_domain_press_power(bench->virt, "air", "work11", err), err);
    assert_state(bench, "work11", VIRT_OFF, "shut down");
    assert_ok(virt_domain_start(bench->virt, "air", "work11", false, err), err);
    assert_ok(virt_domain_pull(bench->virt, "air", "work11", err), err);
    assert_state(bench, "work11", VIRT_OFF, "power pulled");
    assert_ok(virt_domain_undefine(bench->virt, "air", "work11", err), err);
    assert_state(bench, "work11", VIRT_ABSENT, "");
}

static void
test_start_paused(void **state)
{
    struct bench *bench = *state;
    define(bench, "work11");
    assert_ok(virt_domain_start(bench->virt, "air", "work11", true, &bench->err), &bench->err);
    assert_state(bench, "work11", VIRT_PAUSED, "by request");
}

static void
test_done_already(void **state)
{
    struct bench *bench = *state;
    assert_ok(virt_domain_pull(bench->virt, "air", "absent", &bench->err), &bench->err);
    assert_ok(virt_domain_undefine(bench->virt, "air", "absent", &bench->err), &bench->err);
    define(bench, "work11");
    assert_ok(virt_domain_pull(bench->virt, "air", "work11", &bench->err), &bench->err);
}

static void
test_absent(void **state)
{
    struct bench *bench = *state;
    struct virt *virt = bench->virt;
    struct error *err = &bench->err;
    struct virt_domain domain = node("absent");
    char *difference = NULL;
    assert_error(virt_domain_start(virt, "air", "absent", false, err), err, ERR_NOT_FOUND,
        "no domain 'absent'");
    assert_error(virt_domain_press_power(virt, "air", "absent", err), err, ERR_NOT_FOUND, "absent");
    assert_error(virt_domain_suspend(virt, "air", "absent", err), err, ERR_NOT_FOUND, "absent");
    assert_error(virt_domain_link(virt, "air", "absent", false, err), err, ERR_NOT_FOUND, "absent");
    assert_error(virt_console(virt, "air", "absent", false, err), err, ERR_NOT_FOUND, "absent");
    assert_error(
        virt_domain_compare(virt, &domain, &difference, err), err, ERR_NOT_FOUND, "absent");
}

static void
test_undefine_running(void **state)
{
    struct bench *bench = *state;
    start(bench, "work11");
    assert_error(virt_domain_undefine(bench->virt, "air", "work11", &bench->err), &bench->err,
        ERR_FAILED, "'work11' still runs");
    assert_state(bench, "work11", VIRT_RUNNING, "");
}

static void
test_saved(void **state)
{
    struct bench *bench = *state;
    struct error *err = &bench->err;
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    start(bench, "work11");
    virDomainPtr domain = virDomainLookupByName(bench->virt->conn, "work11");
    assert_int_equal(virDomainManagedSave(domain, 0), 0);
    assert_ok(virt_domain_look(bench->virt, "work11", &info, err), err);
    assert_int_equal(info.state, VIRT_OFF);
    assert_true(info.saved);
    assert_int_equal(virDomainManagedSaveRemove(domain, 0), 0);
    virDomainFree(domain);
    virt_domain_info_free(&info);
    assert_ok(virt_domain_look(bench->virt, "work11", &info, err), err);
    assert_false(info.saved);
}

static void
test_console_of_stopped(void **state)
{
    struct bench *bench = *state;
    define(bench, "work11");
    assert_error(virt_console(bench->virt, "air", "work11", false, &bench->err), &bench->err,
        ERR_GUEST, "'work11' does not run (off)");
}

// The in-memory guests have no agent: an error, at once.
static void
test_no_agent(void **state)
{
    struct bench *bench = *state;
    const char *argv[] = {"/bin/true", NULL};
    int status = 0;
    start(bench, "work11");
    assert_error(
        virt_agent_run(bench->virt, "air", "work11", argv, 60000, &status, NULL, &bench->err),
        &bench->err, ERR_GUEST, "the guest agent of 'work11' failed the request");
    assert_error(
        virt_agent_run(bench->virt, "air", "absent", argv, 60000, &status, NULL, &bench->err),
        &bench->err, ERR_NOT_FOUND, "absent");
}

static void
count_off(void *context, const char *name)
{
    strv_add(context, name);
}

static void
test_shutdown_of_all(void **state)
{
    struct bench *bench = *state;
    STRV_AUTO struct strv names = {0}, off = {0}, left = {0};
    start(bench, "head10");
    start(bench, "work11");
    define(bench, "work12");
    assert_ok(virt_domain_suspend(bench->virt, "air", "work11", &bench->err), &bench->err);
    strv_split(&names, "head10 work11 work12 work13", ' ');
    assert_ok(virt_domain_shutdown(
                  bench->virt, "air", &names, 10000, count_off, &off, &left, &bench->err),
        &bench->err);
    strv_sort(&off);
    FREE_AUTO char *text = strv_join(&off, " ");
    assert_string_equal(text, "head10 work11");
    assert_int_equal(left.count, 0);
    assert_state(bench, "head10", VIRT_OFF, "shut down");
    assert_state(bench, "work11", VIRT_OFF, "shut down");
}

// Without time to shut down, all running ones are returned.
static void
test_shutdown_without_time(void **state)
{
    struct bench *bench = *state;
    STRV_AUTO struct strv names = {0}, left = {0};
    start(bench, "work11");
    strv_add(&names, "work11");
    assert_ok(virt_domain_shutdown(bench->virt, "air", &names, 0, NULL, NULL, &left, &bench->err),
        &bench->err);
    assert_int_equal(left.count, 1);
    assert_string_equal(left.items[0], "work11");
}

// ---- what differs --------------------------------------------------------------------------------

static void
assert_difference(struct bench *bench, const struct virt_domain *wanted, const char *text)
{
    FREE_AUTO char *difference = NULL;
    assert_ok(virt_domain_compare(bench->virt, wanted, &difference, &bench->err), &bench->err);
    if (text == NULL) {
        assert_null(difference);
        return;
    }
    assert_non_null(difference);
    assert_string_equal(difference, text);
}

static void
test_compare(void **state)
{
    struct bench *bench = *state;
    define(bench, "work11");
    struct virt_domain wanted = node("work11");
    assert_difference(bench, &wanted, NULL);
    wanted.memory_mib = 128;
    wanted.cpus = 2;
    assert_difference(bench, &wanted,
        "memory is '65536 KiB', wanted '131072 KiB'; number of processors is '1', wanted '2'");
    wanted = node("work11");
    wanted.spec = NULL;
    wanted.kvm = true;
    assert_difference(bench, &wanted,
        "what it was made from is '5e1f', wanted none; accelerator is 'qemu', wanted 'kvm'");
    wanted = node("work11");
    wanted.network = NULL;
    wanted.bridge = "br0";
    wanted.mac = "52:54:00:1f:ff:0c";
    assert_difference(bench, &wanted,
        "MAC address is '52:54:00:1f:ff:0b', wanted '52:54:00:1f:ff:0c'; network is 'default', "
        "wanted none; bridge is none, wanted 'br0'");
}

static void
test_compare_disks(void **state)
{
    struct bench *bench = *state;
    const struct virt_image layers[] = {{"/top", "qcow2"}, {"/role", "qcow2"}, {"/base", "qcow2"}};
    const struct virt_disk deep = {layers, 3, false, "root"}, shallow = {layers, 2, false, "root"};
    struct virt_domain wanted = node("work11");
    wanted.disks = &deep;
    assert_ok(virt_domain_define(bench->virt, &wanted, &bench->err), &bench->err);
    assert_difference(bench, &wanted, NULL);
    wanted.disks = &shallow;
    assert_difference(bench, &wanted, "backing files is '/role /base', wanted '/role'");
}

// Redefined it is the same domain, with the same UUID.
static void
test_define_again(void **state)
{
    struct bench *bench = *state;
    struct virt_domain wanted = node("work11");
    wanted.uuid = "0f7ee7ea-0001-4000-8000-00000000000b";
    assert_ok(virt_domain_define(bench->virt, &wanted, &bench->err), &bench->err);
    struct virt_domain again = node("work11");
    again.memory_mib = 128;
    assert_ok(virt_domain_define(bench->virt, &again, &bench->err), &bench->err);
    assert_difference(bench, &again, NULL);
    wanted.name = "other";
    assert_error(virt_domain_define(bench->virt, &wanted, &bench->err), &bench->err, ERR_LIBVIRT,
        "already defined with uuid 0f7ee7ea-0001-4000-8000-00000000000b");
}

// What libvirt's schema does not allow is not defined.
static void
test_define_invalid(void **state)
{
    struct bench *bench = *state;
    const struct virt_image strange[] = {{"/store/disk", "no such format!"}};
    const struct virt_disk bad = {strange, 1, false, NULL};
    struct virt_domain domain = node("work11");
    domain.disks = &bad;
    assert_error(virt_domain_define(bench->virt, &domain, &bench->err), &bench->err, ERR_LIBVIRT,
        "defining the domain 'work11': ");
    assert_state(bench, "work11", VIRT_ABSENT, "");
    domain = node("../work11");
    assert_error(virt_domain_define(bench->virt, &domain, &bench->err), &bench->err, ERR_LIBVIRT,
        "cannot contain '/'");
}

// ---- owners ---------------------------------------------------------------------------------------

static void
assert_untouchable(struct bench *bench, const char *cluster, const char *name, const char *text)
{
    struct virt *virt = bench->virt;
    struct error *err = &bench->err;
    struct virt_domain domain = node(name);
    STRV_AUTO struct strv names = {0}, left = {0};
    const char *argv[] = {"/bin/true", NULL};
    char *difference = NULL;
    int status = 0;
    domain.cluster = cluster;
    strv_add(&names, name);
    assert_error(virt_domain_define(virt, &domain, err), err, ERR_CONFLICT, text);
    assert_error(virt_domain_compare(virt, &domain, &difference, err), err, ERR_CONFLICT, text);
    assert_error(virt_domain_start(virt, cluster, name, false, err), err, ERR_CONFLICT, text);
    assert_error(virt_domain_press_power(virt, cluster, name, err), err, ERR_CONFLICT, text);
    assert_error(virt_domain_pull(virt, cluster, name, err), err, ERR_CONFLICT, text);
    assert_error(virt_domain_undefine(virt, cluster, name, err), err, ERR_CONFLICT, text);
    assert_error(virt_domain_suspend(virt, cluster, name, err), err, ERR_CONFLICT, text);
    assert_error(virt_domain_resume(virt, cluster, name, err), err, ERR_CONFLICT, text);
    assert_error(virt_domain_link(virt, cluster, name, false, err), err, ERR_CONFLICT, text);
    assert_error(virt_agent_run(virt, cluster, name, argv, 1000, &status, NULL, err), err,
        ERR_CONFLICT, text);
    assert_error(virt_console(virt, cluster, name, false, err), err, ERR_CONFLICT, text);
    assert_error(virt_domain_shutdown(virt, cluster, &names, 1000, NULL, NULL, &left, err), err,
        ERR_CONFLICT, text);
}

static void
test_foreign(void **state)
{
    struct bench *bench = *state;
    assert_untouchable(bench, "air", "test", "'test' was not made by airbuild and is not touched");
    assert_state(bench, "test", VIRT_RUNNING, "");
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    assert_ok(virt_domain_look(bench->virt, "test", &info, &bench->err), &bench->err);
    assert_false(info.ours);
    assert_null(info.cluster);
}

static void
test_other_cluster(void **state)
{
    struct bench *bench = *state;
    start(bench, "work11");
    assert_untouchable(
        bench, "sea", "work11", "'work11' belongs to the cluster 'air', not to 'sea'");
    assert_state(bench, "work11", VIRT_RUNNING, "");
    struct virt_domain unchanged = node("work11");
    assert_difference(bench, &unchanged, NULL);
}

// With a foreign domain among the names, none is shut down.
static void
test_shutdown_with_foreign(void **state)
{
    struct bench *bench = *state;
    STRV_AUTO struct strv names = {0}, left = {0};
    start(bench, "work11");
    strv_split(&names, "work11 test", ' ');
    assert_error(
        virt_domain_shutdown(bench->virt, "air", &names, 1000, NULL, NULL, &left, &bench->err),
        &bench->err, ERR_CONFLICT, "'test'");
    assert_state(bench, "work11", VIRT_RUNNING, "");
}

static void
test_list(void **state)
{
    struct bench *bench = *state;
    struct virt_domain sea = node("anemone");
    sea.cluster = "sea";
    assert_ok(virt_domain_define(bench->virt, &sea, &bench->err), &bench->err);
    define(bench, "work12");
    start(bench, "work11");
    VIRT_DOMAIN_LIST_AUTO struct virt_domain_list air = {0}, all = {0};
    assert_ok(virt_domain_list(bench->virt, "air", &air, &bench->err), &bench->err);
    assert_int_equal(air.count, 2);
    assert_string_equal(air.items[0].name, "work11");
    assert_int_equal(air.items[0].state, VIRT_RUNNING);
    assert_string_equal(air.items[1].name, "work12");
    assert_ok(virt_domain_list(bench->virt, NULL, &all, &bench->err), &bench->err);
    assert_int_equal(all.count, 3);
    assert_string_equal(all.items[0].cluster, "sea");
}

// Side by side, and with one that cannot be started.
static void
test_start_all(void **state)
{
    struct bench *bench = *state;
    STRV_AUTO struct strv names = {0};
    VIRT_DOMAIN_LIST_AUTO struct virt_domain_list list = {0};
    for (int i = 1; i <= 5; i++) {
        FREE_AUTO char *name = str_format("work%d", i);
        i == 2 ? start(bench, name) : define(bench, name); // that one stays as it is
        strv_add(&names, name);
    }
    assert_ok(virt_domain_start_all(bench->virt, "air", &names, 2, &bench->err), &bench->err);
    assert_ok(virt_domain_list(bench->virt, "air", &list, &bench->err), &bench->err);
    assert_int_equal(list.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(list.items[i].state, i == 1 ? VIRT_RUNNING : VIRT_PAUSED);
    strv_add(&names, "work6");
    assert_error(virt_domain_start_all(bench->virt, "air", &names, 9, &bench->err), &bench->err,
        ERR_NOT_FOUND, "work6");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        bench_test(test_life),
        bench_test(test_start_paused),
        bench_test(test_done_already),
        bench_test(test_absent),
        bench_test(test_undefine_running),
        bench_test(test_saved),
        bench_test(test_console_of_stopped),
        bench_test(test_no_agent),
        bench_test(test_shutdown_of_all),
        bench_test(test_shutdown_without_time),
        bench_test(test_compare),
        bench_test(test_compare_disks),
        bench_test(test_define_again),
        bench_test(test_define_invalid),
        bench_test(test_foreign),
        bench_test(test_other_cluster),
        bench_test(test_shutdown_with_foreign),
        bench_test(test_list),
        bench_test(test_start_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
