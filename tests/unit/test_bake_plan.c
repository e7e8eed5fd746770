// test_bake_plan.c - plans of images: a key changes with the inputs of its image, and with nothing
// else. No tool of the host runs.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "plan_fixture.h"

#include <errno.h>
#include <sys/wait.h>

// ---- what there is -------------------------------------------------------------------------------

static void
test_empty_store(void **state)
{
    static const char *const names[] = {"base-debian", "haproxy", "redis"};
    STORE_AUTO struct store *store = open_store(*state);
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_int_equal(plan->count, 3);
    assert_string_equal(plan->base, "debian");
    assert_false(bake_plan_ready(plan));
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(plan->items[i].name, names[i]);
        assert_int_equal(plan->items[i].state, BAKE_MISSING);
        assert_int_equal(strlen(plan->items[i].key), 64);
        assert_contains(plan->items[i].why, names[i]);
        assert_null(bake_image_named(plan, names[i]));
    }
    assert_null(bake_image(plan, SPEC_REDIS));
}

static void
publish_items(struct store *store, const struct bake_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        put_image(store, plan->items[i].key, plan->items[i].name,
            i == 0 ? NULL : plan->items[0].key, plan->items[i].name);
}

static void
test_ready_and_damaged(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    BAKE_PLAN_AUTO struct bake_plan *missing = plan_with(store, &spec, NULL);
    publish_items(store, missing);
    BAKE_PLAN_AUTO struct bake_plan *ready = plan_with(store, &spec, NULL);
    assert_true(bake_plan_ready(ready));
    assert_string_equal(bake_image(ready, SPEC_REDIS)->key, missing->items[2].key);
    assert_string_equal(bake_image(ready, SPEC_HAPROXY)->name, "haproxy");
    assert_null(ready->items[0].why);
    FREE_AUTO char *path = image_path(store, missing->items[1].key, "disk.qcow2");
    overwrite(path, "", true);
    BAKE_PLAN_AUTO struct bake_plan *damaged = plan_with(store, &spec, NULL);
    assert_false(bake_plan_ready(damaged));
    assert_int_equal(damaged->items[0].state, BAKE_READY);
    assert_int_equal(damaged->items[1].state, BAKE_DAMAGED);
    assert_contains(damaged->items[1].why, path);
    assert_int_equal(damaged->items[2].state, BAKE_READY);
}

// Nothing is done for a plan that is ready: no space or tool is checked.
static void
test_run_of_a_ready_plan(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    struct bake_options options = {0};
    BAKE_PLAN_AUTO struct bake_plan *missing = plan_with(store, &spec, NULL);
    publish_items(store, missing);
    BAKE_PLAN_AUTO struct bake_plan *ready = plan_with(store, &spec, NULL);
    FREE_AUTO char *record = path_join(store->folder, "base.json");
    assert_ok(bake_run(ready, store, &options, &err), &err);
    assert_false(file_exists(record));
}

// A damaged image that backs nodes' disks is not removed.
static void
test_damaged_in_use(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv in_use = {0};
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    struct bake_options options = {.in_use = &in_use};
    BAKE_PLAN_AUTO struct bake_plan *missing = plan_with(store, &spec, NULL);
    publish_items(store, missing);
    FREE_AUTO char *path = image_path(store, missing->items[2].key, "disk.qcow2");
    overwrite(path, "", true);
    strv_add(&in_use, missing->items[2].key);
    BAKE_PLAN_AUTO struct bake_plan *damaged = plan_with(store, &spec, NULL);
    assert_error(bake_run(damaged, store, &options, &err), &err, ERR_DAMAGED,
        "run 'airbuild destroy' first");
    assert_true(file_exists(path));
}

// No program runs, and the store does not change.
static void
test_pure(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv images = {0}, locks = {0}, folder = {0};
    FREE_AUTO char *path = str_dup(getenv("PATH"));
    FREE_AUTO char *images_folder = path_join(store->folder, "images");
    FREE_AUTO char *locks_folder = path_join(store->folder, "locks");
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    assert_int_equal(setenv("PATH", *state, 1), 0);
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_int_equal(plan->count, 3);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_ok(dir_list(images_folder, &images, &err), &err);
    assert_ok(dir_list(locks_folder, &locks, &err), &err);
    assert_ok(dir_list(store->folder, &folder, &err), &err);
    assert_int_equal(images.count + locks.count, 0);
    assert_int_equal(folder.count, 5);
}

// ---- keys ----------------------------------------------------------------------------------------

static void
test_keys_are_stable(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *elsewhere = path_join(*state, "elsewhere");
    STORE_AUTO struct store *other = open_store(elsewhere);
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    struct spec written = over((struct spec_base){.kind = SPEC_BASE_DEBIAN,
        .suite = (char[]){"bookworm"},
        .mirror = (char[]){"http://deb.debian.org/debian"}});
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_changes(store, plan, &spec, "");
    assert_changes(other, plan, &spec, "");
    assert_changes(store, plan, &written, "");
    append_asset(*state, "images/redis.yaml", "\n# a comment more\n");
    put_asset(*state, "images/files/of-nobody", "");
    assert_changes(store, plan, &spec, "");
}

static void
test_recipe_text(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    append_asset(*state, "images/redis.yaml", "\n  - command: echo more\n");
    assert_changes(store, plan, &spec, "redis");
    append_asset(*state, "images/common.yaml", "\n  - command: echo more\n");
    assert_changes(store, plan, &spec, "haproxy redis");
}

static void
test_installed_file(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv names = {0};
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    asset_list("images/files/haproxy/", &names);
    assert_true(names.count > 0);
    append_asset(*state, names.items[0], "\n# more\n");
    assert_changes(store, plan, &spec, "haproxy");
    put_asset(*state, "images/files/common/etc/one-more", "new");
    assert_changes(store, plan, &spec, "haproxy redis");
}

static void
test_base_below(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    struct spec suite =
        over((struct spec_base){.kind = SPEC_BASE_DEBIAN, .suite = (char[]){"trixie"}});
    struct spec mirror = over((struct spec_base){
        .kind = SPEC_BASE_DEBIAN, .mirror = (char[]){"http://mirror.example/debian"}});
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_changes(store, plan, &suite, "base-debian haproxy redis");
    assert_changes(store, plan, &mirror, "base-debian haproxy redis");
    append_asset(*state, "images/base-debian.yaml", "\n  - command: echo more\n");
    assert_changes(store, plan, &spec, "base-debian haproxy redis");
}

static void
test_broken_recipe(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    BAKE_PLAN_AUTO struct bake_plan *plan = NULL;
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    put_asset(*state, "images/redis.yaml", "name: redis\nsteps:\n  - {}\n");
    assert_error(bake_plan_make(&spec, store, NULL, BAKE_LOOK, NULL, &plan, &err), &err, ERR_SPEC,
        "images/redis.yaml:3:5: a step has exactly one of");
    assert_null(plan);
}

// ---- bases ---------------------------------------------------------------------------------------

static void
test_base_file(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *path = path_join(*state, "disk.qcow2");
    FREE_AUTO char *moved = path_join(*state, "moved.qcow2");
    FREE_AUTO char *sentence = str_format("there is no base image '%s'", path);
    BAKE_PLAN_AUTO struct bake_plan *none = NULL;
    struct spec spec = over((struct spec_base){.kind = SPEC_BASE_FILE, .file = path});
    assert_error(bake_plan_make(&spec, store, NULL, BAKE_LOOK, NULL, &none, &err), &err,
        ERR_NOT_FOUND, sentence);
    put_text(path, "one disk");
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_string_equal(plan->base, "file");
    assert_string_equal(plan->items[0].name, "base-file");
    assert_changes(store, plan, &spec, "");
    assert_int_equal(rename(path, moved), 0);
    spec.bases[0].file = spec.bases[1].file = moved;
    assert_changes(store, plan, &spec, "");
    put_text(moved, "two disk");
    assert_changes(store, plan, &spec, "base-file haproxy redis");
}

// ---- a recipe of the user ------------------------------------------------------------------------

static void
test_third_recipe(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *path = path_join(*state, "extra.yaml");
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    put_file(*state, "extra.yaml", "name: mine\ninclude: [common.yaml]\n");
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, path);
    BAKE_PLAN_AUTO struct bake_plan *plain = plan_with(store, &spec, NULL);
    assert_int_equal(plan->count, 4);
    assert_string_equal(plan->items[3].name, "mine");
    assert_int_equal(plan->items[3].state, BAKE_MISSING);
    assert_int_equal(plain->count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(plan->items[i].key, plain->items[i].key);
    put_file(*state, "extra.yaml", "name: mine\nsteps: [{command: a}]\n");
    BAKE_PLAN_AUTO struct bake_plan *other = plan_with(store, &spec, path);
    FREE_AUTO char *names = changed(plan, other);
    assert_string_equal(names, "mine");
}

static void
test_third_recipe_refused(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    BAKE_PLAN_AUTO struct bake_plan *plan = NULL;
    FREE_AUTO char *path = path_join(*state, "extra.yaml");
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    assert_error(bake_plan_make(&spec, store, path, BAKE_LOOK, NULL, &plan, &err), &err,
        ERR_NOT_FOUND, path);
    put_file(*state, "extra.yaml", "name: redis\n");
    assert_error(bake_plan_make(&spec, store, path, BAKE_LOOK, NULL, &plan, &err), &err, ERR_SPEC,
        "is named 'redis' like one of airbuild's own");
    put_file(*state, "extra.yaml", "name: mine\nbootstrap: {sources: [deb x], packages: [apt]}\n");
    assert_error(bake_plan_make(&spec, store, path, BAKE_LOOK, NULL, &plan, &err), &err, ERR_SPEC,
        "only a recipe that goes over a base");
    put_file(*state, "extra.yaml", "name: mine\nsteps:\n  - command: []\n");
    FREE_AUTO char *place = str_format("%s:3:14: ", path);
    assert_error(
        bake_plan_make(&spec, store, path, BAKE_LOOK, NULL, &plan, &err), &err, ERR_SPEC, place);
    assert_null(plan);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        plan_test(test_empty_store),
        plan_test(test_ready_and_damaged),
        plan_test(test_run_of_a_ready_plan),
        plan_test(test_damaged_in_use),
        plan_test(test_pure),
        plan_test(test_keys_are_stable),
        plan_test(test_recipe_text),
        plan_test(test_installed_file),
        plan_test(test_base_below),
        plan_test(test_broken_recipe),
        plan_test(test_base_file),
        plan_test(test_third_recipe),
        plan_test(test_third_recipe_refused),
    };
    // Only the mirrors of a test are asked.
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
    return cmocka_run_group_tests_name("bake plan", tests, NULL, NULL);
}
