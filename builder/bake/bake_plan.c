// bake_plan.c - lists the images that a spec needs, by key, and finds them in the store.
// SPDX-License-Identifier: Apache-2.0
#include "bake/bake.h"

#include "bake/base_resolve.h"
#include "base/cleanup.h"

#include <stdlib.h>

void
bake_plan_free(struct bake_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->items[i].name);
        free(plan->items[i].key);
        free(plan->items[i].why);
        image_free(plan->items[i].image);
        bake_source_free(plan->items[i].source);
    }
    free(plan->items);
    free(plan->base);
    free(plan->chosen);
    strv_free(&plan->warnings);
    free(plan);
}

static const struct bake_item *
bake_item_named(const struct bake_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (str_equal(plan->items[i].name, name))
            return &plan->items[i];
    return NULL;
}

// ---- items --------------------------------------------------------------------------------------

// Takes over source, name and key.
static int
add_item(struct bake_plan *plan, struct store *store, struct bake_source *source, char *name,
    char *key, struct error *err)
{
    size_t capacity = plan->count;
    mem_grow(&plan->items, &capacity, plan->count + 1, sizeof *plan->items);
    struct bake_item *item = &plan->items[plan->count++];
    *item = (struct bake_item){.name = name, .key = key, .source = source, .state = BAKE_READY};
    if (store_find(store, key, &item->image, err) == 0)
        return 0;
    if (err->code == ERR_NOT_FOUND) {
        item->state = BAKE_MISSING;
        item->why = str_format(source->unresolved
                                   ? "'airbuild images' has to resolve the base of '%s' first"
                                   : "the store has no image '%s' of these inputs",
            name);
    } else if (err->code == ERR_DAMAGED) {
        item->state = BAKE_DAMAGED;
        item->why = TAKE(err->message);
    } else {
        return -1;
    }
    error_clear(err);
    return 0;
}

static bool
is_same_base(const struct spec_base *a, const struct spec_base *b)
{
    FREE_AUTO char *first = spec_base_canonical(a), *second = spec_base_canonical(b);
    return str_equal(first, second);
}

// Takes over source. Roles over equal bases share one.
static int
add_base(struct bake_plan *plan, struct store *store, struct bake_source *source, size_t *ret,
    struct error *err)
{
    BAKE_SOURCE_AUTO struct bake_source *owned = source;
    FREE_AUTO char *key = NULL;
    if (base_key(source, store, &key, err) < 0)
        return -1;
    for (*ret = 0; *ret < plan->base_count; (*ret)++)
        if (is_same_base(&source->base, &plan->items[*ret].source->base))
            return 0;
    FREE_AUTO char *name = source->recipe != NULL
                               ? str_dup(source->recipe->name)
                               : str_format("base-%s", spec_base_kinds[source->base.kind]);
    bool taken = bake_item_named(plan, name) != NULL; // progress has one task for each name
    plan->base_count++;
    return add_item(
        plan, store, TAKE(owned), taken ? str_format("%s-2", name) : TAKE(name), TAKE(key), err);
}

// Takes over recipe.
static int
add_layer(struct bake_plan *plan, struct recipe *recipe, size_t base, struct store *store,
    struct error *err)
{
    struct bake_source *source = mem_zero(1, sizeof *source);
    source->recipe = recipe;
    source->base_item = base;
    source->base_key = str_dup(plan->items[base].key);
    spec_base_copy(&plan->items[base].source->base, &source->base);
    char *key = layer_key(source);
    return add_item(plan, store, source, str_dup(recipe->name), key, err);
}

// Returns the first role that has the same base in the spec: that one is resolved for both.
static size_t
first_with_base(const struct spec *spec, size_t role)
{
    size_t first = 0;
    while (!is_same_base(&spec->bases[first], &spec->bases[role]))
        first++;
    return first;
}

// Pure but for the store, where it looks for the images. Takes over sources; NULL: of a role whose
// base is an earlier one's.
static int
build_plan(struct bake_plan *plan, const struct spec *spec, struct bake_source **sources,
    struct store *store, const char *extra, struct error *err)
{
    size_t bases[SPEC_ROLES];
    const char *kinds[SPEC_ROLES];
    for (size_t i = 0; i < SPEC_ROLES; i++) {
        if (sources[i] == NULL)
            bases[i] = bases[first_with_base(spec, i)];
        else if (add_base(plan, store, TAKE(sources[i]), &bases[i], err) < 0)
            return -1;
        kinds[i] = spec_base_kinds[plan->items[bases[i]].source->base.kind];
    }
    plan->base = bases[0] == bases[1] ? str_dup(kinds[0])
                                      : str_format("haproxy %s, redis %s", kinds[0], kinds[1]);
    for (size_t i = 0; i < SPEC_ROLES; i++) {
        struct recipe *recipe = NULL;
        if (recipe_load(spec_roles[i], &recipe, err) < 0 ||
            add_layer(plan, recipe, bases[i], store, err) < 0)
            return -1;
    }
    if (extra == NULL)
        return 0;
    RECIPE_AUTO struct recipe *recipe = NULL;
    if (recipe_load_file(extra, &recipe, err) < 0)
        return -1;
    if (bake_item_named(plan, recipe->name) != NULL)
        return error_set(err, ERR_SPEC,
            "the recipe '%s' is named '%s' like one of airbuild's own; choose another name", extra,
            recipe->name);
    if (recipe->is_base)
        return error_set(err, ERR_SPEC,
            "the recipe '%s' has a bootstrap; --recipe takes only a recipe that goes over a base",
            extra);
    return add_layer(plan, TAKE(recipe), bases[SPEC_REDIS], store, err);
}

int
bake_plan_make(const struct spec *spec, struct store *store, const char *extra, enum bake_ask ask,
    struct progress *progress, struct bake_plan **ret, struct error *err)
{
    BAKE_PLAN_AUTO struct bake_plan *plan = mem_zero(1, sizeof *plan);
    struct base_query query = {
        .store = store, .ask = ask, .progress = progress, .warnings = &plan->warnings};
    struct bake_source *sources[SPEC_ROLES] = {0};
    int status = 0;
    for (size_t i = 0; i < SPEC_ROLES && status == 0; i++) {
        CLEANUP(spec_base_clear) struct spec_base concrete = {0};
        if (first_with_base(spec, i) < i)
            continue;
        status = base_resolve_auto(&query, &spec->bases[i], &concrete, err);
        if (status == 0)
            status = base_resolve(&query, &concrete, &sources[i], err);
    }
    plan->chosen = query.chosen;
    if (status == 0)
        status = build_plan(plan, spec, sources, store, extra, err);
    for (size_t i = 0; i < SPEC_ROLES; i++)
        bake_source_free(sources[i]);
    if (status == 0)
        *ret = TAKE(plan);
    return status;
}

bool
bake_plan_ready(const struct bake_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].state != BAKE_READY)
            return false;
    return true;
}

const struct image *
bake_image_named(const struct bake_plan *plan, const char *name)
{
    const struct bake_item *item = bake_item_named(plan, name);
    return item == NULL ? NULL : item->image;
}

const struct image *
bake_image(const struct bake_plan *plan, enum spec_role role)
{
    return bake_image_named(plan, spec_roles[role]);
}

const char *
bake_state_name(enum bake_state state)
{
    static const char *const names[] = {
        [BAKE_READY] = "ready",
        [BAKE_MISSING] = "missing",
        [BAKE_DAMAGED] = "damaged",
    };
    return names[state];
}
