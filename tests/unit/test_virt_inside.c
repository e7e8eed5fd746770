// test_virt_inside.c - the inside of virt/: calls with a deadline, libvirt's errors and states, the
// link of an interface, values read from XML.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "virt/domain_handle.h"
#include "virt/reader.h"
#include "virt/virt_error.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

// ---- calls with a deadline -----------------------------------------------------------------------

static struct slow {
    int go, ended; // eventfds
    int result;
} slow;

static int
slow_run(struct call *call)
{
    eventfd_t ignored;
    eventfd_read(slow.go, &ignored);
    call->text = str_dup("answer");
    eventfd_write(slow.ended, 1);
    return slow.result < 0 ? error_set(&call->err, ERR_LIBVIRT, "refused") : 0;
}

static struct call *
slow_call(int result, bool go)
{
    slow = (struct slow){eventfd(go, 0), eventfd(0, 0), result};
    return call_new(NULL, NULL, NULL, "%s", "waiting");
}

static bool
has_ended(int wait_ms)
{
    struct pollfd fd = {slow.ended, POLLIN, 0};
    return poll(&fd, 1, wait_ms) == 1;
}

static int
slow_close(void **state)
{
    close(slow.go);
    close(slow.ended);
    return 0;
}

static void
test_call_succeeds(void **state)
{
    ERROR_AUTO struct error err = {0};
    CALL_AUTO struct call *call = slow_call(0, true);
    assert_ok(call_run(&call, 10000, slow_run, &err), &err);
    FREE_AUTO char *answer = TAKE(call->text);
    assert_string_equal(answer, "answer");
}

static void
test_call_fails(void **state)
{
    ERROR_AUTO struct error err = {0};
    CALL_AUTO struct call *call = slow_call(-1, true);
    assert_error(call_run(&call, 10000, slow_run, &err), &err, ERR_LIBVIRT, "refused");
}

// A call that is given up goes on, in memory of its own, until it ends by itself.
static void
test_call_too_slow(void **state)
{
    ERROR_AUTO struct error err = {0};
    CALL_AUTO struct call *call = slow_call(0, false);
    assert_error(
        call_run(&call, 50, slow_run, &err), &err, ERR_TIMEOUT, "waiting took longer than");
    assert_null(call);
    assert_false(has_ended(50));
    call_settle(50); // does not wait for ever
    assert_false(has_ended(0));
    eventfd_write(slow.go, 1);
    call_settle(10000);
    assert_true(has_ended(0));
}

// In its own process, as an interruption is never reset.
static int
interrupted(void)
{
    ERROR_AUTO struct error err = {0};
    CALL_AUTO struct call *call = slow_call(0, false);
    if (interrupt_install(&err) < 0)
        return 1;
    raise(SIGTERM);
    if (call_run(&call, 60000, slow_run, &err) == 0)
        return 2;
    eventfd_write(slow.go, 1);
    if (!has_ended(10000))
        return 3;
    return err.code == ERR_INTERRUPTED ? 0 : 4;
}

static void
test_call_interrupted(void **state)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(interrupted());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

// ---- libvirt's errors --------------------------------------------------------------------------

static void
test_faults(void **state)
{
    static const struct {
        int code, domain, number;
        const char *message;
        enum error_code wanted;
        const char *fix;
    } cases[] = {
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, ENOENT, "Verbinden mit Socket scheitert", ERR_LIBVIRT,
            "start it with 'systemctl start libvirtd'"},
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, ECONNREFUSED, "Verbinden mit Socket scheitert",
            ERR_LIBVIRT, "scripts/lab"},
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, EACCES, "Verbinden mit Socket scheitert", ERR_ACCESS,
            "group 'libvirt'"},
        {VIR_ERR_AUTH_UNAVAILABLE, VIR_FROM_POLKIT, -1, "kein Agent", ERR_ACCESS,
            "group 'libvirt'"},
        {VIR_ERR_AUTH_FAILED, VIR_FROM_POLKIT, -1, "authentication failed", ERR_ACCESS,
            "run as root"},
        {VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, -1, "Domain not found", ERR_NOT_FOUND,
            "virsh list --all"},
        {VIR_ERR_OPERATION_TIMEOUT, VIR_FROM_QEMU, -1, "Timed out", ERR_TIMEOUT, "try again"},
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_QEMU, ENOSPC, "kein Platz auf dem Medium", ERR_SPACE,
            "free some"},
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_NONE, EDQUOT, "Quota", ERR_SPACE, "free some"},
        {VIR_ERR_NO_MEMORY, VIR_FROM_QEMU, -1, "kein Speicher", ERR_SPACE, "free some"},
        {VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, -1,
            "Prozess beendet: qemu: cannot set up guest memory: Cannot allocate memory", ERR_SPACE,
            "free some"},
        {VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC, -1, "Verbindung ist zu", ERR_LIBVIRT,
            "libvirtd ended or hangs"},
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, ECONNRESET, "Empfang scheitert", ERR_LIBVIRT,
            "libvirtd ended or hangs"},
        {VIR_ERR_RPC, VIR_FROM_REMOTE, -1, "RPC", ERR_LIBVIRT, "libvirtd ended or hangs"},
        {VIR_ERR_SYSTEM_ERROR, VIR_FROM_QEMU, EACCES, "Permission denied", ERR_LIBVIRT,
            "see libvirt's log"},
        {VIR_ERR_XML_ERROR, VIR_FROM_XML, -1, "No space left on device", ERR_LIBVIRT,
            "see libvirt's log"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ERROR_AUTO struct error err = {0};
        const virError fault = {
            .code = cases[i].code, .domain = cases[i].domain, .int1 = cases[i].number};
        virt_error_translate(&err, &fault, cases[i].message, "cannot do it");
        assert_int_equal(err.code, cases[i].wanted);
        assert_true(str_starts(err.message, "cannot do it: "));
        assert_contains(err.message, cases[i].message);
        assert_contains(err.message, cases[i].fix);
    }
}

// ---- states ------------------------------------------------------------------------------------

// A domain is off only when no emulator has its disk.
static void
test_states(void **state)
{
    static const struct {
        int state, reason;
        enum virt_state wanted;
        const char *why;
        enum error_code held;
        bool asleep;
    } cases[] = {
        {VIR_DOMAIN_NOSTATE, 0, VIRT_RUNNING, "state unknown to libvirt", ERR_GUEST, false},
        {VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, VIRT_RUNNING, "", ERR_NONE, false},
        {VIR_DOMAIN_BLOCKED, 0, VIRT_RUNNING, "", ERR_NONE, false},
        {VIR_DOMAIN_SHUTDOWN, 0, VIRT_RUNNING, "going down", ERR_BUSY, false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN, VIRT_PAUSED, "", ERR_NONE, false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, VIRT_PAUSED, "by request", ERR_NONE, false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, VIRT_PAUSED, "being migrated", ERR_BUSY,
            false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE, VIRT_PAUSED, "being saved", ERR_BUSY, false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_DUMP, VIRT_PAUSED, "being dumped", ERR_BUSY, false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, VIRT_PAUSED, "its disk failed or is full",
            ERR_NONE, false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG, VIRT_PAUSED, "by its watchdog", ERR_NONE,
            false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_FROM_SNAPSHOT, VIRT_PAUSED,
            "by the snapshot it was reverted to", ERR_NONE, false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SHUTTING_DOWN, VIRT_PAUSED, "going down", ERR_BUSY,
            false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SNAPSHOT, VIRT_PAUSED, "being copied for a snapshot",
            ERR_BUSY, false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED, VIRT_PAUSED, "panicked", ERR_GUEST, false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, VIRT_PAUSED, "being started", ERR_BUSY,
            false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY, VIRT_PAUSED, "being migrated", ERR_BUSY,
            false},
        {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, VIRT_PAUSED,
            "its migration failed halfway", ERR_GUEST, false},
        {VIR_DOMAIN_PAUSED, 4711, VIRT_PAUSED, "", ERR_NONE, false},
        {VIR_DOMAIN_PMSUSPENDED, 0, VIRT_PAUSED, "asleep", ERR_NONE, true},
        {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED, VIRT_OFF, "saved", ERR_NONE, false},
        {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED, VIRT_CRASHED,
            "panicked, or its emulator died", ERR_NONE, false},
        {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED, VIRT_CRASHED, "did not start", ERR_NONE,
            false},
        {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_UNKNOWN, VIRT_OFF, "", ERR_NONE, false},
        {VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED, VIRT_PAUSED, "panicked", ERR_GUEST,
            false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct virt_domain_info condition = state_of(cases[i].state, cases[i].reason);
        assert_int_equal(condition.state, cases[i].wanted);
        assert_string_equal(condition.reason, cases[i].why);
        assert_int_equal(condition.held, cases[i].held);
        assert_int_equal(condition.asleep, cases[i].asleep);
    }
}

// ---- XML -----------------------------------------------------------------------------------------

static void
assert_link(const char *interface, bool up, const char *wanted)
{
    FREE_AUTO char *domain = str_format(
        "<domain><name>n</name><devices><disk/>%s<interface type='bridge'/></devices></domain>",
        interface);
    FREE_AUTO char *text = reader_link(domain, up);
    assert_non_null(text);
    assert_string_equal(text, wanted);
}

static void
test_link(void **state)
{
    assert_link("<interface type='network'><mac address='a'/></interface>", false,
        "<interface type=\"network\"><mac address=\"a\"/><link state=\"down\"/></interface>");
    assert_link("<interface type='network'><link state='down'/><mac address='a'/></interface>",
        true, "<interface type=\"network\"><link state=\"up\"/><mac address=\"a\"/></interface>");
    assert_null(reader_link("<domain><devices/></domain>", true));
    assert_null(reader_link("not XML", true));
}

static void
test_reader(void **state)
{
    ERROR_AUTO struct error err = {0};
    READER_AUTO xmlXPathContextPtr reader = NULL;
    assert_error(reader_new("<a", &reader, &err), &err, ERR_LIBVIRT, "not XML");
    assert_ok(reader_new("<a x='1'><b>one &amp; 1</b><b/><b>three</b></a>", &reader, &err), &err);
    FREE_AUTO char *all = reader_get(reader, "/a/b"), *number = reader_get(reader, "/a/@x");
    FREE_AUTO char *none = reader_get(reader, "/a/c"), *bad = reader_get(reader, "///[");
    assert_string_equal(all, "one & 1  three");
    assert_string_equal(number, "1");
    assert_null(none);
    assert_null(bad);
}

// An entity must not read the host's files.
static void
test_reader_entity(void **state)
{
    ERROR_AUTO struct error err = {0};
    READER_AUTO xmlXPathContextPtr reader = NULL;
    assert_ok(
        reader_new("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><a><b>x&e;</b></a>",
            &reader, &err),
        &err);
    FREE_AUTO char *text = reader_get(reader, "/a/b");
    assert_string_equal(text, "x");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_call_succeeds, slow_close),
        cmocka_unit_test_teardown(test_call_fails, slow_close),
        cmocka_unit_test_teardown(test_call_too_slow, slow_close),
        cmocka_unit_test(test_call_interrupted),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_link),
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_reader_entity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
