// base_auto.c - the policy of `base: auto`: the preferred distribution when a mirror of it answers,
// else the fallback, with a warning. distro.c says which they are.
// SPDX-License-Identifier: Apache-2.0
#include "bake/base_resolve.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "fetch/fetch.h"

#include <jansson.h>

#define AUTO_FILE "base.json"

enum { MIRRORS_MS = 4000 };

static enum spec_base_kind
auto_kind(const struct distro *distro)
{
    return distro->images != NULL ? distro->images->kind : distro->packages_kind;
}

static const char *
auto_name(const struct distro *distro)
{
    return spec_base_kinds[auto_kind(distro)];
}

// The spec's values for `auto` are those of the fallback.
static void
set_auto_base(const struct spec_base *base, const struct distro *distro, struct spec_base *ret)
{
    if (distro == distro_fallback)
        spec_base_copy(base, ret);
    ret->kind = auto_kind(distro);
}

// *ret: whether the store has the base of that distribution.
static int
is_baked(const struct base_query *query, const struct spec_base *base, const struct distro *distro,
    bool *ret, struct error *err)
{
    struct base_query memory = {.store = query->store, .ask = BAKE_LOOK};
    CLEANUP(spec_base_clear) struct spec_base concrete = {0};
    BAKE_SOURCE_AUTO struct bake_source *source = NULL;
    FREE_AUTO char *key = NULL;
    set_auto_base(base, distro, &concrete);
    if (base_resolve(&memory, &concrete, &source, err) < 0 ||
        base_key(source, query->store, &key, err) < 0)
        return -1;
    *ret = store_has(query->store, key);
    return 0;
}

// Returns a sentence about the choice; caller frees.
static char *
explain_choice(
    const struct base_query *query, bool answers, bool was_preferred, const struct strv *roots)
{
    const char *wanted = distro_preferred->title, *taken = distro_fallback->title;
    FREE_AUTO char *list = strv_join(roots, ", ");
    if (answers)
        return str_format("'base: auto' is %s, as a mirror of it answers", wanted);
    if (query->auto_found == distro_preferred)
        return str_format(
            "'base: auto' stays %s, whose image is here, though no mirror of it answers (%s)",
            wanted, list);
    if (query->ask == BAKE_ASK_NEVER)
        return str_format("'base: auto' is %s, as no mirror of %s may be asked; 'airbuild images "
                          "--refresh' asks",
            taken, wanted);
    if (was_preferred)
        return str_format("'base: auto' was %s and is %s from now on, as no mirror of %s answers "
                          "(%s); write 'base: %s' or 'base: %s' into the spec to choose",
            wanted, taken, wanted, list, distro_preferred->name, distro_fallback->name);
    return str_format("'base: auto' is %s, as no mirror of %s answers (%s); 'airbuild images "
                      "--refresh' asks again",
        taken, wanted, list);
}

// Keeps the preferred distribution when the store has its image and only the network is down.
// recorded: the answer in memory, or NULL; was_preferred: that one or an earlier one.
static int
ask_mirrors(struct base_query *query, const struct spec_base *base, const struct distro *recorded,
    bool was_preferred, struct error *err)
{
    const struct distro_images *images = distro_preferred->images;
    STRV_AUTO struct strv roots = {0}, urls = {0};
    bool answers = false, baked = false, stays = recorded == distro_preferred;
    images->mirrors(NULL, &roots);
    // Mirrors drop the pinned version some day, so the newest image counts too.
    for (size_t i = 0; i < roots.count; i++) {
        strv_take(&urls, distro_url(images->url, roots.items[i], images->pinned_version));
        strv_take(&urls, distro_url(images->latest_url, roots.items[i], NULL));
    }
    if (query->ask != BAKE_ASK_NEVER && fetch_any_reachable(&urls, MIRRORS_MS, &answers, err) < 0)
        return -1;
    if (!answers && stays && is_baked(query, base, distro_preferred, &baked, err) < 0)
        return -1;
    query->auto_found = answers || baked ? distro_preferred : distro_fallback;
    *query->chosen = explain_choice(query, answers, stays, &roots);
    if (!answers)
        strv_add(query->warnings, *query->chosen);
    if (query->ask == BAKE_LOOK)
        return 0;
    progress_note(query->progress, "%s", *query->chosen);
    FREE_AUTO char *stamp = clock_stamp();
    bool changed = query->auto_found == distro_fallback && was_preferred;
    json_t *record = json_pack("{s:s, s:s, s:s*}", "base", auto_name(query->auto_found), "chosen",
        stamp, "was", changed ? auto_name(distro_preferred) : NULL);
    return store_state_put(query->store, AUTO_FILE, NULL, record, err);
}

// Finds it in memory, then among the images of the store, then by its mirrors.
static int
find_distro(struct base_query *query, const struct spec_base *base, struct error *err)
{
    const struct distro *const distros[] = {distro_preferred, distro_fallback}, *recorded = NULL;
    const char *wanted = distro_preferred->title, *taken = distro_fallback->title;
    json_auto_t *record = NULL;
    bool baked = false;
    if (store_state_read(query->store, AUTO_FILE, &record, err) < 0)
        return -1;
    const char *name = json_string_value(json_object_get(record, "base")),
               *was = json_string_value(json_object_get(record, "was")),
               *since = json_string_value(json_object_get(record, "chosen"));
    for (size_t i = 0; i < 2 && recorded == NULL; i++)
        if (str_equal(name, auto_name(distros[i])))
            recorded = distros[i];
    bool was_preferred =
        recorded == distro_preferred || str_equal(was, auto_name(distro_preferred));
    if (query->ask != BAKE_ASK_AGAIN) {
        query->auto_found = recorded;
        if (recorded == distro_fallback && was_preferred)
            strv_addf(query->warnings,
                "'base: auto' was %s and is %s since %s, when no mirror of %s answered; write "
                "'base: %s' or 'base: %s' into the spec to choose",
                wanted, taken, since == NULL ? "some time" : since, wanted, distro_preferred->name,
                distro_fallback->name);
        for (size_t i = 0; i < 2 && query->auto_found == NULL; i++) {
            if (is_baked(query, base, distros[i], &baked, err) < 0)
                return -1;
            query->auto_found = baked ? distros[i] : NULL;
        }
    }
    return query->auto_found != NULL ? 0 : ask_mirrors(query, base, recorded, was_preferred, err);
}

int
base_resolve_auto(struct base_query *query, const struct spec_base *base, struct spec_base *ret,
    struct error *err)
{
    if (base->kind != SPEC_BASE_AUTO) {
        spec_base_copy(base, ret);
        return 0;
    }
    if (query->auto_found == NULL && find_distro(query, base, err) < 0)
        return -1;
    set_auto_base(base, query->auto_found, ret);
    return 0;
}
