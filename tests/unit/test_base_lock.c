// test_base_lock.c - locks: one holder, which is reported; released when the holder dies.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/lock.h"

#include <signal.h>
#include <sys/wait.h>

struct holder {
    pid_t pid;
    int release; // closing it lets the holder end
};

static void
hold(const char *path, int ready, int release)
{
    ERROR_AUTO struct error err = {0};
    char byte = 'x';
    int fd = -1;
    if (lock_take(path, 0, &fd, &err) < 0 || write(ready, &byte, 1) != 1)
        _exit(1);
    ssize_t got = read(release, &byte, 1);
    _exit(got == 0 ? 0 : 1);
}

static struct holder
start_holder(const char *path)
{
    int ready[2], release[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(release), 0);
    struct holder holder = {.pid = fork(), .release = release[1]};
    assert_true(holder.pid >= 0);
    if (holder.pid == 0) {
        close(release[1]);
        hold(path, ready[1], release[0]);
    }
    close(release[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return holder;
}

static void
end_holder(struct holder *holder)
{
    int status = 0;
    close(holder->release);
    assert_int_equal(waitpid(holder->pid, &status, 0), holder->pid);
    assert_int_equal(status, 0);
}

static void
test_taken_and_given_back(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "lock");
    int fd = -1;
    assert_ok(lock_take(path, 0, &fd, &err), &err);
    close(fd);
    assert_ok(lock_take(path, 0, &fd, &err), &err);
    close(fd);
}

static void
test_busy_names_the_holder(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "lock");
    struct holder holder = start_holder(path);
    FREE_AUTO char *pid = str_format("process %ld", (long) holder.pid);
    int fd = -1;
    assert_error(lock_take(path, 0, &fd, &err), &err, ERR_BUSY, pid);
    assert_error(lock_take(path, 150, &fd, &err), &err, ERR_BUSY, path);
    assert_int_equal(fd, -1);
    end_holder(&holder);
    assert_ok(lock_take(path, 0, &fd, &err), &err);
    close(fd);
}

static void
test_busy_with_an_unreadable_holder(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "lock");
    struct holder holder = start_holder(path);
    int fd = -1;
    assert_int_equal(truncate(path, 0), 0);
    assert_error(lock_take(path, 0, &fd, &err), &err, ERR_BUSY, "another airbuild holds");
    end_holder(&holder);
}

static void
test_waiting_gets_it(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "lock");
    struct holder holder = start_holder(path);
    int fd = -1, status = 0;
    pid_t waiter = fork();
    assert_true(waiter >= 0);
    if (waiter == 0) {
        close(holder.release);
        _exit(lock_take(path, 60000, &fd, &err) < 0);
    }
    end_holder(&holder);
    assert_int_equal(waitpid(waiter, &status, 0), waiter);
    assert_int_equal(status, 0);
}

static void
test_holder_that_is_killed_lets_go(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "lock");
    struct holder holder = start_holder(path);
    int fd = -1, status = 0;
    kill(holder.pid, SIGKILL);
    assert_int_equal(waitpid(holder.pid, &status, 0), holder.pid);
    close(holder.release);
    assert_ok(lock_take(path, 0, &fd, &err), &err);
    close(fd);
}

// A lock whose file was removed is not valid: the next holder makes a new file, and both notice.
static void
test_removed_file_is_made_again(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "lock");
    struct holder holder = start_holder(path);
    int fd = -1;
    assert_int_equal(unlink(path), 0);
    assert_ok(lock_take(path, 0, &fd, &err), &err);
    assert_true(file_exists(path));
    close(fd);
    end_holder(&holder);
}

static void
test_shared_by_many(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "lock");
    CLOSE_AUTO int one = -1, two = -1;
    int alone = -1;
    assert_ok(lock_share(path, 0, &one, &err), &err);
    assert_ok(lock_share(path, 0, &two, &err), &err);
    assert_error(lock_take(path, 0, &alone, &err), &err, ERR_BUSY, path);
    close(TAKE_FD(one));
    assert_error(lock_take(path, 0, &alone, &err), &err, ERR_BUSY, path);
    close(TAKE_FD(two));
    assert_ok(lock_take(path, 0, &alone, &err), &err);
    assert_error(lock_share(path, 0, &one, &err), &err, ERR_BUSY, path);
    close(alone);
}

static void
test_no_folder(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "none/lock");
    int fd = -1;
    assert_error(lock_take(path, 0, &fd, &err), &err, ERR_FAILED, path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_taken_and_given_back),
        scratch_test(test_busy_names_the_holder),
        scratch_test(test_busy_with_an_unreadable_holder),
        scratch_test(test_waiting_gets_it),
        scratch_test(test_holder_that_is_killed_lets_go),
        scratch_test(test_removed_file_is_made_again),
        scratch_test(test_shared_by_many),
        scratch_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
