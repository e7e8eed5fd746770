// base_auto.c - the policy of `base: auto`: the preferred distribution when a mirror of it answers,
// else the fallback, with a warning. distro.c says which they are.
// SPDX-License-Identifier: Apache-2.0
#include "bake/base_resolve.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "fetch/fetch.h"

#include <stdlib.h>

#define AUTO_FILE "base.json"

enum { MIRRORS_MS = 4000 };

static enum spec_base_kind
auto_kind(const struct distro *distro)
{
    return distro->images != NULL ? distro->images->kind : distro->packages_kind;
}

// The spec's values for `auto` are those of the fallback.
static void
set_auto_base(const struct spec_base *base, const struct distro *distro, struct spec_base *ret)
{
    if (distro == distro_fallback)
        spec_base_copy(base, ret);
    ret->kind = auto_kind(distro);
}

// ---- memory -------------------------------------------------------------------------------------

struct auto_record {
    const struct distro *distro; // NULL: nothing is recorded
    bool was_preferred;          // now or before
    char *since;
};

static int
load_auto(struct store *store, struct auto_record *ret, struct error *err)
{
    const char *preferred = spec_base_name(auto_kind(distro_preferred));
    json_auto_t *record = NULL;
    if (store_state_read(store, AUTO_FILE, &record, err) < 0)
        return -1;
    const char *base = json_string_value(json_object_get(record, "base")),
               *since = json_string_value(json_object_get(record, "chosen"));
    if (str_equal(base, preferred))
        ret->distro = distro_preferred;
    else if (str_equal(base, spec_base_name(auto_kind(distro_fallback))))
        ret->distro = distro_fallback;
    ret->was_preferred = str_equal(base, preferred) ||
                         str_equal(json_string_value(json_object_get(record, "was")), preferred);
    ret->since = str_dup(since == NULL ? "some time" : since);
    return 0;
}

static int
save_auto(const struct base_query *query, const struct auto_record *before, struct error *err)
{
    json_t *record = json_object();
    FREE_AUTO char *stamp = clock_stamp();
    json_object_set_new(record, "base", text_to_json(spec_base_name(auto_kind(query->auto_found))));
    json_object_set_new(record, "chosen", text_to_json(stamp));
    if (query->auto_found == distro_fallback && before->was_preferred)
        json_object_set_new(
            record, "was", text_to_json(spec_base_name(auto_kind(distro_preferred))));
    return store_state_put(query->store, AUTO_FILE, NULL, record, err);
}

static void
warn_recorded(const struct base_query *query, const struct auto_record *record)
{
    const char *wanted = distro_preferred->title, *taken = distro_fallback->title;
    if (record->distro == distro_fallback && record->was_preferred)
        strv_addf(query->warnings,
            "'base: auto' was %s and is %s since %s, when no mirror of %s answered; write 'base: "
            "%s' or 'base: %s' into the spec to choose",
            wanted, taken, record->since, wanted, distro_preferred->name, distro_fallback->name);
}

// ---- choice -------------------------------------------------------------------------------------

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

// Mirrors drop the pinned version some day, so the newest image counts too.
static int
any_mirror_answers(
    const struct base_query *query, const struct strv *roots, bool *ret, struct error *err)
{
    const struct distro_images *images = distro_preferred->images;
    STRV_AUTO struct strv urls = {0};
    for (size_t i = 0; i < roots->count; i++) {
        strv_take(&urls, images->url(roots->items[i], images->pinned_version));
        strv_take(&urls, images->latest_url(roots->items[i]));
    }
    *ret = false;
    return query->ask == BAKE_ASK_NEVER ? 0 : fetch_any_reachable(&urls, MIRRORS_MS, ret, err);
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
static int
ask_mirrors(struct base_query *query, const struct spec_base *base,
    const struct auto_record *record, struct error *err)
{
    STRV_AUTO struct strv roots = {0};
    bool answers = false, baked = false, was_preferred = record->distro == distro_preferred;
    distro_preferred->images->mirrors(NULL, &roots);
    if (any_mirror_answers(query, &roots, &answers, err) < 0)
        return -1;
    if (!answers && was_preferred && is_baked(query, base, distro_preferred, &baked, err) < 0)
        return -1;
    query->auto_found = answers || baked ? distro_preferred : distro_fallback;
    query->chosen = explain_choice(query, answers, was_preferred, &roots);
    if (!answers)
        strv_add(query->warnings, query->chosen);
    if (query->ask == BAKE_LOOK)
        return 0;
    progress_note(query->progress, "%s", query->chosen);
    return save_auto(query, record, err);
}

// Finds a distribution whose image the store has, so that no mirror is queried.
static int
find_baked(struct base_query *query, const struct spec_base *base, struct error *err)
{
    const struct distro *const distros[] = {distro_preferred, distro_fallback};
    bool baked = false;
    for (size_t i = 0; i < 2 && !baked; i++) {
        if (is_baked(query, base, distros[i], &baked, err) < 0)
            return -1;
        if (baked)
            query->auto_found = distros[i];
    }
    return 0;
}

static int
find_distro(struct base_query *query, const struct spec_base *base, struct error *err)
{
    struct auto_record record = {0};
    int status = load_auto(query->store, &record, err);
    if (status == 0 && query->ask != BAKE_ASK_AGAIN) {
        query->auto_found = record.distro;
        warn_recorded(query, &record);
        if (record.distro == NULL)
            status = find_baked(query, base, err);
    }
    if (status == 0 && query->auto_found == NULL)
        status = ask_mirrors(query, base, &record, err);
    free(record.since);
    return status;
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
