// test_virt_states.c - domains in each of libvirt's states, and after changes with virsh: which are
// refused, which are woken, and none is removed while its emulator runs.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "virt_bench.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "virt/call.h"
#include "virt/connection.h"
#include "virt/virt_error.h"

#include <dlfcn.h>

// The test driver cannot wake a domain: the call is recorded here.
static unsigned woken;

int
virDomainPMWakeup(virDomainPtr domain, unsigned flags)
{
    (void) flags;
    woken++;
    return virDomainDestroy(domain) == 0 ? virDomainCreate(domain) : -1;
}

// The test driver knows fewer flags than QEMU's: all that were passed are recorded.
static unsigned undefined_with;

int
virDomainUndefineFlags(virDomainPtr domain, unsigned flags)
{
    int (*real)(virDomainPtr, unsigned) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "virDomainUndefineFlags");
    undefined_with |= flags;
    return real(domain, flags);
}

// ---- a host with one domain a state --------------------------------------------------------------

static const struct {
    const char *name;
    int state; // virDomainState
} given[] = {
    {"nostate", VIR_DOMAIN_NOSTATE},
    {"running", VIR_DOMAIN_RUNNING},
    {"blocked", VIR_DOMAIN_BLOCKED},
    {"paused", VIR_DOMAIN_PAUSED},
    {"shutdown", VIR_DOMAIN_SHUTDOWN},
    {"shutoff", VIR_DOMAIN_SHUTOFF},
    {"crashed", VIR_DOMAIN_CRASHED},
    {"asleep", VIR_DOMAIN_PMSUSPENDED},
};
enum { GIVEN = sizeof given / sizeof given[0] };

static void
add_domain(struct buf *text, const char *name, int number)
{
    struct virt_domain domain = node(name);
    domain.network = NULL;
    FREE_AUTO char *xml = virt_domain_xml(&domain);
    const char *rest = strstr(xml, "<domain type=\"qemu\">");
    assert_non_null(rest);
    buf_printf(text,
        "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
        "<test:runstate>%d</test:runstate>%s",
        number, rest + strlen("<domain type=\"qemu\">"));
}

static int
host_setup(void **state)
{
    struct bench *bench = mem_zero(1, sizeof *bench);
    char folder[] = "/tmp/airbuild-states-XXXXXX";
    BUF_AUTO struct buf text = {0};
    assert_non_null(mkdtemp(folder));
    FREE_AUTO char *path = path_join(folder, "host.xml");
    FREE_AUTO char *uri = str_format("test://%s", path);
    buf_add(&text, "<node>");
    for (size_t i = 0; i < GIVEN; i++)
        add_domain(&text, given[i].name, given[i].state);
    buf_add(&text, "</node>");
    assert_ok(file_write(path, 0600, text.data, text.length, &bench->err), &bench->err);
    assert_ok(virt_open(uri, &bench->virt, &bench->err), &bench->err);
    assert_ok(dir_remove(folder, &bench->err), &bench->err);
    woken = 0;
    *state = bench;
    return 0;
}

static void
assert_is(struct bench *bench, const char *name, enum virt_state wanted, enum error_code held)
{
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    ERROR_AUTO struct error err = {0};
    assert_ok(virt_domain_look(bench->virt, name, &info, &bench->err), &bench->err);
    assert_true(info.ours);
    assert_string_equal(virt_state_name(info.state), virt_state_name(wanted));
    assert_int_equal(info.held, held);
    assert_int_equal(virt_domain_held(&info, &err), held == ERR_NONE ? 0 : -1);
    assert_int_equal(err.code, held);
}

static void
assert_all_as_given(struct bench *bench)
{
    assert_is(bench, "nostate", VIRT_RUNNING, ERR_GUEST);
    assert_is(bench, "running", VIRT_RUNNING, ERR_NONE);
    assert_is(bench, "blocked", VIRT_RUNNING, ERR_NONE);
    assert_is(bench, "paused", VIRT_PAUSED, ERR_NONE);
    assert_is(bench, "shutdown", VIRT_RUNNING, ERR_BUSY);
    assert_is(bench, "shutoff", VIRT_OFF, ERR_NONE);
    assert_is(bench, "crashed", VIRT_PAUSED, ERR_GUEST);
    assert_is(bench, "asleep", VIRT_PAUSED, ERR_NONE);
}

static void
test_held_ones_are_left_alone(void **state)
{
    struct bench *bench = *state;
    struct error *err = &bench->err;
    for (int paused = 0; paused < 2; paused++) {
        assert_error(virt_domain_start(bench->virt, "air", "nostate", paused != 0, err), err,
            ERR_GUEST, "'nostate' cannot be started or resumed (state unknown to libvirt)");
        assert_error(virt_domain_start(bench->virt, "air", "shutdown", paused != 0, err), err,
            ERR_BUSY, "'shutdown' cannot be started or resumed now (going down): wait until");
        assert_error(virt_domain_start(bench->virt, "air", "crashed", paused != 0, err), err,
            ERR_GUEST,
            "'crashed' cannot be started or resumed (panicked): pull its power with 'airbuild");
    }
    assert_error(
        virt_domain_resume(bench->virt, "air", "crashed", err), err, ERR_GUEST, "panicked");
    assert_error(virt_domain_resume(bench->virt, "air", "shutdown", err), err, ERR_BUSY, "down");
    assert_all_as_given(bench);
}

// In every state but shut off the emulator has the disk.
static void
test_nothing_is_removed_under_its_emulator(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < GIVEN; i++)
        if (given[i].state != VIR_DOMAIN_SHUTOFF)
            assert_error(virt_domain_undefine(bench->virt, "air", given[i].name, &bench->err),
                &bench->err, ERR_FAILED, "still runs");
    assert_all_as_given(bench);
    for (size_t i = 0; i < GIVEN; i++) {
        assert_ok(virt_domain_pull(bench->virt, "air", given[i].name, &bench->err), &bench->err);
        assert_is(bench, given[i].name, VIRT_OFF, ERR_NONE);
        assert_ok(
            virt_domain_undefine(bench->virt, "air", given[i].name, &bench->err), &bench->err);
    }
}

static void
test_sleeper_is_woken(void **state)
{
    struct bench *bench = *state;
    assert_ok(virt_domain_resume(bench->virt, "air", "asleep", &bench->err), &bench->err);
    assert_int_equal(woken, 1);
    assert_is(bench, "asleep", VIRT_RUNNING, ERR_NONE);
}

// A sleeping domain does not block the others; those that cannot see their button are returned.
static void
test_stop_in_every_state(void **state)
{
    struct bench *bench = *state;
    STRV_AUTO struct strv names = {0}, left = {0};
    for (size_t i = 0; i < GIVEN; i++)
        strv_add(&names, given[i].name);
    assert_ok(
        virt_domain_shutdown(bench->virt, "air", &names, 20000, NULL, NULL, &left, &bench->err),
        &bench->err);
    FREE_AUTO char *text = strv_join(&left, " ");
    assert_string_equal(text, "nostate crashed");
    assert_int_equal(woken, 1);
    for (size_t i = 0; i < GIVEN; i++)
        if (!strv_has(&left, given[i].name))
            assert_is(bench, given[i].name, VIRT_OFF, ERR_NONE);
}

// ---- after changes with virsh -------------------------------------------------------------------

static void
domain_freep(virDomainPtr *domain)
{
    virDomainFree(*domain);
}
#define DOMAIN_AUTO CLEANUP(domain_freep)

static virDomainPtr
find(struct bench *bench, const char *name)
{
    virDomainPtr domain = virDomainLookupByName(bench->virt->conn, name);
    assert_non_null(domain);
    return domain;
}

static void
make_snapshot(struct bench *bench, const char *name, const char *xml, unsigned flags)
{
    DOMAIN_AUTO virDomainPtr domain = find(bench, name);
    virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML(domain, xml, flags);
    if (snapshot == NULL)
        fail_msg("%s", virGetLastErrorMessage());
    virDomainSnapshotFree(snapshot);
}

// As made with --disk-only, which the test driver does not support.
static void
make_external_snapshot(struct bench *bench, const char *name)
{
    DOMAIN_AUTO virDomainPtr domain = find(bench, name);
    FREE_AUTO char *whole = virDomainGetXMLDesc(domain, 0);
    FREE_AUTO char *xml =
        str_format("<domainsnapshot><name>before</name><state>disk-snapshot</state>"
                   "<creationTime>1</creationTime><disks><disk name='vda' snapshot='external'>"
                   "<source file='/nodes/disk.before'/></disk></disks>%s</domainsnapshot>",
            whole);
    make_snapshot(bench, name, xml, VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE);
}

static void
test_external_snapshot(void **state)
{
    struct bench *bench = *state;
    define(bench, "work11");
    assert_ok(virt_domain_removable(bench->virt, "air", "work11", &bench->err), &bench->err);
    make_external_snapshot(bench, "work11");
    assert_error(virt_domain_removable(bench->virt, "air", "work11", &bench->err), &bench->err,
        ERR_CONFLICT, "'work11' has the external snapshot 'before'");
    assert_error(virt_domain_undefine(bench->virt, "air", "work11", &bench->err), &bench->err,
        ERR_CONFLICT, "virsh snapshot-delete work11 before");
    DOMAIN_AUTO virDomainPtr domain = find(bench, "work11");
    assert_int_equal(virDomainSnapshotNum(domain, 0), 1);
}

static void
test_internal_snapshot_and_checkpoint(void **state)
{
    struct bench *bench = *state;
    start(bench, "work11");
    make_snapshot(bench, "work11", "<domainsnapshot/>", 0);
    assert_ok(virt_domain_pull(bench->virt, "air", "work11", &bench->err), &bench->err);
    assert_ok(virt_domain_removable(bench->virt, "air", "work11", &bench->err), &bench->err);
    assert_ok(virt_domain_undefine(bench->virt, "air", "work11", &bench->err), &bench->err);

    start(bench, "work12");
    DOMAIN_AUTO virDomainPtr domain = find(bench, "work12");
    virDomainCheckpointPtr checkpoint = virDomainCheckpointCreateXML(
        domain, "<domaincheckpoint><name>backup</name></domaincheckpoint>", 0);
    assert_non_null(checkpoint);
    virDomainCheckpointFree(checkpoint);
    assert_ok(virt_domain_pull(bench->virt, "air", "work12", &bench->err), &bench->err);
    assert_ok(virt_domain_undefine(bench->virt, "air", "work12", &bench->err), &bench->err);
    assert_true((undefined_with & VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA) != 0);
}

#define host_test(name) cmocka_unit_test_setup_teardown(name, host_setup, bench_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(test_held_ones_are_left_alone),
        host_test(test_nothing_is_removed_under_its_emulator),
        host_test(test_sleeper_is_woken),
        host_test(test_stop_in_every_state),
        bench_test(test_external_snapshot),
        bench_test(test_internal_snapshot_and_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
