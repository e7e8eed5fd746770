// test_store_pin.c - images that clusters use: pinned, listed and unpinned.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "store_fixture.h"

#include <jansson.h>
#include <sys/wait.h>

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
    FREE_AUTO char *folder = str_format("%s/users/%s", store->folder, KEY_LAYER);
    FREE_AUTO char *left = path_join(folder, ".tmp-killed");
    put_file(folder, ".tmp-killed", "");
    pin(store, KEY_LAYER, "id-2", "/b");
    assert_false(file_exists(left));
    assert_users(store, KEY_LAYER, "/a /b");
    assert_users(store, KEY_BASE, "/a /b");
    pin(store, KEY_LAYER, "id-1", "/moved");
    assert_users(store, KEY_LAYER, "/b /moved");
    assert_users(store, KEY_OTHER, "");
    FREE_AUTO char *path = path_join(folder, "id-2");
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
    FREE_AUTO char *folder = str_format("%s/users/%s", store->folder, KEY_LAYER);
    assert_false(file_exists(folder));
}

// The base of a pinned layer stays pinned when the layer's manifest becomes unreadable. A pin that
// was made by hand, of the layer alone, counts for its base, too.
static void
test_users_of_a_base(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    put_base_and_layer(store);
    put_image(store, KEY_OTHER, "haproxy", KEY_BASE, "a disk");
    FREE_AUTO char *folder = str_format("%s/users/%s", store->folder, KEY_OTHER);
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

// ---- removing ------------------------------------------------------------------------------------

// Neither prune nor a rebuild removes a pinned layer or its base.
static void
test_pinned_is_not_removed(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STORE_AUTO struct store *other = open_store(*state);
    STRV_AUTO struct strv keep = {0}, dry = {0}, removed = {0}, last = {0}, pinned = {0};
    uint64_t bytes = 0;
    put_base_and_layer(store);
    put_image(store, KEY_OTHER, "haproxy", KEY_BASE, "a disk");
    pin(store, KEY_LAYER, "id-1", "/lab/a");
    assert_ok(store_prune(other, &keep, true, &dry, &bytes, &err), &err);
    assert_ok(store_prune(other, &keep, false, &removed, &bytes, &err), &err);
    FREE_AUTO char *listed = strv_join(&dry, ", "), *gone = strv_join(&removed, ", ");
    assert_string_equal(listed, "haproxy " KEY_OTHER);
    assert_string_equal(gone, listed);
    assert_error(store_remove(other, KEY_BASE, &err), &err, ERR_CONFLICT,
        "disks of the cluster in '/lab/a' are backed by it; run 'airbuild destroy' for that "
        "cluster");
    assert_ok(store_keys(other->users, &pinned, &err), &err);
    FREE_AUTO char *keys = strv_join(&pinned, " ");
    assert_string_equal(keys, KEY_LAYER " " KEY_BASE);
    unpin(store, "id-1");
    assert_ok(store_prune(other, &keep, false, &last, &bytes, &err), &err);
    assert_int_equal(last.count, 2);
}

// A damaged base that backs disks stays, and the error says what to do. It is removed once it has
// no users, but not if it is OK by then.
static void
test_damaged_and_pinned(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    put_base_and_layer(store);
    pin(store, KEY_LAYER, "id-1", "/lab/a");
    assert_ok(store_remove_damaged(store, KEY_BASE, &err), &err);
    assert_true(store_has(store, KEY_BASE));
    FREE_AUTO char *path = image_path(store, KEY_BASE, "kernel");
    overwrite(path, "A kernel", false);
    assert_error(store_remove_damaged(store, KEY_BASE, &err), &err, ERR_DAMAGED,
        "has changed; it backs disks of the cluster in '/lab/a', so restore the file, or run "
        "'airbuild destroy' for that cluster and then 'airbuild images'");
    assert_true(store_has(store, KEY_BASE));
    unpin(store, "id-1");
    assert_ok(store_remove_damaged(store, KEY_BASE, &err), &err);
    assert_false(store_has(store, KEY_BASE));
}

// Clusters of an earlier airbuild have no pins; the bases of the images that they name are found.
static void
test_bases_of_kept(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv keys = {0}, unread = {0};
    put_base_and_layer(store);
    strv_add(&keys, KEY_LAYER);
    strv_add(&unread, KEY_LAYER);
    assert_ok(store_add_bases(store, &keys, &err), &err);
    assert_true(strv_has(&keys, KEY_BASE));
    FREE_AUTO char *manifest = image_path(store, KEY_LAYER, "manifest.json");
    overwrite(manifest, "{", false);
    assert_ok(store_add_bases(store, &unread, &err), &err);
    assert_true(strv_has(&unread, KEY_BASE));
}

static void
test_missing_users(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv listed = {0}, forgotten = {0};
    put_base_and_layer(store);
    pin(store, KEY_LAYER, "id-1", *state);
    pin(store, KEY_LAYER, "id-2", "/is/not/there");
    FREE_AUTO char *folder = str_format("%s/users/%s", store->folder, KEY_BASE);
    put_file(folder, "id-3", ""); // a damaged pin
    assert_ok(store_missing_users(store, false, &listed, &err), &err);
    FREE_AUTO char *list = strv_join(&listed, " ");
    assert_string_equal(list, "/is/not/there cluster id-3");
    FREE_AUTO char *all = str_format("/is/not/there %s cluster id-3", (char *) *state);
    assert_users(store, KEY_BASE, all);
    assert_ok(store_missing_users(store, true, &forgotten, &err), &err);
    assert_users(store, KEY_BASE, *state);
}

// ---- at once -------------------------------------------------------------------------------------

enum { ROUNDS = 40 };

// For valgrind: what the parent has open stays reachable in a child that never returns.
static struct store *volatile parents;

// Pins and unpins while another process prunes: a pinned image is never removed.
static void
pin_and_look(const char *home)
{
    struct error err = {0};
    struct store *store = NULL;
    if (store_open(home, &store, &err) < 0)
        _exit(1);
    for (int i = 0; i < ROUNDS; i++) {
        error_clear(&err);
        if (store_pin(store, KEY_LAYER, "id-1", "/a", &err) < 0) {
            if (err.code != ERR_NOT_FOUND)
                _exit(2);
            continue;
        }
        if (!store_has(store, KEY_LAYER) || !store_has(store, KEY_BASE))
            _exit(3);
        if (store_unpin(store, "id-1", &err) < 0)
            _exit(4);
    }
    store_free(store);
    _exit(0);
}

static void
test_pin_against_prune(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv keep = {0};
    int status = -1;
    put_base_and_layer(store);
    parents = store;
    pid_t pid = fork();
    if (pid == 0)
        pin_and_look(*state);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        STRV_AUTO struct strv removed = {0};
        uint64_t bytes = 0;
        assert_ok(store_prune(store, &keep, false, &removed, &bytes, &err), &err);
        if (!store_has(store, KEY_BASE))
            put_image(store, KEY_BASE, "base-debian", NULL, "the disk of the base");
        if (!store_has(store, KEY_LAYER))
            put_image(store, KEY_LAYER, "redis", KEY_BASE, "the disk of the layer");
    }
    assert_int_equal(status, 0);
}

static void
put_members(const char *home, const char *prefix)
{
    struct error err = {0};
    struct store *store = NULL;
    if (store_open(home, &store, &err) < 0)
        _exit(1);
    for (int i = 0; i < ROUNDS; i++) {
        FREE_AUTO char *name = str_format("%s%d", prefix, i);
        if (store_state_put(store, "sources.json", name, json_integer(i), &err) < 0)
            _exit(2);
    }
    store_free(store);
    _exit(0);
}

// Two processes that write a state file at the same time keep the entries of each other.
static void
test_state_of_two(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    json_auto_t *memory = NULL;
    parents = store;
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            put_members(*state, i == 0 ? "a" : "b");
    for (int i = 0, status = -1; i < 2; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    put_file(store->folder, ".tmp-killed", "");
    assert_ok(store_state_put(store, "base.json", NULL, json_object(), &err), &err);
    FREE_AUTO char *left = path_join(store->folder, ".tmp-killed");
    assert_false(file_exists(left));
    assert_ok(store_state_read(store, "sources.json", &memory, &err), &err);
    assert_int_equal(json_object_size(memory), 2 * ROUNDS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_pin),
        scratch_test(test_unpin),
        scratch_test(test_users_of_a_base),
        scratch_test(test_pin_of_nothing),
        scratch_test(test_pinned_is_not_removed),
        scratch_test(test_damaged_and_pinned),
        scratch_test(test_bases_of_kept),
        scratch_test(test_missing_users),
        scratch_test(test_pin_against_prune),
        scratch_test(test_state_of_two),
    };
    return cmocka_run_group_tests_name("store pin", tests, NULL, NULL);
}
