// test_bake_base.c - resolves a spec's bases: Arch's official image, `latest`, a URL, a base for
// each role, and `auto`, with mirrors in folders.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "plan_fixture.h"

#include "bake/arch.h"
#include "bake/source.h"

#include <unistd.h>

#define NEWEST "20991115.777"

// ---- bases ---------------------------------------------------------------------------------------

static void
test_base_arch(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    struct spec spec = of_kind(SPEC_BASE_ARCH);
    struct spec said =
        over((struct spec_base){.kind = SPEC_BASE_ARCH, .image = (char[]){ARCH_PINNED_VERSION}});
    struct spec day = over((struct spec_base){
        .kind = SPEC_BASE_ARCH, .snapshot = (char[]){"2026-10-13"}, .snapshot_given = true});
    struct spec mirror =
        over((struct spec_base){.kind = SPEC_BASE_ARCH, .mirror = (char[]){"https://example.org"}});
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_string_equal(plan->base, "arch");
    assert_string_equal(plan->items[0].name, "base-arch");
    const struct spec_base *base = &plan->items[1].source->base;
    FREE_AUTO char *pinned_day = arch_day(ARCH_PINNED_VERSION);
    assert_string_equal(base->image, ARCH_PINNED_VERSION);
    assert_string_equal(base->snapshot, pinned_day);
    assert_string_equal(base->sha256, ARCH_PINNED_SHA256);
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
    struct spec mixed = {.bases = {debian.bases[0], arch.bases[0]}};
    struct spec suites = debian;
    suites.bases[1].suite = (char[]){"trixie"};
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

// Lays out an image as on a real mirror: the second names, and the list of digests beside them,
// have no version.
static void
put_arch_image(const char *mirror, const char *version, const char *sha256)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *image = distro_url(arch_images.url, mirror, version),
                   *folder = path_folder(image);
    FREE_AUTO char *list = str_format("%s.SHA256", image), *signature = str_format("%s.sig", image);
    FREE_AUTO char *line = str_format("%s  %s\n", sha256, strrchr(image, '/') + 1);
    FREE_AUTO char *plain = path_join(folder, "Arch-Linux-x86_64-cloudimg.qcow2");
    FREE_AUTO char *plain_list = str_format("%s.SHA256", plain);
    FREE_AUTO char *latest = str_format("%s/images/latest", mirror), *name = NULL;
    assert_ok(dir_make(folder, 0755, &err), &err);
    put_text(image, "an image");
    put_text(list, line);
    put_text(signature, "a signature");
    put_text(plain_list, KEY_OTHER "  Arch-Linux-x86_64-cloudimg.qcow2\n");
    assert_int_equal(symlink(strrchr(image, '/') + 1, plain), 0);
    (void) unlink(latest);
    name = str_format("v%s", version);
    assert_int_equal(symlink(name, latest), 0);
}

static void
drop_arch_image(const char *mirror, const char *version)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *folder = str_format("%s/images/v%s", mirror, version);
    assert_ok(dir_remove(folder, &err), &err);
}

// A mirror in a folder with Arch's pinned image and a newer one.
static void
make_mirror(const char *folder)
{
    put_arch_image(folder, ARCH_PINNED_VERSION, ARCH_PINNED_SHA256);
    put_arch_image(folder, NEWEST, KEY_OTHER);
}

static void
test_auto(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "mirror");
    FREE_AUTO char *mirrors = str_format("file:///nowhere file://%s/", folder);
    struct spec spec = of_kind(SPEC_BASE_AUTO);
    // No mirror answers: Debian, and a sentence; BAKE_LOOK remembers nothing.
    BAKE_PLAN_AUTO struct bake_plan *none = plan_with(store, &spec, NULL);
    assert_string_equal(none->base, "debian");
    assert_string_equal(none->chosen,
        "'base: auto' is Debian, as no mirror of Arch answers (file:///nowhere); "
        "'airbuild images --refresh' asks again");
    make_mirror(folder);
    setenv("AIRBUILD_ARCH_MIRRORS", mirrors, 1);
    BAKE_PLAN_AUTO struct bake_plan *arch = plan_with(store, &spec, NULL);
    assert_string_equal(arch->base, "arch");
    assert_string_equal(arch->chosen, "'base: auto' is Arch, as a mirror of it answers");
    BAKE_PLAN_AUTO struct bake_plan *never = plan_asking(store, &spec, BAKE_ASK_NEVER);
    assert_string_equal(never->base, "debian");
    // The answer is remembered until it is asked again.
    BAKE_PLAN_AUTO struct bake_plan *held = plan_with(store, &spec, NULL);
    assert_string_equal(held->base, "debian");
    assert_null(held->chosen);
    assert_int_equal(held->warnings.count, 0);
    BAKE_PLAN_AUTO struct bake_plan *again = plan_asking(store, &spec, BAKE_ASK_AGAIN);
    assert_string_equal(again->base, "arch");
    BAKE_PLAN_AUTO struct bake_plan *later = plan_with(store, &spec, NULL);
    assert_string_equal(later->base, "arch");
    assert_null(later->chosen);
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
}

// An image in the store decides without asking.
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

static void
expect_failure(struct store *store, const struct spec *spec, enum bake_ask ask,
    enum error_code code, const char *message)
{
    ERROR_AUTO struct error err = {0};
    struct bake_plan *plan = NULL;
    assert_error(bake_plan_make(spec, store, NULL, ask, NULL, &plan, &err), &err, code, message);
}

static char *
names_of(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    assert_ok(dir_list(folder, &names, &err), &err);
    return strv_join(&names, " ");
}

static void
test_latest(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "mirror");
    FREE_AUTO char *mirror = str_format("file://%s", folder);
    struct spec spec = over(
        (struct spec_base){.kind = SPEC_BASE_ARCH, .image = (char[]){"latest"}, .mirror = mirror});
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    assert_true(plan->items[0].source->unresolved);
    expect_failure(store, &spec, BAKE_ASK_NEVER, ERR_NETWORK,
        "which image 'latest' is was never asked; run 'airbuild images' without --offline");
    expect_failure(store, &spec, BAKE_ASK_NEW, ERR_NETWORK,
        "images/' cannot be listed: there is no such folder; check the URL");
    make_mirror(folder);
    BAKE_PLAN_AUTO struct bake_plan *known = plan_asking(store, &spec, BAKE_ASK_NEW);
    assert_false(known->items[0].source->unresolved);
    const struct spec_base *base = &known->items[2].source->base;
    assert_string_equal(base->image, "20991115.777");
    assert_string_equal(base->sha256, KEY_OTHER);
    assert_string_equal(base->snapshot, "2099-11-15");
    // The answer is remembered, although the mirror has changed.
    FREE_AUTO char *images = path_join(folder, "images");
    drop_arch_image(folder, NEWEST);
    drop_arch_image(folder, ARCH_PINNED_VERSION);
    assert_changes(store, known, &spec, "");
    BAKE_PLAN_AUTO struct bake_plan *same = plan_asking(store, &spec, BAKE_ASK_NEW);
    assert_string_equal(same->items[0].key, known->items[0].key);
    expect_failure(store, &spec, BAKE_ASK_AGAIN, ERR_NETWORK, "does not list its images");
    FREE_AUTO char *names = names_of(images);
    assert_string_equal(names, "latest");
}

// A newer image without its signature does not count. The error for a missing version lists the
// versions that mirrors have.
static void
test_newest_signed(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "mirror");
    FREE_AUTO char *mirror = str_format("file://%s", folder);
    struct spec latest = over(
        (struct spec_base){.kind = SPEC_BASE_ARCH, .image = (char[]){"latest"}, .mirror = mirror});
    struct spec gone = over((struct spec_base){
        .kind = SPEC_BASE_ARCH, .image = (char[]){"20200101.1"}, .mirror = mirror});
    make_mirror(folder);
    put_arch_image(folder, "20991115.1000", KEY_OTHER);
    put_arch_image(folder, "20991201.1", KEY_BASE);
    FREE_AUTO char *image = distro_url(arch_images.url, folder, "20991201.1");
    FREE_AUTO char *signature = str_format("%s.sig", image);
    assert_int_equal(unlink(signature), 0);
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_asking(store, &latest, BAKE_ASK_NEW);
    assert_string_equal(plan->items[0].source->base.image, "20991115.1000");
    expect_failure(store, &gone, BAKE_ASK_NEW, ERR_NOT_FOUND,
        "no mirror has the image '20200101.1' any more, as they keep the newest few (20991201.1, "
        "20991115.1000, 20991115.777, " ARCH_PINNED_VERSION ")");
}

// ---- the pinned image ----------------------------------------------------------------------------

static void
expect_replaced(struct store *store, const struct spec *spec, bool expected)
{
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_asking(store, spec, BAKE_ASK_NEW);
    assert_int_equal(plan->items[0].source->replaced, expected);
    assert_int_equal(plan->warnings.count, expected ? 1 : 0);
}

// It is used while a mirror has it or no mirror answers. Then the newest one replaces it for good.
static void
test_pinned_image_leaves(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "mirror");
    FREE_AUTO char *mirrors = str_format("file:///nowhere file://%s", folder);
    struct spec spec = of_kind(SPEC_BASE_ARCH);
    struct spec said =
        over((struct spec_base){.kind = SPEC_BASE_ARCH, .image = (char[]){ARCH_PINNED_VERSION}});
    struct spec debian = of_kind(SPEC_BASE_DEBIAN); // pins nothing
    expect_replaced(store, &spec, false);
    setenv("AIRBUILD_ARCH_MIRRORS", mirrors, 1);
    make_mirror(folder);
    expect_replaced(store, &spec, false);
    drop_arch_image(folder, ARCH_PINNED_VERSION);
    expect_replaced(store, &said, false);
    expect_replaced(store, &debian, false);
    expect_replaced(store, &spec, true);
    BAKE_PLAN_AUTO struct bake_plan *again = plan_asking(store, &spec, BAKE_ASK_AGAIN);
    assert_int_equal(again->warnings.count, 1); // both roles have that base
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    const struct spec_base *base = &plan->items[0].source->base;
    assert_string_equal(base->image, NEWEST);
    assert_string_equal(base->sha256, KEY_OTHER);
    assert_string_equal(base->snapshot, "2099-11-15");
    // A still newer one changes nothing.
    put_arch_image(folder, "20991201.1", KEY_BASE);
    BAKE_PLAN_AUTO struct bake_plan *later = plan_with(store, &spec, NULL);
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
    assert_true(later->items[0].source->replaced);
    assert_string_equal(later->items[0].source->base.image, NEWEST);
    BAKE_PLAN_AUTO struct bake_plan *exact = plan_with(store, &said, NULL);
    assert_string_equal(exact->items[0].source->base.image, ARCH_PINNED_VERSION);
}

// ---- auto, over the years ------------------------------------------------------------------------

// A mirror that has only newer images counts.
static void
test_auto_without_the_pinned(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "mirror");
    FREE_AUTO char *mirrors = str_format("file://%s", folder);
    struct spec spec = of_kind(SPEC_BASE_AUTO);
    put_arch_image(folder, NEWEST, KEY_OTHER);
    setenv("AIRBUILD_ARCH_MIRRORS", mirrors, 1);
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
    assert_string_equal(plan->base, "arch");
    assert_int_equal(plan->warnings.count, 0);
}

// From Arch to Debian: never while the store has an image of Arch, and always with a warning.
static void
test_auto_turns(void **state)
{
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *folder = path_join(*state, "mirror");
    FREE_AUTO char *mirrors = str_format("file://%s", folder);
    struct spec spec = of_kind(SPEC_BASE_AUTO), arch = of_kind(SPEC_BASE_ARCH);
    make_mirror(folder);
    setenv("AIRBUILD_ARCH_MIRRORS", mirrors, 1);
    BAKE_PLAN_AUTO struct bake_plan *first = plan_asking(store, &spec, BAKE_ASK_NEW);
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
    assert_string_equal(first->base, "arch");
    BAKE_PLAN_AUTO struct bake_plan *turned = plan_asking(store, &spec, BAKE_ASK_AGAIN);
    assert_string_equal(turned->base, "debian");
    assert_int_equal(turned->warnings.count, 1);
    assert_contains(turned->warnings.items[0],
        "'base: auto' was Arch and is Debian from now on, as no mirror of Arch answers");
    BAKE_PLAN_AUTO struct bake_plan *later = plan_with(store, &spec, NULL);
    assert_string_equal(later->base, "debian");
    assert_int_equal(later->warnings.count, 1);
    assert_contains(later->warnings.items[0], "'base: auto' was Arch and is Debian since 2");
    setenv("AIRBUILD_ARCH_MIRRORS", mirrors, 1);
    BAKE_PLAN_AUTO struct bake_plan *back = plan_asking(store, &spec, BAKE_ASK_AGAIN);
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
    assert_string_equal(back->base, "arch");
    BAKE_PLAN_AUTO struct bake_plan *of_arch = plan_with(store, &arch, NULL);
    put_image(store, of_arch->items[0].key, "base-arch", NULL, "a disk");
    BAKE_PLAN_AUTO struct bake_plan *stays = plan_asking(store, &spec, BAKE_ASK_AGAIN);
    assert_string_equal(stays->base, "arch");
    assert_int_equal(stays->warnings.count, 1);
    assert_contains(stays->warnings.items[0], "'base: auto' stays Arch, whose image is here");
}

// ---- a disk of the user --------------------------------------------------------------------------

// The copy must have the digest that the key was made from.
static void
test_file_that_was_swapped(void **state)
{
    ERROR_AUTO struct error err = {0};
    STORE_AUTO struct store *store = open_store(*state);
    FREE_AUTO char *path = path_join(*state, "disk.qcow2");
    struct spec spec = over((struct spec_base){.kind = SPEC_BASE_FILE, .file = path});
    struct bake_options options = {0};
    put_text(path, "a disk of the user");
    BAKE_PLAN_AUTO struct bake_plan *plan = plan_with(store, &spec, NULL);
    put_text(path, "a disk of someone!");
    assert_error(
        bake_run(plan, store, &options, &err), &err, ERR_DAMAGED, "changed while it was copied");
    assert_false(store_has(store, plan->items[0].key));
}

// A damaged memory is an error, not an empty memory: images depend on it.
static void
test_damaged_memory(void **state)
{
    static const char *const names[] = {"base.json", "sources.json"};
    struct spec specs[] = {of_kind(SPEC_BASE_AUTO), of_kind(SPEC_BASE_ARCH)};
    STORE_AUTO struct store *store = open_store(*state);
    for (size_t i = 0; i < 2; i++) {
        ERROR_AUTO struct error err = {0};
        struct bake_plan *plan = NULL;
        FREE_AUTO char *path = path_join(store->folder, names[i]);
        put_text(path, "{\"base\": ");
        assert_error(bake_plan_make(&specs[i], store, NULL, BAKE_ASK_NEW, NULL, &plan, &err), &err,
            ERR_DAMAGED, "remove the file, and airbuild writes a new one");
        assert_int_equal(unlink(path), 0);
    }
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
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        STRV_AUTO struct strv servers = {0};
        struct spec_base base = {.kind = SPEC_BASE_ARCH,
            .snapshot = (char *) cases[i].snapshot,
            .snapshot_given = cases[i].said,
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
        plan_test(test_newest_signed),
        plan_test(test_pinned_image_leaves),
        plan_test(test_auto_without_the_pinned),
        plan_test(test_auto_turns),
        plan_test(test_damaged_memory),
        plan_test(test_file_that_was_swapped),
        plan_test(test_servers),
    };
    // Only the mirrors of a test are asked.
    setenv("AIRBUILD_ARCH_MIRRORS", "file:///nowhere", 1);
    return cmocka_run_group_tests_name("bake base", tests, NULL, NULL);
}
