// settle.c - see settle.h.
// SPDX-License-Identifier: Apache-2.0
#include "bake/settle.h"

#include "bake/arch.h"
#include "bake/key.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "fetch/fetch.h"

#define AUTO_FILE "base.json"

enum { MIRRORS_MS = 4000 };

// ---- auto ---------------------------------------------------------------------------------------

int
settle_record_auto(struct store *store, enum spec_base_kind kind, bool was_arch, struct error *err)
{
    struct jv *record = jv_object();
    FREE_AUTO char *stamp = clock_stamp();
    jv_set_string(record, "base", spec_base_name(kind));
    jv_set_string(record, "chosen", stamp);
    if (kind != SPEC_BASE_ARCH && was_arch)
        jv_set_string(record, "was", spec_base_name(SPEC_BASE_ARCH));
    return store_state_put(store, AUTO_FILE, NULL, record, err);
}

// What was recorded, if anything was: *ret says whether.
static int
recall_auto(struct settle *settle, bool *ret, struct error *err)
{
    JV_AUTO struct jv *record = NULL;
    if (store_state_read(settle->store, AUTO_FILE, &record, err) < 0)
        return -1;
    const char *base = jv_get_string(record, "base"), *stamp = jv_get_string(record, "chosen");
    settle->kind = str_equal(base, "arch") ? SPEC_BASE_ARCH : SPEC_BASE_DEBIAN;
    *ret = str_equal(base, spec_base_name(settle->kind));
    settle->was_arch = str_equal(base, "arch") || str_equal(jv_get_string(record, "was"), "arch");
    if (*ret && settle->kind == SPEC_BASE_DEBIAN && settle->was_arch)
        settle->warning = str_format(
            "'base: auto' was Arch and is Debian since %s, when no mirror of Arch answered; write "
            "'base: arch' or 'base: debian' into the spec to choose",
            stamp == NULL ? "some time" : stamp);
    return 0;
}

static void
resolve_kind(const struct spec_base *base, enum spec_base_kind kind, struct spec_base *ret)
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

// Whether the store has the base that AUTO would be.
static int
is_baked(const struct settle *settle, const struct spec_base *base, enum spec_base_kind kind,
    bool *ret, struct error *err)
{
    RECIPE_AUTO struct recipe *recipe = NULL;
    struct settle held = {.store = settle->store, .ask = BAKE_ASK_NEW};
    FREE_AUTO char *key = NULL;
    struct bake_source source = {0};
    resolve_kind(base, kind, &source.base);
    int answer = kind == SPEC_BASE_ARCH ? settle_known(&held, &source, err)
                                        : recipe_load("base-debian", &recipe, err);
    source.recipe = recipe;
    if (answer == 0)
        answer = base_key(&source, settle->store, &key, err);
    if (answer == 0)
        *ret = store_has(settle->store, key);
    spec_base_clear(&source.base);
    return answer;
}

// Which of the two has an image already: then nothing is asked.
static int
find_baked(struct settle *settle, const struct spec_base *base, struct error *err)
{
    static const enum spec_base_kind kinds[] = {SPEC_BASE_ARCH, SPEC_BASE_DEBIAN};
    for (size_t i = 0; i < 2 && !settle->known; i++) {
        if (is_baked(settle, base, kinds[i], &settle->known, err) < 0)
            return -1;
        settle->kind = kinds[i];
    }
    return 0;
}

// The version that airbuild comes with leaves the mirrors one day; the newest image is always
// there.
static int
any_mirror_answers(
    const struct settle *settle, const struct strv *roots, bool *ret, struct error *err)
{
    STRV_AUTO struct strv urls = {0};
    for (size_t i = 0; i < roots->count; i++) {
        strv_take(&urls, arch_image_url(roots->items[i], ARCH_PINNED_VERSION));
        strv_take(&urls, arch_latest_url(roots->items[i]));
    }
    *ret = false;
    return settle->ask == BAKE_ASK_NEVER ? 0 : fetch_any_reachable(&urls, MIRRORS_MS, ret, err);
}

// The sentence that goes with what was chosen; one that is not Arch is a warning too.
static void
tell_choice(struct settle *settle, bool answers, bool before_arch, const struct strv *roots)
{
    FREE_AUTO char *list = strv_join(roots, ", ");
    if (answers)
        settle->chosen = str_dup("'base: auto' is Arch, as a mirror of it answers");
    else if (settle->kind == SPEC_BASE_ARCH)
        settle->chosen =
            str_format("'base: auto' stays Arch, whose image is here, though no mirror "
                       "of it answers (%s)",
                list);
    else if (settle->ask == BAKE_ASK_NEVER)
        settle->chosen = str_dup("'base: auto' is Debian, as no mirror of Arch may be "
                                 "asked; 'airbuild images --refresh' asks");
    else if (before_arch)
        settle->chosen = str_format(
            "'base: auto' was Arch and is Debian from now on, as no mirror of Arch answers (%s); "
            "write 'base: arch' or 'base: debian' into the spec to choose",
            list);
    else
        settle->chosen = str_format("'base: auto' is Debian, as no mirror of Arch "
                                    "answers (%s); 'airbuild images --refresh' asks again",
            list);
    if (!answers)
        settle->warning = str_dup(settle->chosen);
}

// Images of Arch that are here are not left for those of Debian because a network is down.
static int
ask_mirrors(
    struct settle *settle, const struct spec_base *base, bool before_arch, struct error *err)
{
    STRV_AUTO struct strv roots = {0};
    bool answers = false, baked = false;
    arch_mirrors(NULL, &roots);
    if (any_mirror_answers(settle, &roots, &answers, err) < 0)
        return -1;
    if (!answers && before_arch && is_baked(settle, base, SPEC_BASE_ARCH, &baked, err) < 0)
        return -1;
    settle->kind = answers || baked ? SPEC_BASE_ARCH : SPEC_BASE_DEBIAN;
    tell_choice(settle, answers, before_arch, &roots);
    return 0;
}

static int
settle_kind(struct settle *settle, const struct spec_base *base, struct error *err)
{
    bool recorded = false;
    if (recall_auto(settle, &recorded, err) < 0)
        return -1;
    if (settle->ask != BAKE_ASK_AGAIN) {
        settle->known = recorded;
        if (!recorded && find_baked(settle, base, err) < 0)
            return -1;
    } else
        free(TAKE(settle->warning));
    if (!settle->known &&
        ask_mirrors(settle, base, recorded && settle->kind == SPEC_BASE_ARCH, err) < 0)
        return -1;
    settle->known = true;
    return 0;
}

int
settle_auto(
    struct settle *settle, const struct spec_base *base, struct spec_base *ret, struct error *err)
{
    if (base->kind == SPEC_BASE_DEBIAN)
        resolve_kind(base, base->kind, ret);
    else if (base->kind != SPEC_BASE_AUTO)
        spec_base_copy(base, ret);
    if (base->kind != SPEC_BASE_AUTO)
        return 0;
    if (!settle->known && settle_kind(settle, base, err) < 0)
        return -1;
    resolve_kind(base, settle->kind, ret);
    return 0;
}
