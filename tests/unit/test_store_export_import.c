// test_store_export_import.c - images exported from one store and imported into another.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "store_fixture.h"

struct pair {
    struct store *here, *there;
    char *folder; // of the export
};

static void
pair_clear(struct pair *pair)
{
    store_free(pair->here);
    store_free(pair->there);
    free(pair->folder);
}
#define PAIR_AUTO CLEANUP(pair_clear)

static struct pair
pair_make(const char *scratch)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv keys = {0};
    FREE_AUTO char *here = path_join(scratch, "here");
    FREE_AUTO char *there = path_join(scratch, "there");
    struct pair pair = {open_store(here), open_store(there), path_join(scratch, "out")};
    put_base_and_layer(pair.here);
    strv_add(&keys, KEY_BASE);
    strv_add(&keys, KEY_LAYER);
    assert_ok(store_export(pair.here, &keys, pair.folder, &err), &err);
    return pair;
}

static int
import(const struct pair *pair, char **ret_keys, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    int answer = store_import(pair->there, pair->folder, &keys, err);
    *ret_keys = strv_join(&keys, " ");
    return answer;
}

static void
test_carried(void **state)
{
    ERROR_AUTO struct error err = {0};
    PAIR_AUTO struct pair pair = pair_make(*state);
    IMAGE_AUTO struct image *image = NULL;
    FREE_AUTO char *first = NULL, *second = NULL;
    FREE_AUTO char *names = names_in(pair.folder, ".");
    assert_string_equal(names, KEY_LAYER " " KEY_BASE);
    assert_ok(import(&pair, &first, &err), &err);
    assert_string_equal(first, KEY_BASE " " KEY_LAYER);
    assert_ok(store_verify(pair.there, KEY_LAYER, &err), &err);
    assert_ok(store_find(pair.there, KEY_LAYER, &image, &err), &err);
    assert_string_equal(image->name, "redis");
    assert_ok(import(&pair, &second, &err), &err);
    assert_string_equal(second, "");
}

static void
test_export_of_what_it_cannot(void **state)
{
    ERROR_AUTO struct error err = {0};
    PAIR_AUTO struct pair pair = pair_make(*state);
    STRV_AUTO struct strv one = {0};
    FREE_AUTO char *fresh = path_join(*state, "fresh");
    strv_add(&one, KEY_LAYER);
    assert_error(
        store_export(pair.here, &one, pair.folder, &err), &err, ERR_CONFLICT, "exists already");
    FREE_AUTO char *path = image_path(pair.here, KEY_BASE, "kernel");
    overwrite(path, "A kernel", true);
    assert_error(store_export(pair.here, &one, fresh, &err), &err, ERR_DAMAGED, "'redis'");
    assert_false(file_exists(fresh));
    strv_add(&one, KEY_ABSENT);
    assert_error(store_export(pair.there, &one, fresh, &err), &err, ERR_NOT_FOUND, "has no image");
    FREE_AUTO char *names = names_in(*state, ".");
    assert_string_equal(names, "here out there");
}

// An image is exported with its base.
static void
test_export_takes_the_base_along(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv one = {0};
    FREE_AUTO char *folder = path_join(*state, "out");
    put_base_and_layer(store);
    strv_add(&one, KEY_LAYER);
    assert_ok(store_export(store, &one, folder, &err), &err);
    FREE_AUTO char *names = names_in(folder, ".");
    assert_string_equal(names, KEY_LAYER " " KEY_BASE);
}

static void
test_tampered_folder(void **state)
{
    static const char *const names[] = {"disk.qcow2", "kernel", "initrd", "manifest.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *scratch = path_join(*state, names[i]), *keys = NULL;
        assert_ok(dir_make(scratch, 0755, &err), &err);
        PAIR_AUTO struct pair pair = pair_make(scratch);
        FREE_AUTO char *path = str_format("%s/%s/%s", pair.folder, KEY_BASE, names[i]);
        overwrite(path, "the disk of the Base", true);
        assert_error(import(&pair, &keys, &err), &err, ERR_DAMAGED, "cannot import the image");
        FREE_AUTO char *left = names_in(pair.there->folder, "images");
        assert_string_equal(left, "");
    }
}

// The copy that is published is compared with the checked original; here it differs.
static void
test_copy_that_went_wrong(void **state)
{
    ERROR_AUTO struct error err = {0};
    PAIR_AUTO struct pair pair = pair_make(*state);
    IMAGE_AUTO struct image *image = NULL;
    DRAFT_AUTO struct draft *draft = NULL;
    assert_ok(store_find(pair.here, KEY_BASE, &image, &err), &err);
    assert_ok(store_begin(pair.there, KEY_BASE, &draft, &err), &err);
    fill_draft(draft, "the disk of the Base");
    assert_error(
        store_publish(draft, image->manifest, &err), &err, ERR_DAMAGED, "differs from its source");
    draft_free(TAKE(draft));
    assert_false(store_has(pair.there, KEY_BASE));
}

// A layer is not published if its base was baked again meanwhile.
static void
test_base_that_changed(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = image_manifest("redis", KEY_BASE);
    put_image(store, KEY_BASE, "base-debian", NULL, "a disk");
    json_object_set_new(manifest, "backing_sha256", json_string(KEY_OTHER));
    assert_ok(store_begin(store, KEY_LAYER, &draft, &err), &err);
    fill_draft(draft, "a layer");
    assert_error(
        store_publish(draft, manifest, &err), &err, ERR_CONFLICT, "has another build of its base");
    assert_false(store_has(store, KEY_LAYER));
}

static void
test_import_of_nothing(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv keys = {0};
    assert_error(store_import(store, *state, &keys, &err), &err, ERR_NOT_FOUND,
        "name a folder that 'airbuild images export' made");
}

// A base that was built here has the same key but other bytes, so an imported layer does not fit.
static void
test_layer_over_another_build(void **state)
{
    ERROR_AUTO struct error err = {0};
    PAIR_AUTO struct pair pair = pair_make(*state);
    FREE_AUTO char *keys = NULL;
    put_image(pair.there, KEY_BASE, "base-debian", NULL, "another build");
    assert_error(import(&pair, &keys, &err), &err, ERR_CONFLICT, "another build");
    assert_false(store_has(pair.there, KEY_LAYER));
    assert_ok(store_verify(pair.there, KEY_BASE, &err), &err);
}

// An image whose manifest lacks a required member is not imported.
static void
test_manifest_without_a_member(void **state)
{
    static const struct {
        const char *member, *key;
    } rows[] = {{"name", KEY_BASE}, {"family", KEY_BASE}, {"cmdline", KEY_BASE},
        {"backing_sha256", KEY_LAYER}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *scratch = path_join(*state, rows[i].member), *keys = NULL;
        assert_ok(dir_make(scratch, 0755, &err), &err);
        PAIR_AUTO struct pair pair = pair_make(scratch);
        FREE_AUTO char *path = str_format("%s/%s/manifest.json", pair.folder, rows[i].key);
        json_auto_t *manifest = NULL;
        assert_ok(read_json_file(path, 1 << 20, &manifest, &err), &err);
        json_object_set_new(manifest, rows[i].member, json_null());
        assert_ok(write_json_file(path, 0644, manifest, &err), &err);
        assert_error(import(&pair, &keys, &err), &err, ERR_DAMAGED, rows[i].member);
        assert_false(store_has(pair.there, rows[i].key));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_carried),
        scratch_test(test_export_of_what_it_cannot),
        scratch_test(test_export_takes_the_base_along),
        scratch_test(test_tampered_folder),
        scratch_test(test_copy_that_went_wrong),
        scratch_test(test_base_that_changed),
        scratch_test(test_import_of_nothing),
        scratch_test(test_layer_over_another_build),
        scratch_test(test_manifest_without_a_member),
    };
    return cmocka_run_group_tests_name("store export and import", tests, NULL, NULL);
}
