// test_virt_console.c - a console session with a real terminal, real signals and a domain of
// libvirt's in-memory hypervisor. That has no consoles: libvirt's streams are replaced here.
// SPDX-License-Identifier: Apache-2.0
#include "virt_bench.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "virt/connection.h"
#include "virt/console.h"
#include "virt/virt_error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <utmp.h>

#define WAIT_MS 30000

// ---- libvirt's streams, in place of the library's ------------------------------------------------

static bool endless; // the console always has output
static bool in_use;  // another session has the console open
static bool refused; // the last call failed for that
static virStreamEventCallback on_event;
static void *on_event_context;

// Ignores the stream, which is one of the test driver.
int
virDomainOpenConsole(virDomainPtr domain, const char *name, virStreamPtr stream, unsigned flags)
{
    (void) domain, (void) name, (void) stream;
    refused = in_use && (flags & VIR_DOMAIN_CONSOLE_FORCE) == 0;
    return refused ? -1 : 0;
}

// The program reads the error of virDomainOpenConsole only by this function.
int
virGetLastErrorCode(void)
{
    virErrorPtr last = virGetLastError();
    return refused ? VIR_ERR_OPERATION_FAILED : last != NULL ? last->code : VIR_ERR_OK;
}

int
virStreamEventAddCallback(virStreamPtr stream, int events, virStreamEventCallback callback,
    void *context, virFreeCallback release)
{
    (void) stream, (void) events, (void) release;
    on_event = callback;
    on_event_context = context;
    return 0;
}

int
virStreamEventUpdateCallback(virStreamPtr stream, int events)
{
    if (endless && (events & VIR_STREAM_EVENT_READABLE) != 0)
        on_event(stream, VIR_STREAM_EVENT_READABLE, on_event_context);
    return 0;
}

int
virStreamEventRemoveCallback(virStreamPtr stream)
{
    (void) stream;
    return 0;
}

int
virStreamRecv(virStreamPtr stream, char *data, size_t length)
{
    (void) stream;
    memset(data, 'x', length);
    return endless ? (int) length : -2;
}

int
virStreamSend(virStreamPtr stream, const char *data, size_t length)
{
    (void) stream, (void) data;
    return (int) length;
}

int
virStreamAbort(virStreamPtr stream)
{
    (void) stream;
    return 0;
}

// ---- a program at a terminal ---------------------------------------------------------------------

// Returns the error's code; 99: the domain could not be defined and started.
static int
sit_at_console(bool force)
{
    ERROR_AUTO struct error err = {0};
    VIRT_AUTO struct virt *virt = NULL;
    struct virt_domain domain = node("work11");
    if (bench_open(&virt, &err) < 0 || virt_domain_define(virt, &domain, &err) < 0 ||
        virt_domain_start(virt, "air", "work11", false, &err) < 0)
        return 99;
    return virt_console(virt, "air", "work11", force, &err) < 0 ? (int) err.code : 0;
}

static bool
is_raw(int terminal)
{
    struct termios now;
    return tcgetattr(terminal, &now) == 0 && (now.c_lflag & (ICANON | ECHO | ISIG)) == 0;
}

static void
await_raw(int terminal)
{
    int64_t end = clock_ms() + WAIT_MS;
    while (!is_raw(terminal)) {
        assert_true(clock_left(end) > 0);
        usleep(5000);
    }
}

// Returns the exit status of the child, 1000 + the signal that killed it, or -1: it did not end.
static int
await_end(pid_t child)
{
    int64_t end = clock_ms() + WAIT_MS;
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (clock_left(end) == 0) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return -1;
        }
        usleep(5000);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// The terminal exists as long as this process has its other end open.
static void
end_by(int number, bool unread, const char *typed, int wanted)
{
    int terminal = -1, own = -1;
    struct termios before, after;
    assert_int_equal(openpty(&terminal, &own, NULL, NULL, NULL), 0);
    assert_int_equal(tcgetattr(own, &before), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(terminal);
        login_tty(dup(own));
        endless = unread;
        _exit(sit_at_console(false));
    }
    await_raw(own);
    if (unread)
        usleep(100000); // until the terminal's buffer is full
    if (typed != NULL)
        assert_int_equal(write(terminal, typed, strlen(typed)), strlen(typed));
    if (number != 0)
        kill(child, number);
    assert_int_equal(await_end(child), wanted);
    assert_int_equal(tcgetattr(own, &after), 0);
    assert_false(is_raw(own));
    assert_int_equal(after.c_lflag, before.c_lflag);
    assert_int_equal(after.c_iflag, before.c_iflag);
    assert_int_equal(after.c_oflag, before.c_oflag);
    close(terminal);
    close(own);
}

static void
test_signals_leave_the_terminal_as_it_was(void **state)
{
    end_by(SIGTERM, false, NULL, ERR_INTERRUPTED);
    end_by(SIGHUP, false, NULL, ERR_INTERRUPTED);
    end_by(SIGINT, false, NULL, ERR_INTERRUPTED);
}

static void
test_signal_while_nobody_reads(void **state)
{
    end_by(SIGTERM, true, NULL, ERR_INTERRUPTED);
}

static void
test_escape(void **state)
{
    end_by(0, false, "ls\x1d", 0);
}

// ---- a console in use ----------------------------------------------------------------------------

static int
open_in_use(bool force)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        in_use = true;
        close(STDIN_FILENO);
        (void) !open("/dev/null", O_RDONLY); // input that ends at once
        _exit(sit_at_console(force));
    }
    return await_end(child);
}

static void
test_console_in_use(void **state)
{
    (void) state;
    assert_int_equal(open_in_use(false), ERR_BUSY);
    assert_int_equal(open_in_use(true), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals_leave_the_terminal_as_it_was),
        cmocka_unit_test(test_signal_while_nobody_reads),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_console_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
