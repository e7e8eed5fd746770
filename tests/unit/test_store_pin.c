// test_store_pin.c - images that clusters use: pinned, told and let go.
// SPDX-License-Identifier: Apache-2.0
#include "store_fixture.h"

static void
pin(struct store *store, const char *key, const char *id, const char *folder)
{
    ERROR_AUTO struct error err = {0};
    assert_ok(store_pin(store, key, id, folder, &err), &err);
}

static void
unpin(struct store *store, const char *id)
{
    ERROR_AUTO struct error err = {0};
    assert_ok(store_unpin(store, id, &err), &err);
}

// Caller frees.
static char *
users(struct store *store, const char *key)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv folders = {0};
    assert_ok(store_users(store, key, &folders, &err), &err);
    strv_sort(&folders);
    return strv_join(&folders, " ");
}

static void
assert_users(struct store *store, const char *key, const char *expected)
{
    FREE_AUTO char *folders = users(store, key);
    assert_string_equal(folders, expected);
}

static void
test_pin(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    put_base_and_layer(store);
    assert_users(store, KEY_LAYER, "");
    pin(store, KEY_LAYER, "id-1", "/a");
    pin(store, KEY_LAYER, "id-1", "/a");
    pin(store, KEY_LAYER, "id-2", "/b");
    assert_users(store, KEY_LAYER, "/a /b");
    assert_users(store, KEY_BASE, "/a /b");
    pin(store, KEY_LAYER, "id-1", "/moved");
    assert_users(store, KEY_LAYER, "/b /moved");
    assert_users(store, KEY_OTHER, "");
    FREE_AUTO char *path = str_format("%s/users/%s/id-2", store_folder(store), KEY_LAYER);
    FREE_AUTO char *text = NULL;
    ERROR_AUTO struct error err = {0};
    assert_ok(file_read(path, 100, &text, NULL, &err), &err);
    assert_string_equal(text, "/b\n");
}

static void
test_unpin(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    put_base_and_layer(store);
    unpin(store, "id-1");
    pin(store, KEY_LAYER, "id-1", "/a");
    pin(store, KEY_BASE, "id-2", "/b");
    unpin(store, "id-1");
    unpin(store, "id-1");
    assert_users(store, KEY_LAYER, "");
    assert_users(store, KEY_BASE, "/b");
    FREE_AUTO char *folder = str_format("%s/users/%s", store_folder(store), KEY_LAYER);
    assert_false(file_exists(folder));
}

// The base of a pinned layer whose manifest nobody can read any more is known all the same; a pin
// of the layer alone, by hand or from elsewhere, counts for its base.
static void
test_users_of_a_base(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    put_base_and_layer(store);
    put_image(store, KEY_OTHER, "haproxy", KEY_BASE, "a disk");
    FREE_AUTO char *folder = str_format("%s/users/%s", store_folder(store), KEY_OTHER);
    assert_ok(dir_make(folder, 0755, &err), &err);
    put_file(folder, "id-2", "/by/hand\n");
    put_file(folder, ".tmp-killed", "");
    assert_users(store, KEY_BASE, "/by/hand");
    pin(store, KEY_LAYER, "id-1", "/a");
    FREE_AUTO char *manifest = image_path(store, KEY_LAYER, "manifest.json");
    overwrite(manifest, "", false);
    assert_users(store, KEY_BASE, "/a /by/hand");
    unpin(store, "id-2");
    assert_false(file_exists(folder));
}

static void
test_pin_of_nothing(void **state)
{
    ERROR_AUTO struct error err = {0}, wrong = {0};
    STORE_AUTO struct store *store = open_store(*state);
    assert_error(store_pin(store, KEY_ABSENT, "id-1", "/a", &err), &err, ERR_NOT_FOUND,
        "run 'airbuild images'");
    assert_users(store, KEY_ABSENT, "");
    put_base_and_layer(store);
    assert_error(store_pin(store, KEY_LAYER, "../id", "/a", &wrong), &wrong, ERR_FAILED, "'../id'");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_pin),
        scratch_test(test_unpin),
        scratch_test(test_users_of_a_base),
        scratch_test(test_pin_of_nothing),
    };
    return cmocka_run_group_tests_name("store pin", tests, NULL, NULL);
}
