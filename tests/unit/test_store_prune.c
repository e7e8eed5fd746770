// test_store_prune.c - which images, packages and downloads are pruned, and when.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "store_fixture.h"

#include "base/progress.h"

#include <jansson.h>
#include <sys/wait.h>

#define KEY_LATE "fa7efa7efa7efa7efa7efa7efa7efa7efa7efa7efa7efa7efa7efa7efa7efa7e"

static void
prune(struct store *store, const char *keep_one)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv keep = {0}, removed = {0};
    uint64_t bytes = 0;
    if (keep_one != NULL)
        strv_add(&keep, keep_one);
    assert_ok(store_prune(store, &keep, false, &removed, &bytes, &err), &err);
    assert_int_equal(removed.count, 0);
}

static void
keep_one(struct store *store, const char *scratch, const char *set)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *folder = path_join(scratch, "downloaded");
    assert_ok(dir_make(folder, 0755, &err), &err);
    put_file(folder, "a_1.deb", "the package a");
    assert_ok(store_keep_packages(store, set, folder, &err), &err);
}

// Layers are removed first, whatever their keys, so that none is ever without its base.
static void
test_bases_go_last(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv keep = {0}, removed = {0};
    uint64_t bytes = 0;
    put_base_and_layer(store);
    put_image(store, KEY_LATE, "haproxy", KEY_BASE, "the disk of a layer");
    assert_ok(store_prune(store, &keep, false, &removed, &bytes, &err), &err);
    assert_int_equal(removed.count, 3);
    assert_string_equal(removed.items[2], "base-debian " KEY_BASE);
}

// Nothing is removed while another airbuild bakes, as the bake may need it.
static void
test_prune_during_a_bake(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv keep = {0}, removed = {0};
    uint64_t bytes = 0;
    FREE_AUTO char *packages = path_join(store->folder, "packages");
    FREE_AUTO char *downloads = path_join(store->folder, "downloads");
    put_base_and_layer(store);
    keep_one(store, *state, "new");
    put_file(downloads, KEY_OTHER, "an image");
    assert_ok(store_bake_begin(store, &err), &err);
    FREE_AUTO char *expected = str_format("another airbuild (process %ld) bakes", (long) getpid());
    assert_error(
        store_prune(store, &keep, false, &removed, &bytes, &err), &err, ERR_BUSY, expected);
    FREE_AUTO char *kept = names_in(packages, "sets");
    assert_string_equal(kept, "new.json");
    FREE_AUTO char *image = names_in(store->folder, "downloads");
    assert_string_equal(image, KEY_OTHER);
    assert_true(store_has(store, KEY_LAYER));
    store_bake_end(store);
    assert_ok(store_prune(store, &keep, false, &removed, &bytes, &err), &err);
    assert_int_equal(removed.count, 2);
    FREE_AUTO char *left = names_in(packages, "sets");
    assert_string_equal(left, "");
    FREE_AUTO char *nothing = names_in(store->folder, "downloads");
    assert_string_equal(nothing, "");
}

// Starts a child that holds something for a second; returns when the child holds it.
static pid_t
hold(struct store *store, int (*take)(struct store *store, struct error *err))
{
    int pipes[2];
    char byte = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct error err = {0};
        if (take(store, &err) < 0 || write(pipes[1], "x", 1) != 1)
            _exit(1);
        usleep(1000 * 1000);
        _exit(0);
    }
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    close(pipes[0]);
    close(pipes[1]);
    return pid;
}

static int
take_mark(struct store *store, struct error *err)
{
    return store_bake_begin(store, err);
}

static int
take_draft(struct store *store, struct error *err)
{
    static struct draft *draft;
    return store_begin(store, KEY_BASE, &draft, err);
}

static int
take_gate(struct store *store, struct error *err)
{
    static int fd;
    return store_alone(store, &fd, err);
}

// Waits, and reports for which process: prune for a bake, a bake for prune, a bake for the bake of
// the same image (whose process ends without an image, so it is made now).
static void
test_waiting(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *path = path_join(*state, "progress"), *text = NULL;
    FILE *stream = fopen(path, "w");
    PROGRESS_AUTO struct progress *progress = progress_new(stream, false, false);
    DRAFT_AUTO struct draft *draft = NULL;
    store_set_patience(store, progress, 60 * 1000);
    pid_t baker = hold(store, take_mark);
    prune(store, NULL);
    pid_t remover = hold(store, take_gate);
    assert_ok(store_bake_begin(store, &err), &err);
    store_bake_end(store);
    pid_t maker = hold(store, take_draft);
    assert_ok(store_begin(store, KEY_BASE, &draft, &err), &err);
    assert_non_null(draft);
    fclose(stream);
    assert_ok(file_read(path, 10000, &text, NULL, &err), &err);
    FREE_AUTO char *first = str_format("waiting for process %ld, which works", (long) baker);
    FREE_AUTO char *second = str_format("waiting for process %ld, which removes", (long) remover);
    FREE_AUTO char *third = str_format("waiting for process %ld, which makes", (long) maker);
    assert_contains(text, first);
    assert_contains(text, second);
    assert_contains(text, third);
    while (wait(NULL) > 0)
        continue;
}

// A killed bake leaves a mark that is not locked.
static void
test_prune_after_a_killed_bake(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *packages = path_join(store->folder, "packages");
    FREE_AUTO char *locks = path_join(store->folder, "locks");
    keep_one(store, *state, "old");
    put_file(locks, "baking-0123456789abcdef", "");
    prune(store, NULL);
    FREE_AUTO char *left = names_in(packages, "sets");
    assert_string_equal(left, "");
}

// An unreadable package list is removed, with the packages that only it may name.
static void
test_prune_of_a_damaged_set(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *packages = path_join(store->folder, "packages");
    FREE_AUTO char *sets = path_join(packages, "sets");
    ERROR_AUTO struct error err = {0};
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = image_manifest("base-debian", NULL);
    json_object_set_new(manifest, "package_set", json_string("broken"));
    assert_ok(store_begin(store, KEY_BASE, &draft, &err), &err);
    fill_draft(draft, "a disk");
    assert_ok(store_publish(draft, manifest, &err), &err);
    put_file(sets, "broken.json", "[{");
    put_file(packages, KEY_OTHER, "a package of nobody");
    prune(store, KEY_BASE);
    FREE_AUTO char *left = names_in(packages, "sets");
    assert_string_equal(left, "");
    FREE_AUTO char *files = names_in(store->folder, "packages");
    assert_string_equal(files, "sets");
}

// A download stays with the image that was made from it.
static void
test_prune_of_downloads(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = image_manifest("base-url", NULL);
    FREE_AUTO char *downloads = path_join(store->folder, "downloads");
    json_object_set_new(manifest, "download", json_string(KEY_OTHER));
    assert_ok(store_begin(store, KEY_BASE, &draft, &err), &err);
    fill_draft(draft, "a disk");
    assert_ok(store_publish(draft, manifest, &err), &err);
    put_file(downloads, KEY_OTHER, "an image");
    put_file(downloads, KEY_OTHER ".sig", "its signature");
    put_file(downloads, KEY_ABSENT, "another");
    put_file(downloads, ".x.part", "what was interrupted");
    prune(store, KEY_BASE);
    FREE_AUTO char *left = names_in(store->folder, "downloads");
    assert_string_equal(left, KEY_OTHER " " KEY_OTHER ".sig");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_bases_go_last),
        scratch_test(test_prune_during_a_bake),
        scratch_test(test_waiting),
        scratch_test(test_prune_after_a_killed_bake),
        scratch_test(test_prune_of_a_damaged_set),
        scratch_test(test_prune_of_downloads),
    };
    return cmocka_run_group_tests_name("store prune", tests, NULL, NULL);
}
