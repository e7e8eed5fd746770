// base_resolve.c - see base_resolve.h.
// SPDX-License-Identifier: Apache-2.0
#include "bake/base_resolve.h"

#include "bake/arch.h"
#include "bake/key.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "fetch/fetch.h"

#define AUTO_FILE "base.json"

enum { MIRRORS_MS = 4000 };

// ---- auto ---------------------------------------------------------------------------------------

int
base_record_auto(struct store *store, enum spec_base_kind kind, bool was_arch, struct error *err)
{
    struct jv *record = jv_object();
    FREE_AUTO char *stamp = clock_stamp();
    jv_set_string(record, "base", spec_base_name(kind));
    jv_set_string(record, "chosen", stamp);
    if (kind != SPEC_BASE_ARCH && was_arch)
        jv_set_string(record, "was", spec_base_name(SPEC_BASE_ARCH));
    return store_state_put(store, AUTO_FILE, NULL, record, err);
}

// Reads what was recorded. *ret: something was.
static int
load_auto(struct base_resolve *resolve, bool *ret, struct error *err)
{
    JV_AUTO struct jv *record = NULL;
    if (store_state_read(resolve->store, AUTO_FILE, &record, err) < 0)
        return -1;
    const char *base = jv_get_string(record, "base"), *stamp = jv_get_string(record, "chosen");
    resolve->kind = str_equal(base, "arch") ? SPEC_BASE_ARCH : SPEC_BASE_DEBIAN;
    *ret = str_equal(base, spec_base_name(resolve->kind));
    resolve->was_arch = str_equal(base, "arch") || str_equal(jv_get_string(record, "was"), "arch");
    if (*ret && resolve->kind == SPEC_BASE_DEBIAN && resolve->was_arch)
        resolve->warning = str_format(
            "'base: auto' was Arch and is Debian since %s, when no mirror of Arch answered; write "
            "'base: arch' or 'base: debian' into the spec to choose",
            stamp == NULL ? "some time" : stamp);
    return 0;
}

static void
set_auto_kind(const struct spec_base *base, enum spec_base_kind kind, struct spec_base *ret)
{
    if (kind == SPEC_BASE_ARCH) {
        *ret = (struct spec_base){.kind = SPEC_BASE_ARCH};
        return;
    }
    spec_base_copy(base, ret);
    ret->kind = SPEC_BASE_DEBIAN;
    if (ret->suite == NULL)
        ret->suite = str_dup("bookworm");
    if (ret->mirror == NULL)
        ret->mirror = str_dup("http://deb.debian.org/debian");
}

// *ret: the store has the base that AUTO would be.
static int
is_baked(const struct base_resolve *resolve, const struct spec_base *base, enum spec_base_kind kind,
    bool *ret, struct error *err)
{
    RECIPE_AUTO struct recipe *recipe = NULL;
    struct base_resolve held = {.store = resolve->store, .ask = BAKE_ASK_NEW};
    FREE_AUTO char *key = NULL;
    struct bake_source source = {0};
    set_auto_kind(base, kind, &source.base);
    int answer = kind == SPEC_BASE_ARCH ? base_resolve_known(&held, &source, err)
                                        : recipe_load("base-debian", &recipe, err);
    source.recipe = recipe;
    if (answer == 0)
        answer = base_key(&source, resolve->store, &key, err);
    if (answer == 0)
        *ret = store_has(resolve->store, key);
    spec_base_clear(&source.base);
    return answer;
}

// Finds which of the two has an image already: then nothing is asked.
static int
find_baked(struct base_resolve *resolve, const struct spec_base *base, struct error *err)
{
    static const enum spec_base_kind kinds[] = {SPEC_BASE_ARCH, SPEC_BASE_DEBIAN};
    for (size_t i = 0; i < 2 && !resolve->known; i++) {
        if (is_baked(resolve, base, kinds[i], &resolve->known, err) < 0)
            return -1;
        resolve->kind = kinds[i];
    }
    return 0;
}

// The version that airbuild comes with leaves the mirrors one day; the newest image is always
// there.
static int
any_mirror_answers(
    const struct base_resolve *resolve, const struct strv *roots, bool *ret, struct error *err)
{
    STRV_AUTO struct strv urls = {0};
    for (size_t i = 0; i < roots->count; i++) {
        strv_take(&urls, arch_image_url(roots->items[i], ARCH_PINNED_VERSION));
        strv_take(&urls, arch_latest_url(roots->items[i]));
    }
    *ret = false;
    return resolve->ask == BAKE_ASK_NEVER ? 0 : fetch_any_reachable(&urls, MIRRORS_MS, ret, err);
}

// The sentence that goes with what was chosen; one that is not Arch is a warning too.
static void
explain_choice(
    struct base_resolve *resolve, bool answers, bool before_arch, const struct strv *roots)
{
    FREE_AUTO char *list = strv_join(roots, ", ");
    if (answers)
        resolve->chosen = str_dup("'base: auto' is Arch, as a mirror of it answers");
    else if (resolve->kind == SPEC_BASE_ARCH)
        resolve->chosen =
            str_format("'base: auto' stays Arch, whose image is here, though no mirror "
                       "of it answers (%s)",
                list);
    else if (resolve->ask == BAKE_ASK_NEVER)
        resolve->chosen = str_dup("'base: auto' is Debian, as no mirror of Arch may be "
                                  "asked; 'airbuild images --refresh' asks");
    else if (before_arch)
        resolve->chosen = str_format(
            "'base: auto' was Arch and is Debian from now on, as no mirror of Arch answers (%s); "
            "write 'base: arch' or 'base: debian' into the spec to choose",
            list);
    else
        resolve->chosen = str_format("'base: auto' is Debian, as no mirror of Arch "
                                     "answers (%s); 'airbuild images --refresh' asks again",
            list);
    if (!answers)
        resolve->warning = str_dup(resolve->chosen);
}

// Images of Arch that are here are not left for those of Debian because a network is down.
static int
ask_mirrors(
    struct base_resolve *resolve, const struct spec_base *base, bool before_arch, struct error *err)
{
    STRV_AUTO struct strv roots = {0};
    bool answers = false, baked = false;
    arch_mirrors(NULL, &roots);
    if (any_mirror_answers(resolve, &roots, &answers, err) < 0)
        return -1;
    if (!answers && before_arch && is_baked(resolve, base, SPEC_BASE_ARCH, &baked, err) < 0)
        return -1;
    resolve->kind = answers || baked ? SPEC_BASE_ARCH : SPEC_BASE_DEBIAN;
    explain_choice(resolve, answers, before_arch, &roots);
    return 0;
}

static int
resolve_auto(struct base_resolve *resolve, const struct spec_base *base, struct error *err)
{
    bool recorded = false;
    if (load_auto(resolve, &recorded, err) < 0)
        return -1;
    if (resolve->ask != BAKE_ASK_AGAIN) {
        resolve->known = recorded;
        if (!recorded && find_baked(resolve, base, err) < 0)
            return -1;
    } else
        free(TAKE(resolve->warning));
    if (!resolve->known &&
        ask_mirrors(resolve, base, recorded && resolve->kind == SPEC_BASE_ARCH, err) < 0)
        return -1;
    resolve->known = true;
    return 0;
}

int
base_resolve_auto(struct base_resolve *resolve, const struct spec_base *base, struct spec_base *ret,
    struct error *err)
{
    if (base->kind == SPEC_BASE_DEBIAN)
        set_auto_kind(base, base->kind, ret);
    else if (base->kind != SPEC_BASE_AUTO)
        spec_base_copy(base, ret);
    if (base->kind != SPEC_BASE_AUTO)
        return 0;
    if (!resolve->known && resolve_auto(resolve, base, err) < 0)
        return -1;
    set_auto_kind(base, resolve->kind, ret);
    return 0;
}
