// test_base_mount.c - a full disk and mounts below a folder. Each test runs in a child with its own
// mount namespace.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { GOOD = 0, NO_NAMESPACE = 90, NO_MOUNT = 91 };

static int
enter_namespace(const char *folder)
{
    int flags = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
    if (unshare(flags) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
        return NO_NAMESPACE;
    return mount("tmpfs", folder, "tmpfs", 0, "size=1m,mode=0755") < 0 ? NO_MOUNT : GOOD;
}

// Returns body(folder), run in a child where folder is a file system of 1 MiB.
static int
in_small_disk(const char *folder, int (*body)(const char *folder))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int answer = enter_namespace(folder);
        _exit(answer != GOOD ? answer : body(folder));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static size_t
count_names(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    return dir_list(folder, &names, &err) < 0 ? 999 : names.count;
}

static int
write_too_much(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(folder, "file");
    FREE_AUTO char *data = mem_zero(4 * 1024 * 1024, 1);
    if (file_write(path, 0644, "old", 3, &err) < 0)
        return 1;
    if (file_write(path, 0644, data, 4 * 1024 * 1024, &err) == 0 || err.code != ERR_SPACE)
        return 2;
    if (strstr(err.message, path) == NULL)
        return 3;
    if (file_size(path) != 3 || count_names(folder) != 1)
        return 4;
    return GOOD;
}

static void
test_full_disk_keeps_the_old_file(void **state)
{
    assert_int_equal(in_small_disk(*state, write_too_much), GOOD);
}

static int
copy_too_much(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *from = path_join(folder, "from");
    FREE_AUTO char *to = path_join(folder, "to");
    FREE_AUTO char *data = mem_zero(700 * 1024, 1);
    if (file_write(from, 0644, data, 700 * 1024, &err) < 0)
        return 1;
    if (file_copy(from, to, 0644, &err) == 0)
        return 2;
    if (err.code != ERR_SPACE || strstr(err.message, to) == NULL)
        return 3;
    return file_exists(to) ? 4 : GOOD;
}

static void
test_full_disk_leaves_no_half_copy(void **state)
{
    assert_int_equal(in_small_disk(*state, copy_too_much), GOOD);
}

static int
remove_over_mount(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *tree = path_join(folder, "tree");
    FREE_AUTO char *other = path_join(folder, "other");
    FREE_AUTO char *kept = path_join(other, "kept");
    FREE_AUTO char *inner = path_join(tree, "inner");
    if (dir_make(inner, 0755, &err) < 0 || dir_make(other, 0755, &err) < 0)
        return 1;
    if (file_write(kept, 0644, "x", 1, &err) < 0)
        return 2;
    if (mount(other, inner, "none", MS_BIND, NULL) < 0)
        return NO_MOUNT;
    if (dir_remove(tree, &err) == 0 || err.code != ERR_CONFLICT)
        return 3;
    if (strstr(err.message, "umount") == NULL || !file_exists(kept))
        return 4;
    return GOOD;
}

// A bind mount of the same file system has the same device number.
static void
test_remove_stops_at_a_mount(void **state)
{
    assert_int_equal(in_small_disk(*state, remove_over_mount), GOOD);
}

static int
copy_across(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *from = path_join(folder, "../from");
    FREE_AUTO char *to = path_join(folder, "to");
    FREE_AUTO char *data = NULL;
    if (file_write(from, 0644, "across", 6, &err) < 0)
        return 1;
    int answer = file_copy(from, to, 0600, &err);
    unlink(from);
    if (answer < 0)
        return 2;
    if (file_read(to, 100, &data, NULL, &err) < 0 || strcmp(data, "across") != 0)
        return 3;
    return GOOD;
}

static int
setup_nested(void **state)
{
    if (scratch_make(state) < 0)
        return -1;
    FREE_AUTO char *outer = *state;
    ERROR_AUTO struct error err = {0};
    *state = path_join(outer, "disk");
    return dir_make(*state, 0755, &err);
}

static int
teardown_nested(void **state)
{
    FREE_AUTO char *inner = *state;
    *state = path_folder(inner);
    return scratch_remove(state);
}

static void
test_copy_between_file_systems(void **state)
{
    assert_int_equal(in_small_disk(*state, copy_across), GOOD);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_full_disk_keeps_the_old_file),
        scratch_test(test_full_disk_leaves_no_half_copy),
        scratch_test(test_remove_stops_at_a_mount),
        cmocka_unit_test_setup_teardown(
            test_copy_between_file_systems, setup_nested, teardown_nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
