// test_seed_iso.c - the ISO of a seed as other programs see it (blkid, isoinfo, xorriso), and when
// it is written.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/proc.h"
#include "seed/seed.h"

#include <sys/stat.h>

static char big[300 * 1024];

static char meta_data[] = "instance-id: a\n", other_meta_data[] = "instance-id: b\n";
static char empty[] = "";
static char user_data[] = "#cloud-config\nhostname: a\n", network_config[] = "version: 2\n";
static const struct seed small = {meta_data, user_data, network_config, NULL, NULL};

static char *
output_of(const char *const *argv)
{
    ERROR_AUTO struct error err = {0};
    const struct proc_options options = {.timeout_ms = 60000};
    PROC_RESULT_AUTO struct proc_result result = {0};
    assert_ok(proc_check(argv, &options, &result, &err), &err);
    return str_dup(result.output.data);
}

static char *
write_iso(const char *folder, const struct seed *seed)
{
    ERROR_AUTO struct error err = {0};
    char *path = path_join(folder, "seed.iso");
    assert_ok(iso_write(seed, path, &err), &err);
    return path;
}

// The label that cloud-init's NoCloud looks for.
static void
test_label(void **state)
{
    FREE_AUTO char *path = write_iso(*state, &small);
    const char *const argv[] = {"blkid", "-p", "-o", "export", path, NULL};
    FREE_AUTO char *seen = output_of(argv);
    assert_contains(seen, "\nLABEL=cidata\n");
    assert_contains(seen, "\nTYPE=iso9660\n");
}

static void
assert_file(const char *path, const char *tree, const char *name, const char *text)
{
    FREE_AUTO char *inside = str_format("/%s", name);
    const char *const argv[] = {"isoinfo", tree, "-i", path, "-x", inside, NULL};
    FREE_AUTO char *seen = output_of(argv);
    assert_string_equal(seen, text);
}

// Rock Ridge and Joliet have the unchanged names.
static void
test_files(void **state)
{
    FREE_AUTO char *path = write_iso(*state, &small);
    static const char *const trees[] = {"-R", "-J"};
    for (size_t i = 0; i < 2; i++) {
        assert_file(path, trees[i], "meta-data", small.meta_data);
        assert_file(path, trees[i], "user-data", small.user_data);
        assert_file(path, trees[i], "network-config", small.network_config);
    }
}

static void
test_big_file(void **state)
{
    memset(big, 'x', sizeof big - 1);
    const struct seed seed = {meta_data, big, network_config, NULL, NULL};
    FREE_AUTO char *path = write_iso(*state, &seed);
    assert_file(path, "-R", "user-data", big);
}

// A strict reader reports nothing.
static void
test_xorriso(void **state)
{
    FREE_AUTO char *path = write_iso(*state, &small);
    const char *const argv[] = {
        "xorriso", "-abort_on", "WARNING", "-indev", path, "-find", "/", NULL};
    FREE_AUTO char *seen = output_of(argv);
    assert_contains(seen, "'/user-data'");
    assert_contains(seen, "'/network-config'");
}

static void
test_mode_and_size(void **state)
{
    FREE_AUTO char *path = write_iso(*state, &small);
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size % 2048, 0);
    assert_true(info.st_size > 0 && info.st_size < 128 * 1024);
}

// Write seed where the small one was: whether the file was replaced.
static bool
is_replaced(const char *folder, const struct seed *seed)
{
    struct stat before, after;
    FREE_AUTO char *path = write_iso(folder, seed);
    assert_int_equal(stat(path, &before), 0);
    free(write_iso(folder, &small));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_mode & 07777, 0600);
    assert_file(path, "-R", "meta-data", small.meta_data);
    assert_file(path, "-R", "user-data", small.user_data);
    assert_file(path, "-R", "network-config", small.network_config);
    return before.st_ino != after.st_ino;
}

static void
test_written_only_when_it_differs(void **state)
{
    const struct seed other = {other_meta_data, user_data, network_config, NULL, NULL};
    const struct seed shorter = {meta_data, user_data, empty, NULL, NULL};
    assert_false(is_replaced(*state, &small));
    assert_true(is_replaced(*state, &other));
    assert_true(is_replaced(*state, &shorter));
}

// Another mode, a damaged file, and an image with one file more.
static void
test_replaced_when_not_its_own(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = write_iso(*state, &small), *image = NULL;
    size_t length = 0;
    struct stat info;
    assert_int_equal(chmod(path, 0644), 0);
    free(write_iso(*state, &small));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_ok(file_read(path, 1 << 20, &image, &length, &err), &err);
    for (size_t cut = 0; cut < length; cut += 2048) {
        assert_ok(file_write(path, 0600, image, cut, &err), &err);
        free(write_iso(*state, &small));
        assert_file(path, "-R", "user-data", small.user_data);
    }
    const char *const argv[] = {"xorriso", "-dev", path, "-map", "/etc/hostname", "/extra", NULL};
    free(output_of(argv));
    free(write_iso(*state, &small));
    const char *const listing[] = {"isoinfo", "-R", "-f", "-i", path, NULL};
    FREE_AUTO char *seen = output_of(listing);
    assert_null(strstr(seen, "extra"));
}

// Damaged bytes are read without harm.
static void
test_damaged_image(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = write_iso(*state, &small), *image = NULL;
    size_t length = 0;
    assert_ok(file_read(path, 1 << 20, &image, &length, &err), &err);
    srand(1);
    for (unsigned round = 0; round < 300; round++) {
        FREE_AUTO char *copy = mem_zero(1, length);
        memcpy(copy, image, length);
        for (unsigned i = 0; i < 40; i++)
            copy[32768 + (size_t) rand() % (length - 32768)] = (char) rand();
        assert_ok(file_write(path, 0600, copy, length, &err), &err);
        assert_ok(iso_write(&small, path, &err), &err);
    }
}

static void
test_folder_that_is_not_there(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *folder = path_join(*state, "no"), *path = path_join(folder, "seed.iso");
    assert_int_equal(iso_write(&small, path, &err), -1);
    assert_contains(err.message, folder);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_make, scratch_remove)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_label),
        TEST(test_files),
        TEST(test_big_file),
        TEST(test_xorriso),
        TEST(test_mode_and_size),
        TEST(test_written_only_when_it_differs),
        TEST(test_replaced_when_not_its_own),
        TEST(test_damaged_image),
        TEST(test_folder_that_is_not_there),
    };
    return cmocka_run_group_tests_name("seed iso", tests, NULL, NULL);
}
