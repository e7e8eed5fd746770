// test_seed_iso.c - the ISO of a seed as other programs read it (blkid, isoinfo, xorriso), and that
// its bytes are reproducible.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/proc.h"
#include "seed/iso.h"
#include "seed/settle.h"

#include <sys/stat.h>
#include <time.h>

static char big[300 * 1024];

static char meta_data[] = "instance-id: a\n", other_meta_data[] = "instance-id: b\n";
static char user_data[] = "#cloud-config\nhostname: a\n", network_config[] = "version: 2\n";
static const struct seed small = {meta_data, user_data, network_config};

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

// The requirements of cloud-init's NoCloud.
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
    const struct seed seed = {meta_data, big, network_config};
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

static void
set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void
test_same_bytes(void **state)
{
    ERROR_AUTO struct error err = {0};
    BUF_AUTO struct buf one = {0}, two = {0};
    set_zone("UTC0");
    assert_ok(iso_build(&small, &one, &err), &err);
    // Times in an ISO count in seconds.
    assert_ok(clock_sleep(1100, &err), &err);
    set_zone("XYZ-9:45");
    assert_ok(iso_build(&small, &two, &err), &err);
    unsetenv("TZ");
    tzset();
    assert_int_equal(one.length, two.length);
    assert_memory_equal(one.data, two.data, one.length);
}

static void
test_other_bytes(void **state)
{
    ERROR_AUTO struct error err = {0};
    BUF_AUTO struct buf one = {0}, two = {0};
    const struct seed other = {other_meta_data, user_data, network_config};
    assert_ok(iso_build(&small, &one, &err), &err);
    assert_ok(iso_build(&other, &two, &err), &err);
    assert_int_not_equal(memcmp(one.data, two.data, one.length), 0);
}

static void
test_written_only_when_it_differs(void **state)
{
    struct stat first, same, mended;
    FREE_AUTO char *path = write_iso(*state, &small);
    assert_int_equal(stat(path, &first), 0);
    free(write_iso(*state, &small));
    assert_int_equal(stat(path, &same), 0);
    assert_int_equal(first.st_ino, same.st_ino);
    assert_int_equal(chmod(path, 0644), 0);
    free(write_iso(*state, &small));
    assert_int_equal(stat(path, &mended), 0);
    assert_int_equal(mended.st_mode & 07777, 0600);
}

static void
test_folder_that_is_not_there(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *folder = path_join(*state, "no"), *path = path_join(folder, "seed.iso");
    assert_int_equal(iso_write(&small, path, &err), -1);
    assert_contains(err.message, folder);
}

// Invalid images are refused, wherever they are wrong, and never read past their end.
static void
test_settle_refuses(void **state)
{
    ERROR_AUTO struct error err = {0};
    BUF_AUTO struct buf image = {0};
    assert_ok(iso_build(&small, &image, &err), &err);
    for (size_t length = 0; length <= 19 * 2048; length += 512) {
        FREE_AUTO char *cut = mem_zero(1, length + 1);
        memcpy(cut, image.data, length);
        assert_error(settle_times(cut, length, &err), &err, ERR_FAILED, "ISO image");
    }
}

static void
test_settle_stays_inside(void **state)
{
    ERROR_AUTO struct error err = {0};
    BUF_AUTO struct buf image = {0};
    assert_ok(iso_build(&small, &image, &err), &err);
    srand(1);
    for (unsigned round = 0; round < 3000; round++) {
        FREE_AUTO char *copy = mem_zero(1, image.length);
        memcpy(copy, image.data, image.length);
        for (unsigned i = 0; i < 40; i++)
            copy[32768 + (size_t) rand() % (image.length - 32768)] = (char) rand();
        struct error ignored = {0};
        settle_times(copy, image.length, &ignored);
        error_clear(&ignored);
    }
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
        TEST(test_same_bytes),
        TEST(test_other_bytes),
        TEST(test_written_only_when_it_differs),
        TEST(test_folder_that_is_not_there),
        TEST(test_settle_refuses),
        TEST(test_settle_stays_inside),
    };
    return cmocka_run_group_tests_name("seed iso", tests, NULL, NULL);
}
