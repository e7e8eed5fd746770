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

// Takes over source.
static void
add_item(struct bake_plan *plan, const char *name, struct bake_source *source)
{
    size_t capacity = plan->count;
    bool taken = bake_item_named(plan, name) != NULL; // progress has one task for each name
    mem_grow(&plan->items, &capacity, plan->count + 1, sizeof *plan->items);
    plan->items[plan->count++] =
        (struct bake_item){.name = str_format("%s%s", name, taken ? "-2" : ""), .source = source};
}

// Sets the key of an item, and finds its image in the store.
static int
find_item(struct bake_item *item, struct store *store, struct error *err)
{
    const struct bake_source *source = item->source;
    if (source->base_key != NULL)
        item->key = layer_key(source);
    else if (base_key(source, store, &item->key, err) < 0)
        return -1;
    if (store_find(store, item->key, &item->image, err) == 0)
        return 0;
    if (err->code == ERR_NOT_FOUND) {
        item->state = BAKE_MISSING;
        item->why = str_format(source->unresolved
                                   ? "'airbuild images' has to resolve the base of '%s' first"
                                   : "the store has no image '%s' of these inputs",
            item->name);
    } else if (err->code == ERR_DAMAGED) {
        item->state = BAKE_DAMAGED;
        item->why = TAKE(err->message);
    } else {
        return -1;
    }
    error_clear(err);
    return 0;
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
    add_item(plan, recipe->name, source);
    return find_item(&plan->items[plan->count - 1], store, err);
}

static bool
is_same_base(const struct spec_base *a, const struct spec_base *b)
{
    FREE_AUTO char *first = spec_base_canonical(a), *second = spec_base_canonical(b);
    return str_equal(first, second);
}

// Adds the base of a role. *ret: its index; roles over equal bases share one.
static int
add_base(struct bake_plan *plan, struct base_query *query, const struct spec_base *base,
    size_t *ret, struct error *err)
{
    CLEANUP(spec_base_clear) struct spec_base concrete = {0};
    BAKE_SOURCE_AUTO struct bake_source *source = NULL;
    if (base_resolve_auto(query, base, &concrete, err) < 0 ||
        base_resolve(query, &concrete, &source, err) < 0)
        return -1;
    for (*ret = 0; *ret < plan->base_count; (*ret)++)
        if (is_same_base(&source->base, &plan->items[*ret].source->base))
            return 0;
    FREE_AUTO char *name = str_format("base-%s", spec_base_kinds[source->base.kind]);
    add_item(plan, source->recipe != NULL ? source->recipe->name : name, source);
    (void) TAKE(source);
    plan->base_count++;
    return 0;
}

static int
add_extra(
    struct bake_plan *plan, const char *path, size_t base, struct store *store, struct error *err)
{
    RECIPE_AUTO struct recipe *recipe = NULL;
    if (recipe_load_file(path, &recipe, err) < 0)
        return -1;
    if (bake_item_named(plan, recipe->name) != NULL)
        return error_set(err, ERR_SPEC,
            "the recipe '%s' is named '%s' like one of airbuild's own; choose another name", path,
            recipe->name);
    if (recipe->is_base)
        return error_set(err, ERR_SPEC,
            "the recipe '%s' has a bootstrap; --recipe takes only a recipe that goes over a base",
            path);
    return add_layer(plan, TAKE(recipe), base, store, err);
}

int
bake_plan_make(const struct spec *spec, struct store *store, const char *extra, enum bake_ask ask,
    struct progress *progress, struct bake_plan **ret, struct error *err)
{
    BAKE_PLAN_AUTO struct bake_plan *plan = mem_zero(1, sizeof *plan);
    struct base_query query = {.store = store,
        .ask = ask,
        .progress = progress,
        .warnings = &plan->warnings,
        .chosen = &plan->chosen};
    size_t bases[SPEC_ROLES];
    const char *kinds[SPEC_ROLES];
    for (size_t i = 0; i < SPEC_ROLES; i++) {
        size_t first = 0; // the first role that has the same base is resolved for all
        while (!is_same_base(&spec->bases[first], &spec->bases[i]))
            first++;
        if (first < i)
            bases[i] = bases[first];
        else if (add_base(plan, &query, &spec->bases[i], &bases[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; i < plan->base_count; i++)
        if (find_item(&plan->items[i], store, err) < 0)
            return -1;
    for (size_t i = 0; i < SPEC_ROLES; i++) {
        struct recipe *recipe = NULL;
        kinds[i] = spec_base_kinds[plan->items[bases[i]].source->base.kind];
        if (recipe_load(spec_roles[i], &recipe, err) < 0 ||
            add_layer(plan, recipe, bases[i], store, err) < 0)
            return -1;
    }
    plan->base = bases[0] == bases[1] ? str_dup(kinds[0])
                                      : str_format("haproxy %s, redis %s", kinds[0], kinds[1]);
    if (extra != NULL && add_extra(plan, extra, bases[SPEC_REDIS], store, err) < 0)
        return -1;
    *ret = TAKE(plan);
    return 0;
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
