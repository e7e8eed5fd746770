// test_base_asset.c - assets in the program, and the folder that overrides them.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <sys/stat.h>

static int
teardown(void **state)
{
    unsetenv("AIRBUILD_ASSETS");
    return scratch_remove(state);
}

// Tests run in the project's folder, so assets can be compared with images/.
static void
test_carried_files_are_those_of_the_project(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    asset_list("", &names);
    assert_true(names.count > 0);
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *carried = NULL, *original = NULL;
        size_t carried_length = 0, original_length = 0;
        assert_ok(asset_read(names.items[i], &carried, &carried_length, &err), &err);
        assert_ok(file_read(names.items[i], 1 << 20, &original, &original_length, &err), &err);
        assert_int_equal(carried_length, original_length);
        assert_memory_equal(carried, original, original_length + 1);
    }
}

static void
test_folder_goes_first_file_by_file(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv before = {0}, after = {0};
    asset_list("images/", &before);
    assert_true(before.count > 0);
    put_file(*state, before.items[0], "mine");
    put_file(*state, "images/zz/own.yaml", "own");
    put_file(*state, "cloud-init/own.yaml", "own");
    put_file(*state, "elsewhere/own.yaml", "own");
    setenv("AIRBUILD_ASSETS", *state, 1);
    FREE_AUTO char *text = NULL;
    assert_ok(asset_read(before.items[0], &text, NULL, &err), &err);
    assert_string_equal(text, "mine");
    asset_list("images/", &after);
    assert_int_equal(after.count, before.count + 1);
    assert_string_equal(after.items[after.count - 1], "images/zz/own.yaml");
    for (size_t i = 0; i < before.count; i++)
        assert_true(strv_has(&after, before.items[i]));
}

static void
test_refused(void **state)
{
    ERROR_AUTO struct error err = {0};
    char *text = NULL;
    FREE_AUTO char *inner = path_join(*state, "inner");
    FREE_AUTO char *absolute = path_join(*state, "secret");
    put_file(*state, "secret", "x");
    put_file(*state, "inner/images/folder/file", "x");
    setenv("AIRBUILD_ASSETS", inner, 1);
    assert_error(asset_read("../secret", &text, NULL, &err), &err, ERR_NOT_FOUND, "../secret");
    assert_error(
        asset_read("images/../../secret", &text, NULL, &err), &err, ERR_NOT_FOUND, "secret");
    assert_error(asset_read(absolute, &text, NULL, &err), &err, ERR_NOT_FOUND, absolute);
    assert_error(asset_read("images/none", &text, NULL, &err), &err, ERR_NOT_FOUND, "images/none");
    assert_error(
        asset_read("images/folder", &text, NULL, &err), &err, ERR_FAILED, "not a regular file");
    assert_null(text);
}

static void
test_too_large(void **state)
{
    ERROR_AUTO struct error err = {0};
    char *text = NULL;
    FREE_AUTO char *path = path_join(*state, "images/large");
    put_file(*state, "images/large", "");
    assert_int_equal(truncate(path, 1024 * 1024 + 1), 0);
    setenv("AIRBUILD_ASSETS", *state, 1);
    assert_error(asset_read("images/large", &text, NULL, &err), &err, ERR_FAILED, "1 MiB");
}

static void
test_circle_of_links_ends(void **state)
{
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *link = path_join(*state, "images/again");
    put_file(*state, "images/own", "x");
    assert_int_equal(symlink(".", link), 0);
    setenv("AIRBUILD_ASSETS", *state, 1);
    asset_list("images/own", &names);
    assert_int_equal(names.count, 1);
}

#define asset_test(name) cmocka_unit_test_setup_teardown(name, scratch_make, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        asset_test(test_carried_files_are_those_of_the_project),
        asset_test(test_folder_goes_first_file_by_file),
        asset_test(test_refused),
        asset_test(test_too_large),
        asset_test(test_circle_of_links_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
