// test_store.c - an image appears whole or not at all; changes to it are detected, and only images
// that are not needed are removed.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "store_fixture.h"

#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>

static void
assert_unpublished(struct store *store, const char *key)
{
    ERROR_AUTO struct error err = {0};
    IMAGE_AUTO struct image *image = NULL;
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv damaged = {0};
    assert_false(store_has(store, key));
    assert_error(store_find(store, key, &image, &err), &err, ERR_NOT_FOUND, "airbuild images");
    assert_error(store_verify(store, key, &err), &err, ERR_NOT_FOUND, "has no image");
    assert_ok(store_list(store, &list, &damaged, &err), &err);
    assert_int_equal(list.count + damaged.count, 0);
}

// ---- making --------------------------------------------------------------------------------------

static void
test_open_makes_the_folders(void **state)
{
    STRV_AUTO struct strv names = {0};
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *home = str_format("%s/a/home", (char *) *state);
    STORE_AUTO struct store *store = open_store(home);
    struct stat info;
    assert_int_equal(stat(home, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0711);
    assert_ok(dir_list(store->folder, &names, &err), &err);
    FREE_AUTO char *joined = strv_join(&names, " ");
    assert_string_equal(joined, "downloads images locks packages users");
}

static void
test_home_that_is_no_folder(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = NULL;
    FREE_AUTO char *home = path_join(*state, "file");
    put_text(home, "");
    assert_int_equal(store_open(home, &store, &err), -1);
    assert_contains(err.message, home);
    assert_null(store);
}

static void
test_draft_is_not_visible(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    struct draft *draft = NULL;
    struct stat info;
    assert_ok(store_begin(store, KEY_BASE, &draft, &err), &err);
    fill_draft(draft, "half");
    assert_unpublished(store, KEY_BASE);
    FREE_AUTO char *folder = str_dup(draft_folder(draft));
    assert_int_equal(stat(folder, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    draft_free(draft);
    assert_false(file_exists(folder));
    assert_unpublished(store, KEY_BASE);
}

// A draft without all its files, or without its base, is not published.
static void
test_incomplete_draft_is_refused(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = image_manifest("redis", NULL);
    json_auto_t *layer = image_manifest("redis", KEY_ABSENT);
    assert_ok(store_begin(store, KEY_LAYER, &draft, &err), &err);
    put_file(draft_folder(draft), "disk.qcow2", "a disk");
    put_file(draft_folder(draft), "kernel", "a kernel");
    assert_error(store_publish(draft, manifest, &err), &err, ERR_FAILED, "initrd");
    assert_unpublished(store, KEY_LAYER);
    put_file(draft_folder(draft), "initrd", "an initrd");
    assert_error(store_publish(draft, layer, &err), &err, ERR_DAMAGED, "its base 'ab5eab5eab5e'");
    assert_unpublished(store, KEY_LAYER);
}

static void
test_published_image(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    struct stat info;
    put_base_and_layer(store);
    assert_true(store_has(store, KEY_LAYER));
    assert_ok(store_find(store, KEY_LAYER, &image, &err), &err);
    assert_string_equal(image->key, KEY_LAYER);
    assert_string_equal(image->name, "redis");
    assert_string_equal(image->family, "debian");
    assert_string_equal(image->cmdline, "root=LABEL=x rw");
    assert_string_equal(image->backing, KEY_BASE);
    assert_int_equal(image->virtual_bytes, 3 << 20);
    assert_int_equal(strlen(image->created), strlen("2026-11-22T17:41:20Z"));
    FREE_AUTO char *base_disk = image_path(store, KEY_BASE, "disk.qcow2");
    FREE_AUTO char *canonical = realpath(image->backing_disk, NULL);
    assert_string_equal(image->backing_disk, base_disk);
    assert_string_equal(image->backing_disk, canonical);
    const char *files[] = {image->disk, image->kernel, image->initrd};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(files[i], &info), 0);
        assert_int_equal(info.st_mode & 07777, 0444);
    }
    FREE_AUTO char *folder = path_folder(image->disk);
    assert_int_equal(stat(folder, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0755);
    assert_ok(store_verify(store, KEY_LAYER, &err), &err);
}

static void
test_begin_knows_what_is_there(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    DRAFT_AUTO struct draft *draft = NULL;
    put_base_and_layer(store);
    assert_ok(store_begin(store, KEY_BASE, &draft, &err), &err);
    assert_null(draft);
}

static void
test_stale_draft_is_swept(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    struct store *first = open_store(*state);
    put_base_and_layer(first);
    FREE_AUTO char *stale = str_format("%s/images/.%s", first->folder, KEY_OTHER);
    FREE_AUTO char *inner = path_join(stale, "work");
    store_free(first);
    assert_ok(dir_make(inner, 0700, &err), &err);
    put_file(inner, "disk.qcow2", "half");
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *images = path_join(store->folder, "images");
    assert_ok(dir_list(images, &names, &err), &err);
    FREE_AUTO char *joined = strv_join(&names, " ");
    assert_string_equal(joined, KEY_LAYER " " KEY_BASE);
}

// ---- two at once ---------------------------------------------------------------------------------

struct maker {
    pid_t pid;
    int release; // closing it lets the maker publish and end
};

static void
make_slowly(const char *home, int ready, int release)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = NULL;
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = image_manifest("base-debian", NULL);
    char byte = 'x';
    if (store_open(home, &store, &err) < 0 || store_begin(store, KEY_BASE, &draft, &err) < 0)
        _exit(1);
    fill_draft(draft, "the other's disk");
    if (write(ready, &byte, 1) != 1 || read(release, &byte, 1) != 0 ||
        store_publish(draft, manifest, &err) < 0)
        _exit(2);
    _exit(0);
}

static struct maker
start_maker(const char *home)
{
    int ready[2], release[2];
    char byte;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(release, O_CLOEXEC), 0);
    struct maker maker = {.pid = fork(), .release = release[1]};
    assert_true(maker.pid >= 0);
    if (maker.pid == 0) {
        close(release[1]);
        make_slowly(home, ready[1], release[0]);
    }
    close(release[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return maker;
}

static void
test_two_make_the_same(void **state)
{
    ERROR_AUTO struct error err = {0};
    DRAFT_AUTO struct draft *draft = NULL;
    IMAGE_AUTO struct image *image = NULL;
    struct maker maker = start_maker(*state);
    FREE_AUTO char *pid = str_format("process %ld", (long) maker.pid);
    int status = 0;
    STORE_AUTO struct store *store = open_store(*state); // keeps the draft of the other process
    assert_error(store_begin(store, KEY_BASE, &draft, &err), &err, ERR_BUSY, pid);
    assert_error(store_begin(store, KEY_BASE, &draft, &err), &err, ERR_BUSY, KEY_BASE);
    put_image(store, KEY_OTHER, "base-debian", NULL, "another key is free");
    close(maker.release);
    store_set_patience(store, NULL, 30 * 1000);
    assert_ok(store_begin(store, KEY_BASE, &draft, &err), &err);
    assert_null(draft);
    assert_int_equal(waitpid(maker.pid, &status, 0), maker.pid);
    assert_int_equal(status, 0);
    assert_ok(store_find(store, KEY_BASE, &image, &err), &err);
}

// A killed maker leaves a draft, but no lock.
static void
test_killed_maker(void **state)
{
    ERROR_AUTO struct error err = {0};
    DRAFT_AUTO struct draft *draft = NULL;
    struct maker maker = start_maker(*state);
    int status = 0;
    assert_int_equal(kill(maker.pid, SIGKILL), 0);
    assert_int_equal(waitpid(maker.pid, &status, 0), maker.pid);
    close(maker.release);
    FREE_AUTO char *left = str_format("%s/store/images/.%s", (char *) *state, KEY_BASE);
    assert_true(file_exists(left));
    STORE_AUTO struct store *store = open_store(*state);
    assert_false(file_exists(left));
    assert_ok(store_begin(store, KEY_BASE, &draft, &err), &err);
    assert_non_null(draft);
}

// ---- damage --------------------------------------------------------------------------------------

static void
test_truncated_file(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    put_base_and_layer(store);
    FREE_AUTO char *path = image_path(store, KEY_LAYER, "disk.qcow2");
    overwrite(path, "the disk", true);
    assert_int_equal(store_find(store, KEY_LAYER, &image, &err), -1);
    assert_int_equal(err.code, ERR_DAMAGED);
    FREE_AUTO char *expected =
        str_format("the image 'redis' (%.12s) is damaged: '%s' has 8 bytes where 21 were "
                   "recorded; run 'airbuild images', which bakes it again",
            KEY_LAYER, path);
    assert_string_equal(err.message, expected);
    assert_null(image);
}

static void
test_overwritten_file(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    put_base_and_layer(store);
    FREE_AUTO char *path = image_path(store, KEY_LAYER, "kernel");
    FREE_AUTO char *expected = str_format("the content of '%s' has changed", path);
    overwrite(path, "A kernel", false);
    assert_error(store_find(store, KEY_LAYER, &image, &err), &err, ERR_DAMAGED, expected);
    assert_error(store_find(store, KEY_LAYER, &image, &err), &err, ERR_DAMAGED, "'redis'");
}

static void
test_file_gone(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    put_base_and_layer(store);
    FREE_AUTO char *path = image_path(store, KEY_LAYER, "initrd");
    assert_int_equal(unlink(path), 0);
    assert_error(
        store_find(store, KEY_LAYER, &image, &err), &err, ERR_DAMAGED, "initrd' is missing");
}

static void
test_touched_file_is_well(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    struct stat before, after;
    put_base_and_layer(store);
    FREE_AUTO char *path = image_path(store, KEY_LAYER, "disk.qcow2");
    assert_int_equal(stat(path, &before), 0);
    overwrite(path, "the disk of the layer", false);
    assert_ok(store_find(store, KEY_LAYER, &image, &err), &err);
    assert_int_equal(stat(path, &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
}

// store_verify reads everything and finds what store_find cannot.
static void
test_flipped_byte(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    put_base_and_layer(store);
    FREE_AUTO char *path = image_path(store, KEY_LAYER, "disk.qcow2");
    overwrite(path, "the disk of the Layer", true);
    assert_ok(store_find(store, KEY_LAYER, &image, &err), &err);
    assert_error(store_verify(store, KEY_LAYER, &err), &err, ERR_DAMAGED, path);
    assert_ok(store_verify(store, KEY_BASE, &err), &err);
}

static void
test_damaged_base_damages_the_layer(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    put_base_and_layer(store);
    FREE_AUTO char *path = image_path(store, KEY_BASE, "disk.qcow2");
    overwrite(path, "the disk of the Base", true);
    assert_error(store_verify(store, KEY_LAYER, &err), &err, ERR_DAMAGED, "its base: ");
    overwrite(path, "the disk", true);
    assert_error(store_find(store, KEY_LAYER, &image, &err), &err, ERR_DAMAGED, path);
    assert_ok(store_remove(store, KEY_BASE, &err), &err);
    assert_error(store_find(store, KEY_LAYER, &image, &err), &err, ERR_DAMAGED,
        "its base '" KEY_BASE "' is missing");
    put_image(store, KEY_BASE, "base-debian", NULL, "another build of it!");
    assert_error(store_find(store, KEY_LAYER, &image, &err), &err, ERR_DAMAGED,
        "its base was baked again after it");
}

// An image of a later version is not damaged and not removed; nor is an image that may be its base.
static void
test_later_manifest(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    IMAGE_LIST_AUTO struct image_list list = {0};
    STRV_AUTO struct strv reported = {0}, keep = {0}, removed = {0};
    uint64_t bytes = 0;
    put_base_and_layer(store);
    FREE_AUTO char *path = image_path(store, KEY_LAYER, "manifest.json");
    overwrite(path, "{\"format\": 2, \"key\": \"" KEY_LAYER "\"}", true);
    assert_error(store_find(store, KEY_LAYER, &image, &err), &err, ERR_CONFLICT,
        "was made by a later version of airbuild");
    assert_ok(store_list(store, &list, &reported, &err), &err);
    assert_int_equal(reported.count, 1);
    assert_ok(store_prune(store, &keep, false, &removed, &bytes, &err), &err);
    assert_int_equal(removed.count, 0);
    assert_true(store_has(store, KEY_LAYER) && store_has(store, KEY_BASE));
}

// Every manifest is checked: a published image has a name, a family and a command line.
static void
test_damaged_manifest(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "{}", "{\"format\": 1}",
        "{\"format\": 0, \"key\": \"" KEY_BASE "\"}", "{\"format\": 1, \"key\": \"" KEY_LAYER "\"}",
        "{\"format\": 1, \"key\": \"" KEY_BASE "\", \"files\": 7}"};
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    put_base_and_layer(store);
    FREE_AUTO char *path = image_path(store, KEY_BASE, "manifest.json");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        overwrite(path, texts[i], true);
        assert_error(store_find(store, KEY_BASE, &image, &err), &err, ERR_DAMAGED, "is damaged");
        assert_error(store_verify(store, KEY_LAYER, &err), &err, ERR_DAMAGED, "its base");
    }
}

static void
test_strange_keys(void **state)
{
    static const char *const keys[] = {"", "..", "../locks", "BA5E", KEY_BASE "0"};
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    IMAGE_AUTO struct image *image = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_error(store_find(store, keys[i], &image, &err), &err, ERR_NOT_FOUND, "has no image");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_open_makes_the_folders),
        scratch_test(test_home_that_is_no_folder),
        scratch_test(test_draft_is_not_visible),
        scratch_test(test_incomplete_draft_is_refused),
        scratch_test(test_published_image),
        scratch_test(test_begin_knows_what_is_there),
        scratch_test(test_stale_draft_is_swept),
        scratch_test(test_two_make_the_same),
        scratch_test(test_killed_maker),
        scratch_test(test_truncated_file),
        scratch_test(test_overwritten_file),
        scratch_test(test_file_gone),
        scratch_test(test_touched_file_is_well),
        scratch_test(test_flipped_byte),
        scratch_test(test_damaged_base_damages_the_layer),
        scratch_test(test_later_manifest),
        scratch_test(test_damaged_manifest),
        scratch_test(test_strange_keys),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
