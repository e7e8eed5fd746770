// test_base_clock.c - time, and how signals interrupt waits, child processes, locks and copies.
// Each test of a signal runs in its own child, as the flag of a signal is never cleared.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/lock.h"
#include "base/proc.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { LONG_MS = 600000 };

// Returns the wait status of a child that runs body. SIGALRM kills it if it hangs.
static int
in_child(int (*body)(const char *folder), const char *folder)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(60);
        _exit(body(folder));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

// Start a process that sends the signal to its parent after a moment.
static void
signal_me_soon(int number)
{
    pid_t target = getpid();
    if (fork() != 0)
        return;
    poll(NULL, 0, 150);
    kill(target, number);
    _exit(0);
}

static void
test_time_goes_on(void **state)
{
    ERROR_AUTO struct error err = {0};
    int64_t begin = clock_ms();
    assert_ok(clock_sleep(30, &err), &err);
    assert_true(clock_ms() - begin >= 30);
    assert_int_equal(clock_left(begin), 0);
    assert_true(clock_left(clock_ms() + 5000) > 4000);
    assert_ok(clock_sleep(0, &err), &err);
    assert_ok(clock_sleep(-5, &err), &err);
}

static void
test_stamp(void **state)
{
    FREE_AUTO char *stamp = clock_stamp();
    int year, month, day, hour, minute, second;
    assert_int_equal(strlen(stamp), 20);
    assert_int_equal(
        sscanf(stamp, "%4d-%2d-%2dT%2d:%2d:%2dZ", &year, &month, &day, &hour, &minute, &second), 6);
    assert_true(year >= 2024);
}

static int
sleep_until_signal(const char *folder)
{
    (void) folder;
    ERROR_AUTO struct error err = {0};
    if (interrupt_fd() != -1 || interrupt_install(&err) < 0 || interrupt_install(&err) < 0)
        return 1;
    if (interrupt_pending() || interrupt_check(&err) < 0)
        return 2;
    signal_me_soon(SIGHUP);
    if (clock_sleep(LONG_MS, &err) == 0 || err.code != ERR_INTERRUPTED)
        return 3;
    struct pollfd watched = {.fd = interrupt_fd(), .events = POLLIN};
    if (!interrupt_pending() || poll(&watched, 1, 0) != 1)
        return 4;
    error_clear(&err);
    return clock_sleep(LONG_MS, &err) < 0 && interrupt_check(&err) < 0 ? 0 : 5;
}

static void
test_signal_ends_a_sleep(void **state)
{
    assert_int_equal(in_child(sleep_until_signal, *state), 0);
}

static int
raise_twice(const char *folder)
{
    (void) folder;
    ERROR_AUTO struct error err = {0};
    interrupt_install(&err);
    raise(SIGTERM);
    raise(SIGTERM);
    return 1;
}

static void
test_second_signal_ends_the_program(void **state)
{
    int status = in_child(raise_twice, *state);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

static int
tidy_up_after_signal(const char *folder)
{
    (void) folder;
    ERROR_AUTO struct error err = {0};
    interrupt_acknowledge(); // nothing to heed
    interrupt_install(&err);
    raise(SIGINT);
    if (interrupt_check(&err) == 0)
        return 1;
    interrupt_acknowledge();
    error_clear(&err);
    struct pollfd watched = {.fd = interrupt_fd(), .events = POLLIN};
    if (interrupt_pending() || poll(&watched, 1, 0) != 0 || clock_sleep(1, &err) < 0)
        return 2;
    raise(SIGINT);
    return 3;
}

static void
test_signal_is_heeded_once(void **state)
{
    int status = in_child(tidy_up_after_signal, *state);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

// Nothing interrupts a held section, not even in poll; the signal is reported afterwards.
static int
hold_a_signal(const char *folder)
{
    (void) folder;
    ERROR_AUTO struct error err = {0};
    interrupt_install(&err);
    struct pollfd watched = {.fd = interrupt_fd(), .events = POLLIN};
    interrupt_hold();
    interrupt_hold();
    raise(SIGINT);
    if (interrupt_pending() || poll(&watched, 1, 0) != 0 || clock_sleep(1, &err) < 0)
        return 1;
    interrupt_release();
    if (interrupt_pending() || poll(&watched, 1, 0) != 0)
        return 2;
    interrupt_release();
    if (!interrupt_pending() || poll(&watched, 1, 0) != 1)
        return 3;
    interrupt_hold(); // one that came before
    if (interrupt_pending() || poll(&watched, 1, 0) != 0)
        return 4;
    interrupt_acknowledge();
    interrupt_release();
    return interrupt_pending() || poll(&watched, 1, 0) != 0 ? 5 : 0;
}

static int
raise_twice_while_held(const char *folder)
{
    (void) folder;
    ERROR_AUTO struct error err = {0};
    interrupt_install(&err);
    interrupt_hold();
    raise(SIGINT);
    raise(SIGINT);
    return 1;
}

static void
test_signal_is_held(void **state)
{
    assert_int_equal(in_child(hold_a_signal, *state), 0);
    int status = in_child(raise_twice_while_held, *state);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

static int
run_until_signal(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *mark = path_join(folder, "cleaned");
    FREE_AUTO char *script = str_format("trap 'touch %s; exit' TERM; sleep 600 & wait", mark);
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct proc_options options = {.timeout_ms = LONG_MS};
    interrupt_install(&err);
    signal_me_soon(SIGINT);
    if (proc_run(argv, &options, NULL, &err) == 0 || err.code != ERR_INTERRUPTED)
        return 1;
    if (strstr(err.message, "'sh' was ended") == NULL || !file_exists(mark))
        return 2;
    error_clear(&err);
    const char *const next[] = {"touch", mark, NULL};
    return proc_run(next, &options, NULL, &err) < 0 && err.code == ERR_INTERRUPTED ? 0 : 3;
}

static void
test_signal_ends_a_run(void **state)
{
    assert_int_equal(in_child(run_until_signal, *state), 0);
}

static int
wait_for_lock(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(folder, "lock");
    int held = -1, fd = -1;
    interrupt_install(&err);
    if (lock_take(path, 0, &held, &err) < 0)
        return 1;
    signal_me_soon(SIGTERM);
    return lock_take(path, LONG_MS, &fd, &err) < 0 && err.code == ERR_INTERRUPTED ? 0 : 2;
}

static void
test_signal_ends_waiting_for_a_lock(void **state)
{
    assert_int_equal(in_child(wait_for_lock, *state), 0);
}

static int
read_and_copy(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *from = path_join(folder, "from");
    FREE_AUTO char *to = path_join(folder, "to");
    char hex[DIGEST_HEX + 1];
    interrupt_install(&err);
    if (file_write(from, 0644, "x", 1, &err) < 0)
        return 1;
    raise(SIGINT);
    if (file_copy(from, to, 0644, &err) == 0 || err.code != ERR_INTERRUPTED || file_exists(to))
        return 2;
    return digest_file(from, hex, &err) < 0 && err.code == ERR_INTERRUPTED ? 0 : 3;
}

static void
test_signal_ends_long_reading(void **state)
{
    assert_int_equal(in_child(read_and_copy, *state), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_goes_on),
        cmocka_unit_test(test_stamp),
        scratch_test(test_signal_ends_a_sleep),
        scratch_test(test_second_signal_ends_the_program),
        scratch_test(test_signal_is_heeded_once),
        scratch_test(test_signal_is_held),
        scratch_test(test_signal_ends_a_run),
        scratch_test(test_signal_ends_waiting_for_a_lock),
        scratch_test(test_signal_ends_long_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
