// test_bake_watch.c - which child the thread that ends a hung appliance kills.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "bake/guest_watch.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/file.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 30000

// Starts a child with this word in its command line, which runs until it is killed.
static pid_t
start_child(const char *word)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "while :; do sleep 1; done", word, (char *) NULL);
        _exit(127);
    }
    return child;
}

static bool
is_killed(pid_t child, int64_t wait_ms)
{
    int64_t end = clock_ms() + wait_ms;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (clock_left(end) == 0) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return false;
        }
        usleep(10000);
    }
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void
watched(void **state, const char *name, const char *format)
{
    ERROR_AUTO struct error err = {0};
    struct watch *watch = NULL;
    FREE_AUTO char *folder = path_join(*state, name);
    FREE_AUTO char *base = str_dup(*state);
    FREE_AUTO char *word = str_format("file=%s/%s/disk,format=qcow2", base, format);
    assert_ok(dir_make(folder, 0755, &err), &err);
    pid_t other = start_child("file=/nowhere/disk"), child = start_child(word);
    assert_ok(watch_new(folder, &watch, &err), &err);
    watch_deadline(watch, clock_ms() - 1);
    assert_true(is_killed(child, WAIT_MS));
    assert_int_equal(watch_reason(watch), WATCH_LATE);
    assert_false(is_killed(other, 0));
    watch_free(watch);
}

static void
test_deadline(void **state)
{
    watched(state, "home", "home");
}

// libguestfs doubles commas in QEMU's options.
static void
test_folder_with_commas(void **state)
{
    watched(state, "a,home,", "a,,home,,");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_deadline),
        scratch_test(test_folder_with_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
