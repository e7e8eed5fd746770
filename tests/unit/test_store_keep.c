// test_store_keep.c - the store as a whole: listed and pruned; the packages and digests in it.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "base/lock.h"
#include "store_fixture.h"

#include "base/crypto.h"

#include <jansson.h>

// ---- list ----------------------------------------------------------------------------------------

static void
test_list(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    assert_ok(store_list(store, &list, &damaged, &err), &err);
    assert_int_equal(list.count + damaged.count, 0);
    put_base_and_layer(store);
    put_image(store, KEY_OTHER, "haproxy", KEY_BASE, "a disk");
    assert_ok(store_list(store, &list, &damaged, &err), &err);
    assert_int_equal(list.count, 3);
    assert_int_equal(damaged.count, 0);
    assert_string_equal(list.items[0]->name, "base-debian");
    assert_string_equal(list.items[1]->name, "haproxy");
    assert_string_equal(list.items[2]->name, "redis");
}

static void
test_list_leaves_the_damaged_out(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    put_base_and_layer(store);
    FREE_AUTO char *path = image_path(store, KEY_LAYER, "disk.qcow2");
    overwrite(path, "", true);
    assert_ok(store_list(store, &list, &damaged, &err), &err);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0]->key, KEY_BASE);
    assert_int_equal(damaged.count, 1);
    assert_contains(damaged.items[0], "the image 'redis'");
    assert_contains(damaged.items[0], path);
}

// ---- prune ---------------------------------------------------------------------------------------

static char *
prune(struct store *store, const char *keep_one, bool dry_run)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv keep = {0}, removed = {0};
    uint64_t bytes = 0;
    if (keep_one != NULL)
        strv_add(&keep, keep_one);
    assert_ok(store_prune(store, &keep, dry_run, &removed, &bytes, &err), &err);
    assert_int_equal(bytes > 0, removed.count > 0);
    return strv_join(&removed, ", ");
}

static void
test_prune_keeps_what_is_needed(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    put_base_and_layer(store);
    put_image(store, KEY_OTHER, "haproxy", KEY_BASE, "a disk");
    FREE_AUTO char *listed = prune(store, KEY_LAYER, true);
    assert_string_equal(listed, "haproxy " KEY_OTHER);
    assert_true(store_has(store, KEY_OTHER));
    FREE_AUTO char *removed = prune(store, KEY_LAYER, false);
    assert_string_equal(removed, listed);
    FREE_AUTO char *left = names_in(store->folder, "images");
    assert_string_equal(left, KEY_LAYER " " KEY_BASE);
    FREE_AUTO char *nothing = prune(store, KEY_LAYER, false);
    assert_string_equal(nothing, "");
    FREE_AUTO char *all = prune(store, NULL, false);
    assert_string_equal(all, "redis " KEY_LAYER ", base-debian " KEY_BASE);
    FREE_AUTO char *empty = names_in(store->folder, "images");
    assert_string_equal(empty, "");
}

// An image whose lock is held stays, and is not reported as removed.
static void
test_prune_leaves_the_locked(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *path = str_format("%s/locks/%s", store->folder, KEY_BASE);
    put_image(store, KEY_BASE, "base-debian", NULL, "a disk");
    CLOSE_AUTO int lock = -1;
    assert_ok(lock_take(path, 0, &lock, &err), &err);
    assert_error(store_remove(store, KEY_BASE, &err), &err, ERR_BUSY, KEY_BASE);
    FREE_AUTO char *listed = prune(store, NULL, true);
    assert_string_equal(listed, "");
    FREE_AUTO char *removed = prune(store, NULL, false);
    assert_string_equal(removed, "");
    assert_true(store_has(store, KEY_BASE));
}

static void
test_remove(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    put_image(store, KEY_BASE, "base-debian", NULL, "a disk");
    assert_ok(store_remove(store, KEY_BASE, &err), &err);
    assert_ok(store_remove(store, KEY_BASE, &err), &err);
    FREE_AUTO char *left = names_in(store->folder, "images");
    assert_string_equal(left, "");
}

// ---- packages ------------------------------------------------------------------------------------

static void
keep_two(struct store *store, const char *scratch, const char *set, const char *second)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *folder = path_join(scratch, "downloaded");
    assert_ok(dir_make(folder, 0755, &err), &err);
    put_file(folder, "a_1.deb", "the package a");
    put_file(folder, "b_2.deb", second);
    assert_ok(store_keep_packages(store, set, folder, &err), &err);
    FREE_AUTO char *left = names_in(folder, ".");
    assert_string_equal(left, "");
}

static void
test_packages_kept_and_laid(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    json_auto_t *set = NULL;
    FREE_AUTO char *folder = path_join(*state, "laid"), *text = NULL;
    char hex[DIGEST_HEX + 1];
    keep_two(store, *state, "first", "the package b");
    assert_ok(store_package_set(store, "first", &set, &err), &err);
    assert_int_equal(json_array_size(set), 2);
    digest_bytes("the package b", 13, hex);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(set, 0), "file")), "a_1.deb");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(set, 1), "file")), "b_2.deb");
    assert_string_equal(json_string_value(json_object_get(json_array_get(set, 1), "sha256")), hex);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(set, 1), "bytes")), 13);
    assert_ok(dir_make(folder, 0755, &err), &err);
    assert_ok(store_lay_packages(store, "first", folder, &err), &err);
    FREE_AUTO char *names = names_in(folder, ".");
    assert_string_equal(names, "a_1.deb b_2.deb");
    FREE_AUTO char *laid = path_join(folder, "b_2.deb");
    assert_ok(file_read(laid, 100, &text, NULL, &err), &err);
    assert_string_equal(text, "the package b");
}

// A file of two sets is stored once.
static void
test_packages_of_two_sets(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(store->folder, "packages");
    keep_two(store, *state, "first", "the package b");
    keep_two(store, *state, "second", "a newer package b");
    assert_ok(dir_list(folder, &names, &err), &err);
    assert_int_equal(names.count, 3 + 1); // sets/
    FREE_AUTO char *sets = names_in(folder, "sets");
    assert_string_equal(sets, "first.json second.json");
}

static void
test_packages_absent(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    json_auto_t *set = NULL;
    assert_error(store_package_set(store, "first", &set, &err), &err, ERR_NOT_FOUND, "first");
    assert_error(store_lay_packages(store, "first", *state, &err), &err, ERR_NOT_FOUND, "first");
}

// A damaged or missing package is reported once; then the set is gone and can be stored again.
static void
test_packages_damaged(void **state)
{
    for (int gone = 0; gone < 2; gone++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *scratch = str_format("%s/%d", (char *) *state, gone);
        STORE_AUTO struct store *store = open_store(scratch);
        FREE_AUTO char *folder = path_join(scratch, "laid");
        FREE_AUTO char *fresh = path_join(scratch, "fresh");
        char hex[DIGEST_HEX + 1];
        assert_ok(dir_make(folder, 0755, &err), &err);
        assert_ok(dir_make(fresh, 0755, &err), &err);
        keep_two(store, scratch, "first", "the package b");
        digest_bytes("the package b", 13, hex);
        FREE_AUTO char *blob = str_format("%s/packages/%s", store->folder, hex);
        if (gone)
            assert_int_equal(unlink(blob), 0);
        else
            overwrite(blob, "the package B", true);
        FREE_AUTO char *expected =
            str_format("the kept package 'b_2.deb' ('%s') is %s; airbuild dropped its package "
                       "list, so try again with the network",
                blob, gone ? "missing" : "damaged");
        assert_error(store_lay_packages(store, "first", folder, &err), &err, ERR_DAMAGED, expected);
        assert_error(
            store_lay_packages(store, "first", folder, &err), &err, ERR_NOT_FOUND, "first");
        keep_two(store, scratch, "first", "the package b");
        assert_ok(store_lay_packages(store, "first", fresh, &err), &err);
    }
}

// A list cannot name files of other folders.
static void
test_packages_outside(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "laid");
    FREE_AUTO char *list = path_join(store->folder, "packages/sets/first.json");
    assert_ok(dir_make(folder, 0755, &err), &err);
    put_text(list, "[{\"file\": \"../out\", \"sha256\": \"" KEY_BASE "\"}]");
    assert_error(
        store_lay_packages(store, "first", folder, &err), &err, ERR_DAMAGED, "an invalid entry");
    put_text(list, "[{\"file\": \"out\", \"sha256\": \"../../images\"}]");
    assert_error(
        store_lay_packages(store, "first", folder, &err), &err, ERR_DAMAGED, "an invalid entry");
}

static void
test_prune_of_packages(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv keep = {0}, removed = {0}, names = {0};
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = image_manifest("base-debian", NULL);
    uint64_t bytes = 0;
    keep_two(store, *state, "used", "the package b");
    keep_two(store, *state, "unused", "a newer package b");
    json_object_set_new(manifest, "package_set", json_string("used"));
    assert_ok(store_begin(store, KEY_BASE, &draft, &err), &err);
    fill_draft(draft, "a disk");
    assert_ok(store_publish(draft, manifest, &err), &err);
    strv_add(&keep, KEY_BASE);
    assert_ok(store_prune(store, &keep, false, &removed, &bytes, &err), &err);
    assert_int_equal(removed.count, 0);
    assert_true(bytes > 0);
    FREE_AUTO char *folder = path_join(store->folder, "packages");
    FREE_AUTO char *sets = names_in(folder, "sets");
    assert_string_equal(sets, "used.json");
    assert_ok(dir_list(folder, &names, &err), &err);
    assert_int_equal(names.count, 2 + 1); // sets/
    FREE_AUTO char *laid = path_join(*state, "laid");
    assert_ok(dir_make(laid, 0755, &err), &err);
    assert_ok(store_lay_packages(store, "used", laid, &err), &err);
}

// ---- files of the user ---------------------------------------------------------------------------

static void
assert_digest(struct store *store, const char *path, const char *text)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *found = NULL;
    char expected[DIGEST_HEX + 1];
    digest_bytes(text, strlen(text), expected);
    assert_ok(store_file_digest(store, path, &found, &err), &err);
    assert_string_equal(found, expected);
}

static void
test_file_digest(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *path = path_join(*state, "disk"), *none = NULL;
    FREE_AUTO char *memory = path_join(store->folder, "digests.json");
    put_text(path, "one");
    assert_digest(store, path, "one");
    assert_digest(store, path, "one");
    overwrite(path, "two", true); // only the change time differs
    assert_digest(store, path, "two");
    put_text(path, "three");
    assert_digest(store, path, "three");
    put_text(memory, "{ broken");
    assert_digest(store, path, "three");
    assert_int_equal(unlink(path), 0);
    assert_error(store_file_digest(store, path, &none, &err), &err, ERR_FAILED, path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_list),
        scratch_test(test_list_leaves_the_damaged_out),
        scratch_test(test_prune_keeps_what_is_needed),
        scratch_test(test_prune_leaves_the_locked),
        scratch_test(test_remove),
        scratch_test(test_packages_kept_and_laid),
        scratch_test(test_packages_of_two_sets),
        scratch_test(test_packages_absent),
        scratch_test(test_packages_damaged),
        scratch_test(test_packages_outside),
        scratch_test(test_prune_of_packages),
        scratch_test(test_file_digest),
    };
    return cmocka_run_group_tests_name("store keep", tests, NULL, NULL);
}
