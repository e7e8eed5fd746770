// test_bake_plan.c - which images a spec needs: keys that change with what an image is made from
// and with nothing else; told without any tool of the host.
// SPDX-License-Identifier: Apache-2.0
#include "store_fixture.h"

#include "bake/arch.h"
#include "bake/bake.h"
#include "bake/settle.h"
#include "base/asset.h"

#include <errno.h>
#include <sys/wait.h>

static struct spec
over(struct spec_base base)
{
    return (struct spec){.bases = {base, base}};
}

static struct spec
of_kind(enum spec_base_kind kind)
{
    return over((struct spec_base){.kind = kind});
}

static struct bake_plan *
plan_with(struct store *store, const struct spec *spec, const char *extra)
{
    ERROR_AUTO struct error err = {0};
    struct bake_plan *plan = NULL;
    assert_ok(bake_plan_make(spec, store, extra, BAKE_ASK_NEW, &plan, &err), &err);
    return plan;
}

// "NAME" of every item whose key is another one in the second plan.
static char *
changed(const struct bake_plan *before, const struct bake_plan *after)
{
    STRV_AUTO struct strv names = {0};
    assert_int_equal(before->count, after->count);
    for (size_t i = 0; i < before->count; i++)
        if (strcmp(before->items[i].key, after->items[i].key) != 0)
            strv_add(&names, before->items[i].name);
    return strv_join(&names, " ");
}

static void
assert_changes(struct store *store, const struct bake_plan *before, const struct spec *spec,
    const char *expected)
{
    BAKE_PLAN_AUTO struct bake_plan *after = plan_with(store, spec, NULL);
    FREE_AUTO char *names = changed(before, after);
    assert_string_equal(names, expected);
}

// A file of the folder that goes before what the program carries.
static void
put_asset(const char *scratch, const char *name, const char *text)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = str_format("%s/assets/%s", scratch, name);
    FREE_AUTO char *folder = path_folder(path);
    assert_ok(dir_make(folder, 0755, &err), &err);
    put_text(path, text);
}

// The same with what the program carries, and more behind it.
static void
append_asset(const char *scratch, const char *name, const char *more)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    assert_ok(asset_read(name, &text, NULL, &err), &err);
    FREE_AUTO char *longer = str_format("%s%s", text, more);
    put_asset(scratch, name, longer);
}

static int
plan_setup(void **state)
{
    int answer = scratch_make(state);
    FREE_AUTO char *assets = path_join(*state, "assets");
    asset_override(assets);
    return answer;
}

static int
plan_teardown(void **state)
{
    asset_override(NULL);
    return scratch_remove(state);
}

#define plan_test(name) cmocka_unit_test_setup_teardown(name, plan_setup, plan_teardown)

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

// A plan that is ready is not baked: no space is asked for, no tool is looked for.
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
    FREE_AUTO char *record = path_join(store_folder(store), "base.json");
    assert_ok(bake_run(ready, store, &options, &err), &err);
    assert_false(file_exists(record));
}

// A damaged image below nodes' disks is not taken from under them.
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

// No program is run and nothing of the store changes.
static void
test_pure(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    STRV_AUTO struct strv images = {0}, locks = {0}, folder = {0};
    FREE_AUTO char *path = str_dup(getenv("PATH"));
    FREE_AUTO char *images_folder = path_join(store_folder(store), "images");
    FREE_AUTO char *locks_folder = path_join(store_folder(store), "locks");
    struct spec spec = of_kind(SPEC_BASE_DEBIAN);
    assert_int_equal(setenv("PATH", *state, 1), 0);
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_int_equal(plan->count, 3);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_ok(dir_list(images_folder, &images, &err), &err);
    assert_ok(dir_list(locks_folder, &locks, &err), &err);
    assert_ok(dir_list(store_folder(store), &folder, &err), &err);
    assert_int_equal(images.count + locks.count, 0);
    assert_int_equal(folder.count, 4);
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
    assert_error(bake_plan_make(&spec, store, NULL, BAKE_ASK_NEW, &plan, &err), &err, ERR_SPEC,
        "images/redis.yaml:3:5: a step has exactly one of");
    assert_null(plan);
}

// ---- bases ---------------------------------------------------------------------------------------

static void
test_base_arch(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    struct spec spec = of_kind(SPEC_BASE_ARCH);
    struct spec said =
        over((struct spec_base){.kind = SPEC_BASE_ARCH, .image = (char[]){"20261001.604814"}});
    struct spec day = over((struct spec_base){
        .kind = SPEC_BASE_ARCH, .snapshot = (char[]){"2026-10-03"}, .snapshot_said = true});
    struct spec mirror =
        over((struct spec_base){.kind = SPEC_BASE_ARCH, .mirror = (char[]){"https://example.org"}});
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_string_equal(plan->base, "arch");
    assert_string_equal(plan->items[0].name, "base-arch");
    const struct spec_base *base = &plan->items[1].source->base;
    assert_string_equal(base->image, "20261001.604814");
    assert_string_equal(base->snapshot, "2026-10-01");
    assert_true(str_starts(base->sha256, "360f0fa4"));
    assert_changes(store, plan, &said, "");
    assert_changes(store, plan, &day, "haproxy redis");
    assert_changes(store, plan, &mirror, "haproxy redis");
}

static void
test_base_url(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    struct spec_base base = {.kind = SPEC_BASE_URL,
        .url = (char[]){"https://example.org/disk.qcow2"},
        .sha256 = (char[]){KEY_OTHER}};
    struct spec spec = over(base);
    base.url = (char[]){"https://elsewhere.example.org/disk.qcow2"};
    struct spec moved = over(base);
    base.sha256 = (char[]){KEY_BASE};
    struct spec other = over(base);
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_string_equal(plan->items[0].name, "base-url");
    assert_changes(store, plan, &moved, "");
    assert_changes(store, plan, &other, "base-url haproxy redis");
}

static void
test_base_of_each_role(void **state)
{
    static const char *const names[] = {"base-debian", "base-arch", "haproxy", "redis"};
    STORE_AUTO struct store *store = open_store(*state);
    struct spec debian = of_kind(SPEC_BASE_DEBIAN), arch = of_kind(SPEC_BASE_ARCH);
    struct spec mixed = {.bases = {{.kind = SPEC_BASE_DEBIAN}, {.kind = SPEC_BASE_ARCH}}};
    struct spec suites = {.bases = {{.kind = SPEC_BASE_DEBIAN},
                              {.kind = SPEC_BASE_DEBIAN, .suite = (char[]){"trixie"}}}};
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &mixed, NULL);
    BAKE_PLAN_AUTO struct bake_plan *of_debian = plan_with(store, &debian, NULL);
    BAKE_PLAN_AUTO struct bake_plan *of_arch = plan_with(store, &arch, NULL);
    BAKE_PLAN_AUTO struct bake_plan *of_suites = plan_with(store, &suites, NULL);
    assert_int_equal(plan->count, 4);
    assert_int_equal(plan->base_count, 2);
    assert_string_equal(plan->base, "haproxy debian, redis arch");
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(plan->items[i].name, names[i]);
    assert_string_equal(plan->items[2].key, of_debian->items[1].key);
    assert_string_equal(plan->items[3].key, of_arch->items[2].key);
    assert_string_equal(plan->items[3].source->base_key, plan->items[1].key);
    assert_string_equal(of_suites->items[1].name, "base-debian-2");
}

// ---- auto ---------------------------------------------------------------------------------------

// A mirror in a folder, with Arch's pinned image and the newest one.
static void
make_mirror(const char *folder)
{
    static const char list[] = KEY_OTHER "  Arch-Linux-x86_64-cloudimg-20261115.777.qcow2\n";
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *image = arch_image_url(folder, ARCH_PINNED_VERSION);
    FREE_AUTO char *latest = arch_latest_url(folder);
    FREE_AUTO char *image_folder = path_folder(image), *latest_folder = path_folder(latest);
    assert_ok(dir_make(image_folder, 0755, &err), &err);
    assert_ok(dir_make(latest_folder, 0755, &err), &err);
    put_text(image, "an image");
    put_text(latest, list);
}

static void
test_auto(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "mirror");
    FREE_AUTO char *mirrors = str_format("file:///nowhere file://%s/", folder);
    struct spec spec = of_kind(SPEC_BASE_AUTO);
    // No mirror answers: Debian, and a sentence; nothing is written by a plan.
    BAKE_PLAN_AUTO struct bake_plan *none = plan_with(store, &spec, NULL);
    assert_string_equal(none->base, "debian");
    assert_string_equal(none->chosen,
        "'base: auto' is Debian, as no mirror of Arch answers (file:///nowhere); "
        "'airbuild images --refresh' asks again");
    assert_false(bake_plan_ready(none));
    make_mirror(folder);
    setenv("AIRBUILD_ARCH_MIRRORS", mirrors, 1);
    BAKE_PLAN_AUTO struct bake_plan *arch = plan_with(store, &spec, NULL);
    assert_string_equal(arch->base, "arch");
    assert_string_equal(arch->chosen, "'base: auto' is Arch, as a mirror of it answers");
    BAKE_PLAN_AUTO struct bake_plan *never = NULL;
    assert_ok(bake_plan_make(&spec, store, NULL, BAKE_ASK_NEVER, &never, &err), &err);
    assert_string_equal(never->base, "debian");
    // What was recorded holds until it is asked again.
    assert_ok(settle_record_auto(store, SPEC_BASE_DEBIAN, &err), &err);
    BAKE_PLAN_AUTO struct bake_plan *held = plan_with(store, &spec, NULL);
    assert_string_equal(held->base, "debian");
    assert_null(held->chosen);
    BAKE_PLAN_AUTO struct bake_plan *again = NULL;
    assert_ok(bake_plan_make(&spec, store, NULL, BAKE_ASK_AGAIN, &again, &err), &err);
    assert_string_equal(again->base, "arch");
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
}

// An image that is there settles it without asking.
static void
test_auto_baked(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "mirror");
    FREE_AUTO char *mirrors = str_format("file://%s", folder);
    struct spec debian = of_kind(SPEC_BASE_DEBIAN), spec = of_kind(SPEC_BASE_AUTO);
    BAKE_PLAN_AUTO struct bake_plan *before = plan_with(store, &debian, NULL);
    put_image(store, before->items[0].key, "base-debian", NULL, "a disk");
    make_mirror(folder);
    setenv("AIRBUILD_ARCH_MIRRORS", mirrors, 1);
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
    assert_string_equal(plan->base, "debian");
    assert_null(plan->chosen);
}

// ---- latest --------------------------------------------------------------------------------------

static int
ask(struct store *store, struct bake_plan *plan, bool offline, struct error *err)
{
    struct bake_options options = {.offline = offline};
    struct bake_job job = {.item = &plan->items[0], .store = store, .options = &options};
    return settle_ask(&job, err);
}

static void
test_latest(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "mirror");
    FREE_AUTO char *mirror = str_format("file://%s", folder);
    FREE_AUTO char *list = arch_latest_url(folder);
    struct spec spec = over(
        (struct spec_base){.kind = SPEC_BASE_ARCH, .image = (char[]){"latest"}, .mirror = mirror});
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_true(plan->items[0].source->unsettled);
    assert_error(ask(store, plan, true, &err), &err, ERR_NETWORK,
        "which image 'latest' is was never asked; run 'airbuild images' without --offline");
    assert_error(ask(store, plan, false, &err), &err, ERR_NETWORK,
        "cannot be downloaded: there is no such file; check the URL");
    make_mirror(folder);
    assert_ok(ask(store, plan, false, &err), &err);
    assert_ok(bake_plan_settled(plan, 0, store, &err), &err);
    const struct spec_base *base = &plan->items[2].source->base;
    assert_string_equal(base->image, "20261115.777");
    assert_string_equal(base->sha256, KEY_OTHER);
    assert_string_equal(base->snapshot, "2026-11-15");
    // It is remembered, whatever the mirror says by now.
    put_text(list, "something else");
    assert_changes(store, plan, &spec, "");
    BAKE_PLAN_AUTO struct bake_plan *again = NULL;
    assert_ok(bake_plan_make(&spec, store, NULL, BAKE_ASK_AGAIN, &again, &err), &err);
    assert_true(again->items[0].source->unsettled);
    assert_error(
        ask(store, again, false, &err), &err, ERR_DAMAGED, "the mirror's list of digests '");
}

static void
test_servers(void **state)
{
    static const struct {
        const char *snapshot, *mirror, *environment, *servers;
        bool said;
    } cases[] = {
        {"2026-10-01", NULL, NULL, "https://archive.archlinux.org/repos/2026/10/01/$repo/os/$arch",
            false},
        {NULL, NULL, NULL,
            "https://geo.mirror.pkgbuild.com/$repo/os/$arch "
            "https://fastly.mirror.pkgbuild.com/$repo/os/$arch",
            false},
        {"2026-10-01", "https://a.org/", NULL, "https://a.org/$repo/os/$arch", false},
        {"2026-10-01", "https://a.org", NULL, "https://a.org/repos/2026/10/01/$repo/os/$arch",
            true},
        {"2026-10-01", NULL, " file:///m  http://b.org ",
            "file:///m/$repo/os/$arch http://b.org/$repo/os/$arch", false},
        {NULL, "https://a.org", "file:///m", "https://a.org/$repo/os/$arch", false},
    };
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        STRV_AUTO struct strv servers = {0};
        struct spec_base base = {.kind = SPEC_BASE_ARCH,
            .snapshot = (char *) cases[i].snapshot,
            .snapshot_said = cases[i].said,
            .mirror = (char *) cases[i].mirror};
        unsetenv("AIRBUILD_ARCH_MIRRORS");
        if (cases[i].environment != NULL)
            setenv("AIRBUILD_ARCH_MIRRORS", cases[i].environment, 1);
        arch_servers(&base, &servers);
        setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
        FREE_AUTO char *list = strv_join(&servers, " ");
        assert_string_equal(list, cases[i].servers);
    }
}

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
    assert_error(bake_plan_make(&spec, store, NULL, BAKE_ASK_NEW, &none, &err), &err, ERR_NOT_FOUND,
        sentence);
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
    assert_error(
        bake_plan_make(&spec, store, path, BAKE_ASK_NEW, &plan, &err), &err, ERR_NOT_FOUND, path);
    put_file(*state, "extra.yaml", "name: redis\n");
    assert_error(bake_plan_make(&spec, store, path, BAKE_ASK_NEW, &plan, &err), &err, ERR_SPEC,
        "is named 'redis', as one of airbuild's own is");
    put_file(*state, "extra.yaml", "name: mine\nbootstrap: {sources: [deb x], packages: [apt]}\n");
    assert_error(bake_plan_make(&spec, store, path, BAKE_ASK_NEW, &plan, &err), &err, ERR_SPEC,
        "only a recipe that goes over a base");
    put_file(*state, "extra.yaml", "name: mine\nsteps:\n  - command: []\n");
    FREE_AUTO char *place = str_format("%s:3:14: ", path);
    assert_error(
        bake_plan_make(&spec, store, path, BAKE_ASK_NEW, &plan, &err), &err, ERR_SPEC, place);
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
        plan_test(test_base_arch),
        plan_test(test_base_url),
        plan_test(test_base_of_each_role),
        plan_test(test_auto),
        plan_test(test_auto_baked),
        plan_test(test_latest),
        plan_test(test_servers),
        plan_test(test_base_file),
        plan_test(test_third_recipe),
        plan_test(test_third_recipe_refused),
    };
    // No mirror of Arch is asked but those that a test says.
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
    return cmocka_run_group_tests_name("bake plan", tests, NULL, NULL);
}
