// test_virt_watch.c - events of domains and data of the host, from libvirt's own in-memory
// hypervisor.
// SPDX-License-Identifier: Apache-2.0
#include "virt_bench.h"

#include "base/cleanup.h"
#include "virt/watch.h"

// ---- what happens --------------------------------------------------------------------------------

static void
assert_event(struct bench *bench, struct virt_watch *watch, enum virt_event_kind kind,
    const char *name, const char *reason)
{
    VIRT_EVENT_AUTO struct virt_event event = {0};
    assert_int_equal(virt_watch_next(watch, 10000, &event, &bench->err), 1);
    assert_int_equal(event.kind, kind);
    assert_string_equal(event.domain, name);
    assert_string_equal(event.reason, reason);
}

static char *work11_items[] = {(char[]){"work11"}, NULL};
static const struct strv work11 = {work11_items, 1, 2};

static void
test_events(void **state)
{
    struct bench *bench = *state;
    struct error *err = &bench->err;
    VIRT_WATCH_AUTO struct virt_watch *watch = NULL;
    assert_ok(virt_watch_new(bench->virt, &work11, &watch, err), err);
    start(bench, "work11");
    assert_event(bench, watch, VIRT_EVENT_STARTED, "work11", "");
    assert_ok(virt_domain_suspend(bench->virt, "air", "work11", err), err);
    assert_event(bench, watch, VIRT_EVENT_SUSPENDED, "work11", "by request");
    assert_ok(virt_domain_resume(bench->virt, "air", "work11", err), err);
    assert_event(bench, watch, VIRT_EVENT_RESUMED, "work11", "");
    assert_ok(virt_domain_press_power(bench->virt, "air", "work11", err), err);
    assert_event(bench, watch, VIRT_EVENT_STOPPED, "work11", "shut down");
    assert_ok(virt_domain_start(bench->virt, "air", "work11", false, err), err);
    assert_event(bench, watch, VIRT_EVENT_STARTED, "work11", "");
    assert_ok(virt_domain_pull(bench->virt, "air", "work11", err), err);
    assert_event(bench, watch, VIRT_EVENT_STOPPED, "work11", "power pulled");
    struct virt_event none;
    assert_int_equal(virt_watch_next(watch, 0, &none, err), 0);
    assert_int_equal(virt_watch_next(watch, 10, &none, err), 0);
}

static void
test_events_of_some(void **state)
{
    struct bench *bench = *state;
    VIRT_WATCH_AUTO struct virt_watch *watch = NULL;
    STRV_AUTO struct strv names = {0};
    strv_split(&names, "head10 work12", ' ');
    assert_ok(virt_watch_new(bench->virt, &names, &watch, &bench->err), &bench->err);
    start(bench, "work11");
    start(bench, "work12");
    assert_event(bench, watch, VIRT_EVENT_STARTED, "work12", "");
}

static void
test_one_watch(void **state)
{
    struct bench *bench = *state;
    VIRT_WATCH_AUTO struct virt_watch *watch = NULL, *second = NULL;
    assert_ok(virt_watch_new(bench->virt, &work11, &watch, &bench->err), &bench->err);
    assert_error(virt_watch_new(bench->virt, &work11, &second, &bench->err), &bench->err, ERR_BUSY,
        "has a watch already");
    virt_watch_freep(&watch);
    assert_ok(virt_watch_new(bench->virt, &work11, &second, &bench->err), &bench->err);
}

// When nobody reads for long, the newest are kept.
static void
test_many_events(void **state)
{
    struct bench *bench = *state;
    struct error *err = &bench->err;
    VIRT_WATCH_AUTO struct virt_watch *watch = NULL;
    start(bench, "work11");
    assert_ok(virt_watch_new(bench->virt, &work11, &watch, err), err);
    for (int i = 0; i < 600; i++) {
        assert_ok(virt_domain_suspend(bench->virt, "air", "work11", err), err);
        assert_ok(virt_domain_resume(bench->virt, "air", "work11", err), err);
    }
    assert_ok(virt_domain_pull(bench->virt, "air", "work11", err), err);
    enum virt_event_kind last = VIRT_EVENT_LOST;
    int count = 0;
    while (last != VIRT_EVENT_STOPPED) {
        VIRT_EVENT_AUTO struct virt_event event = {0};
        assert_int_equal(virt_watch_next(watch, 10000, &event, err), 1);
        last = event.kind;
        count++;
    }
    assert_true(count >= 1024 && count <= 1201);
}

// ---- the host --------------------------------------------------------------------------------------

static void
test_host(void **state)
{
    struct bench *bench = *state;
    VIRT_HOST_AUTO struct virt_host host = {0};
    assert_ok(virt_host_look(bench->virt, &host, &bench->err), &bench->err);
    assert_true(strspn(host.libvirt, "0123456789.") == strlen(host.libvirt));
    assert_contains(host.hypervisor, "TEST ");
    assert_non_null(host.arch);
}

// The test driver's counters never change.
static void
test_idle(void **state)
{
    struct bench *bench = *state;
    double idle = -1;
    unsigned cpus = 1;
    assert_ok(virt_host_idle(bench->virt, &idle, &cpus, &bench->err), &bench->err);
    assert_true(idle == 0 && cpus == 0);
}

static void
test_open_nothing(void **state)
{
    ERROR_AUTO struct error err = {0};
    struct virt *virt = NULL;
    assert_error(virt_open("qemu:///system?socket=/nonexistent/socket&mode=legacy", &virt, &err),
        &err, ERR_LIBVIRT, "systemctl start libvirtd");
    assert_error(virt_open("no-such-driver:///", &virt, &err), &err, ERR_LIBVIRT, "no-such-driver");
    assert_null(virt);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        bench_test(test_events),
        bench_test(test_events_of_some),
        bench_test(test_one_watch),
        bench_test(test_many_events),
        bench_test(test_host),
        bench_test(test_idle),
        cmocka_unit_test(test_open_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
