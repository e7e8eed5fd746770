// test_base_cpu_burn.c - processes that keep the processors busy: they compute, and they end with
// the process that started them.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/clock.h"
#include "base/cpu_burn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000

// Returns the clock ticks that a process has used; -1 if it is gone or a zombie.
static long
computed(pid_t pid)
{
    char path[64], state = 'Z';
    long user = -1;
    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    int got = fscanf(file, "%*d %*s %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld", &state, &user);
    fclose(file);
    return got == 2 && state != 'Z' ? user : -1;
}

static bool
comes_about(pid_t pid, bool gone)
{
    int64_t end_ms = clock_ms() + PATIENCE_MS;
    while (clock_left(end_ms) > 0) {
        long ticks = computed(pid);
        if (gone ? ticks < 0 : ticks > 2)
            return true;
        poll(NULL, 0, 20);
    }
    return false;
}

static void
test_busy_until_ended(void **state)
{
    ERROR_AUTO struct error err = {0};
    struct cpu_burn burn = {0};
    assert_ok(cpu_burn_start(&burn, 60000, &err), &err);
    assert_true(burn.count >= 1);
    pid_t last = burn.pids[burn.count - 1];
    assert_true(comes_about(last, false));
    assert_int_not_equal(getpgid(last), getpgrp());
    cpu_burn_end(&burn);
    assert_int_equal(kill(last, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(burn.count, 0);
    cpu_burn_end(&burn);
}

static void
test_they_have_an_end(void **state)
{
    ERROR_AUTO struct error err = {0};
    struct cpu_burn burn = {0};
    assert_ok(cpu_burn_start(&burn, 100, &err), &err);
    assert_true(comes_about(burn.pids[0], true));
    cpu_burn_end(&burn);
}

// After SIGKILL nothing can clean up.
static void
test_they_end_with_a_killed_parent(void **state)
{
    int ends[2];
    pid_t last = 0;
    assert_int_equal(pipe(ends), 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (child == 0) {
        ERROR_AUTO struct error err = {0};
        struct cpu_burn burn = {0};
        if (cpu_burn_start(&burn, 60000, &err) == 0 &&
            write(ends[1], &burn.pids[burn.count - 1], sizeof last) > 0)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
    assert_true(comes_about(last, false));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(comes_about(last, true));
    close(ends[0]);
    close(ends[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_busy_until_ended),
        cmocka_unit_test(test_they_have_an_end),
        cmocka_unit_test(test_they_end_with_a_killed_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
