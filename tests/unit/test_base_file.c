// test_base_file.c - files and folders: atomic publication, errors that name the path. Tests that
// need their own file system (disk full, mounts) are in test_base_mount.c.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

static mode_t
mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void
assert_content(const char *path, const char *expected)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *data = NULL;
    assert_ok(file_read(path, 1024 * 1024, &data, NULL, &err), &err);
    assert_string_equal(data, expected);
}

static void
test_write_then_read(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "file");
    FREE_AUTO char *data = NULL;
    size_t length = 0;
    mode_t before = umask(077);
    assert_ok(file_write(path, 0644, "a\0b", 3, &err), &err);
    umask(before);
    assert_int_equal(mode_of(path), 0644);
    assert_ok(file_read(path, 3, &data, &length, &err), &err);
    assert_int_equal(length, 3);
    assert_memory_equal(data, "a\0b", 4);
}

static void
test_write_replaces_and_leaves_no_temporary(void **state)
{
    STRV_AUTO struct strv names = {0};
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "file");
    put_text(path, "old");
    put_text(path, "new");
    assert_content(path, "new");
    assert_ok(dir_list(*state, &names, &err), &err);
    assert_int_equal(names.count, 1);
}

static void
test_write_that_fails_keeps_the_old(void **state)
{
    STRV_AUTO struct strv names = {0};
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *folder = path_join(*state, "taken");
    FREE_AUTO char *inner = path_join(folder, "x");
    assert_ok(dir_make(folder, 0755, &err), &err);
    put_text(inner, "stays");
    assert_error(file_write(folder, 0644, "new", 3, &err), &err, ERR_FAILED, folder);
    assert_content(inner, "stays");
    assert_ok(dir_list(*state, &names, &err), &err);
    assert_int_equal(names.count, 1);
}

static void
test_write_into_no_folder(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "none/file");
    assert_error(file_write(path, 0644, "x", 1, &err), &err, ERR_FAILED, "none");
}

static void
test_read_refuses(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "file");
    FREE_AUTO char *pipe = path_join(*state, "pipe");
    char *data = NULL;
    put_text(path, "four");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_error(file_read(path, 3, &data, NULL, &err), &err, ERR_FAILED, "larger than 3 B");
    assert_error(file_read(pipe, 9, &data, NULL, &err), &err, ERR_FAILED, "not a regular file");
    assert_error(file_read(*state, 9, &data, NULL, &err), &err, ERR_FAILED, "not a regular file");
    assert_error(
        file_read("/dev/zero", 9, &data, NULL, &err), &err, ERR_FAILED, "not a regular file");
    FREE_AUTO char *none = path_join(*state, "none");
    assert_error(file_read(none, 9, &data, NULL, &err), &err, ERR_NOT_FOUND, none);
    assert_null(data);
}

// /proc reports size 0 for files with content.
static void
test_read_counts_what_comes(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *data = NULL;
    size_t length = 0;
    assert_ok(file_read("/proc/self/status", 65536, &data, &length, &err), &err);
    assert_true(length > 100);
    char *more = NULL;
    assert_error(
        file_read("/proc/self/status", 100, &more, NULL, &err), &err, ERR_FAILED, "larger");
}

static void
make_sparse(const char *path)
{
    CLOSE_AUTO int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "head", 4, 0), 4);
    assert_int_equal(pwrite(fd, "tail", 4, 40 * 1024 * 1024), 4);
    assert_int_equal(ftruncate(fd, 64 * 1024 * 1024), 0);
}

static void
test_copy_keeps_bytes_and_holes(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *from = path_join(*state, "from");
    FREE_AUTO char *to = path_join(*state, "to");
    make_sparse(from);
    assert_ok(file_copy(from, to, 0444, &err), &err);
    assert_int_equal(mode_of(to), 0444);
    assert_int_equal(file_size(to), 64 * 1024 * 1024);
    assert_true(file_allocated(to) < 1024 * 1024);
    FREE_AUTO char *one = NULL, *two = NULL;
    assert_ok(file_read(from, 1 << 27, &one, NULL, &err), &err);
    assert_ok(file_read(to, 1 << 27, &two, NULL, &err), &err);
    assert_int_equal(memcmp(one, two, 64 * 1024 * 1024), 0);
}

static void
test_copy_never_replaces(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *from = path_join(*state, "from");
    FREE_AUTO char *to = path_join(*state, "to");
    put_text(from, "new");
    put_text(to, "old");
    assert_error(file_copy(from, to, 0644, &err), &err, ERR_FAILED, to);
    assert_content(to, "old");
    FREE_AUTO char *none = path_join(*state, "none");
    FREE_AUTO char *other = path_join(*state, "other");
    assert_error(file_copy(none, other, 0644, &err), &err, ERR_NOT_FOUND, none);
    assert_false(file_exists(other));
}

static void
test_questions(void **state)
{
    FREE_AUTO char *link = path_join(*state, "link");
    assert_int_equal(symlink("nowhere", link), 0);
    assert_true(file_exists(link));
    assert_int_equal(file_size(link), -1);
    assert_int_equal(file_allocated(link), -1);
}

static void
test_make_folders(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "a//b/c/");
    FREE_AUTO char *first = path_join(*state, "a");
    mode_t before = umask(077);
    assert_ok(dir_make(path, 0711, &err), &err);
    umask(before);
    assert_int_equal(mode_of(path), 0711);
    assert_int_equal(mode_of(first), 0711);
    assert_ok(dir_make(path, 0755, &err), &err);
    assert_int_equal(mode_of(path), 0711);
    FREE_AUTO char *file = path_join(*state, "a/file");
    FREE_AUTO char *below = path_join(*state, "a/file/x");
    put_text(file, "x");
    assert_error(dir_make(file, 0755, &err), &err, ERR_CONFLICT, file);
    assert_error(dir_make(below, 0755, &err), &err, ERR_CONFLICT, file);
}

// Missing parents of the home are created with the mode of the umask.
static void
test_make_top_folder(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *first = path_join(*state, "local"), *second = path_join(*state, "local/share");
    FREE_AUTO char *path = path_join(*state, "local/share/own/");
    FREE_AUTO char *below = path_join(*state, "local/share/own/b/c");
    FREE_AUTO char *between = path_join(*state, "local/share/own/b");
    mode_t before = umask(027);
    assert_ok(dir_make_top(path, 0711, &err), &err);
    assert_ok(dir_make(below, 0711, &err), &err);
    umask(before);
    assert_int_equal(mode_of(first), 0750);
    assert_int_equal(mode_of(second), 0750);
    assert_int_equal(mode_of(path), 0711);
    assert_int_equal(mode_of(between), 0711);
    assert_ok(dir_make_top(second, 0711, &err), &err);
    assert_int_equal(mode_of(second), 0750);
}

static void
test_list_is_sorted(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    static const char *const files[] = {"b", "a", ".hidden"};
    for (size_t i = 0; i < 3; i++) {
        FREE_AUTO char *path = path_join(*state, files[i]);
        put_text(path, "");
    }
    assert_ok(dir_list(*state, &names, &err), &err);
    FREE_AUTO char *joined = strv_join(&names, " ");
    assert_string_equal(joined, ".hidden a b");
    FREE_AUTO char *none = path_join(*state, "none");
    assert_error(dir_list(none, &names, &err), &err, ERR_NOT_FOUND, none);
}

static void
test_remove_takes_all_but_what_links_name(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *outside = path_join(*state, "outside");
    FREE_AUTO char *kept = path_join(outside, "kept");
    FREE_AUTO char *tree = path_join(*state, "tree");
    FREE_AUTO char *deep = path_join(tree, "1/2/3/4");
    FREE_AUTO char *file = path_join(deep, "file");
    FREE_AUTO char *link = path_join(tree, "1/link");
    assert_ok(dir_make(outside, 0755, &err), &err);
    assert_ok(dir_make(deep, 0755, &err), &err);
    put_text(kept, "x");
    put_text(file, "x");
    assert_int_equal(symlink(outside, link), 0);
    assert_ok(dir_remove(tree, &err), &err);
    assert_false(file_exists(tree));
    assert_content(kept, "x");
    assert_ok(dir_remove(tree, &err), &err);
    assert_ok(dir_remove(kept, &err), &err);
    assert_false(file_exists(kept));
}

static void
test_temp_folder_is_private(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *one = NULL, *two = NULL;
    assert_ok(dir_temp(*state, "bake", &one, &err), &err);
    assert_ok(dir_temp(*state, "bake", &two, &err), &err);
    assert_string_not_equal(one, two);
    assert_int_equal(mode_of(one), 0700);
    assert_contains(one, "/.bake-");
    FREE_AUTO char *none = path_join(*state, "none");
    char *path = NULL;
    assert_error(dir_temp(none, "x", &path, &err), &err, ERR_FAILED, none);
}

static void
test_publish(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *from = path_join(*state, "from");
    FREE_AUTO char *inner = path_join(from, "sub/file");
    FREE_AUTO char *sub = path_join(from, "sub");
    FREE_AUTO char *to = path_join(*state, "to");
    FREE_AUTO char *result = path_join(to, "sub/file");
    assert_ok(dir_make(sub, 0755, &err), &err);
    put_text(inner, "baked");
    assert_ok(dir_publish(from, to, &err), &err);
    assert_false(file_exists(from));
    assert_content(result, "baked");
}

// rename(2) alone would replace an empty folder.
static void
test_publish_never_replaces(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *from = path_join(*state, "from");
    FREE_AUTO char *file = path_join(from, "file");
    FREE_AUTO char *to = path_join(*state, "to");
    assert_ok(dir_make(from, 0755, &err), &err);
    assert_ok(dir_make(to, 0755, &err), &err);
    put_text(file, "x");
    assert_error(dir_publish(from, to, &err), &err, ERR_CONFLICT, to);
    assert_content(file, "x");
    FREE_AUTO char *none = path_join(*state, "none");
    assert_error(dir_publish(none, to, &err), &err, ERR_NOT_FOUND, none);
}

static void
test_replace(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *from = path_join(*state, "from");
    FREE_AUTO char *file = path_join(from, "file");
    FREE_AUTO char *to = path_join(*state, "to");
    FREE_AUTO char *result = path_join(to, "file");
    const char *const texts[] = {"first", "second"};
    for (int i = 0; i < 2; i++) {
        assert_ok(dir_make(from, 0755, &err), &err);
        put_text(file, texts[i]);
        assert_ok(dir_replace(from, to, &err), &err);
        assert_content(result, texts[i]);
        assert_false(file_exists(from));
    }
    assert_error(dir_replace(from, to, &err), &err, ERR_NOT_FOUND, from);
    assert_content(result, "second");
}

static void
test_space(void **state)
{
    ERROR_AUTO struct error err = {0};
    uint64_t bytes = 0;
    assert_ok(dir_space(*state, &bytes, &err), &err);
    assert_true(bytes > 0);
    assert_error(dir_space("/nowhere/at/all", &bytes, &err), &err, ERR_FAILED, "/nowhere");
    assert_ok(dir_check_space(*state, 1, "a test", "TMPDIR", &err), &err);
    assert_error(dir_check_space(*state, UINT64_MAX, "a test", "TMPDIR", &err), &err, ERR_SPACE,
        "set TMPDIR to a folder on a larger disk");
}

static void
test_paths(void **state)
{
    static const struct {
        const char *folder, *name, *joined, *parent;
    } rows[] = {
        {"a", "b", "a/b", "a"},
        {"a/", "b", "a/b", "a"},
        {"", "b", "b", "."},
        {"a", "/b", "/b", "/"},
        {"/", "b/c", "/b/c", "/b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FREE_AUTO char *joined = path_join(rows[i].folder, rows[i].name);
        FREE_AUTO char *parent = path_folder(joined);
        assert_string_equal(joined, rows[i].joined);
        assert_string_equal(parent, rows[i].parent);
    }
}

static void
test_program_search(void **state)
{
    FREE_AUTO char *plain = path_join(*state, "plain");
    FREE_AUTO char *tool = path_join(*state, "airbuild-tool");
    FREE_AUTO char *before = str_dup(getenv("PATH"));
    put_text(plain, "not a program");
    put_text(tool, "#!/bin/sh\n");
    assert_int_equal(chmod(tool, 0755), 0);
    setenv("PATH", *state, 1);
    FREE_AUTO char *found = path_program("airbuild-tool");
    FREE_AUTO char *not_executable = path_program("plain");
    FREE_AUTO char *folder = path_program(*state);
    FREE_AUTO char *by_path = path_program(tool);
    unsetenv("PATH");
    FREE_AUTO char *shell = path_program("sh");
    setenv("PATH", before, 1);
    assert_string_equal(found, tool);
    assert_null(not_executable);
    assert_null(folder);
    assert_string_equal(by_path, tool);
    assert_non_null(shell);
}

// Kernel files have another size than stat reports; a copy by size would be padded.
static void
test_copy_of_a_short_file(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *to = path_join(*state, "copy");
    assert_error(file_copy("/sys/kernel/uevent_seqnum", to, 0644, &err), &err, ERR_DAMAGED,
        "'/sys/kernel/uevent_seqnum' ended before its size while it was copied");
    assert_false(file_exists(to));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_write_then_read),
        scratch_test(test_write_replaces_and_leaves_no_temporary),
        scratch_test(test_write_that_fails_keeps_the_old),
        scratch_test(test_write_into_no_folder),
        scratch_test(test_read_refuses),
        cmocka_unit_test(test_read_counts_what_comes),
        scratch_test(test_copy_of_a_short_file),
        scratch_test(test_copy_keeps_bytes_and_holes),
        scratch_test(test_copy_never_replaces),
        scratch_test(test_questions),
        scratch_test(test_make_folders),
        scratch_test(test_make_top_folder),
        scratch_test(test_list_is_sorted),
        scratch_test(test_remove_takes_all_but_what_links_name),
        scratch_test(test_temp_folder_is_private),
        scratch_test(test_publish),
        scratch_test(test_publish_never_replaces),
        scratch_test(test_replace),
        scratch_test(test_space),
        cmocka_unit_test(test_paths),
        scratch_test(test_program_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
