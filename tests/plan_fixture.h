// plan_fixture.h - for tests of plans of images: specs with some base, changed recipes, and the
// images that they change.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_PLAN_FIXTURE_H
#define AIRBUILD_TESTS_PLAN_FIXTURE_H

#include "base/file.h"
#include "store_fixture.h"

#include "bake/bake.h"
#include "base/asset.h"

static inline struct spec
over(struct spec_base base)
{
    return (struct spec){.bases = {base, base}};
}

// With a spec's default values.
static inline struct spec
of_kind(enum spec_base_kind kind)
{
    bool debian = kind == SPEC_BASE_AUTO || kind == SPEC_BASE_DEBIAN;
    return over((struct spec_base){.kind = kind,
        .suite = debian ? (char *) "bookworm" : NULL,
        .mirror = debian ? (char *) "http://deb.debian.org/debian" : NULL});
}

static inline struct bake_plan *
plan_asking(struct store *store, const struct spec *spec, enum bake_ask ask)
{
    ERROR_AUTO struct error err = {0};
    struct bake_plan *plan = NULL;
    assert_ok(bake_plan_make(spec, store, NULL, ask, NULL, &plan, &err), &err);
    return plan;
}

static inline struct bake_plan *
plan_with(struct store *store, const struct spec *spec, const char *extra)
{
    ERROR_AUTO struct error err = {0};
    struct bake_plan *plan = NULL;
    assert_ok(bake_plan_make(spec, store, extra, BAKE_LOOK, NULL, &plan, &err), &err);
    return plan;
}

// Returns the names of the items whose key differs in the second plan.
static inline char *
changed(const struct bake_plan *before, const struct bake_plan *after)
{
    STRV_AUTO struct strv names = {0};
    assert_int_equal(before->count, after->count);
    for (size_t i = 0; i < before->count; i++)
        if (strcmp(before->items[i].key, after->items[i].key) != 0)
            strv_add(&names, before->items[i].name);
    return strv_join(&names, " ");
}

static inline void
assert_changes(struct store *store, const struct bake_plan *before, const struct spec *spec,
    const char *expected)
{
    BAKE_PLAN_AUTO struct bake_plan *after = plan_with(store, spec, NULL);
    FREE_AUTO char *names = changed(before, after);
    assert_string_equal(names, expected);
}

// Writes a file that overrides one that the program carries.
static inline void
put_asset(const char *scratch, const char *name, const char *text)
{
    FREE_AUTO char *assets = path_join(scratch, "assets");
    put_file(assets, name, text);
}

// Overrides a file with its own text and more.
static inline void
append_asset(const char *scratch, const char *name, const char *more)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    assert_ok(asset_read(name, &text, NULL, &err), &err);
    FREE_AUTO char *longer = str_format("%s%s", text, more);
    put_asset(scratch, name, longer);
}

static inline int
plan_setup(void **state)
{
    int answer = scratch_make(state);
    FREE_AUTO char *assets = path_join(*state, "assets");
    setenv("AIRBUILD_ASSETS", assets, 1);
    return answer;
}

static inline int
plan_teardown(void **state)
{
    unsetenv("AIRBUILD_ASSETS");
    return scratch_remove(state);
}

#define plan_test(name) cmocka_unit_test_setup_teardown(name, plan_setup, plan_teardown)

#endif
