// test_bake_base.c - what a spec's bases come to: Arch's official image, `latest`, a URL, a base
// for each role, and `auto`, with mirrors in folders.
// SPDX-License-Identifier: Apache-2.0
#include "plan_fixture.h"

#include "bake/arch.h"
#include "bake/settle.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        plan_test(test_base_arch),
        plan_test(test_base_url),
        plan_test(test_base_of_each_role),
        plan_test(test_auto),
        plan_test(test_auto_baked),
        plan_test(test_latest),
        plan_test(test_servers),
    };
    // No mirror of Arch is asked but those that a test says.
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
    return cmocka_run_group_tests_name("bake base", tests, NULL, NULL);
}
