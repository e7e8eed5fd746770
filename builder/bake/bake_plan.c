// bake_plan.c - which images a spec needs, by key, and which of them the store has.
// SPDX-License-Identifier: Apache-2.0
#include "bake/bake.h"

#include "bake/base_resolve.h"
#include "bake/distro.h"
#include "bake/key.h"
#include "bake/recipe.h"
#include "bake/source.h"
#include "base/cleanup.h"

#include <stdlib.h>

static void
source_free(struct bake_source *source)
{
    if (source == NULL)
        return;
    recipe_free(source->recipe);
    spec_base_clear(&source->base);
    free(source->base_key);
    free(source);
}

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
        source_free(plan->items[i].source);
    }
    free(plan->items);
    free(plan->base);
    free(plan->chosen);
    strv_free(&plan->warnings);
    free(plan);
}

void
bake_plan_freep(struct bake_plan **plan)
{
    bake_plan_free(*plan);
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

static int
look_up_item(struct bake_item *item, struct store *store, struct error *err)
{
    free(TAKE(item->why));
    if (store_find(store, item->key, &item->image, err) == 0) {
        item->state = BAKE_READY;
        return 0;
    }
    if (err->code == ERR_NOT_FOUND) {
        item->state = BAKE_MISSING;
        item->why = item->source->unresolved
                        ? str_format("what '%s' is made from is asked for first", item->name)
                        : str_format("the store has no image '%s' of these inputs", item->name);
    } else if (err->code == ERR_DAMAGED) {
        item->state = BAKE_DAMAGED;
        item->why = TAKE(err->message);
    } else {
        return -1;
    }
    error_clear(err);
    return 0;
}

// name and key are taken over.
static int
add_item(struct bake_plan *plan, struct store *store, struct bake_source *source, char *name,
    char *key, struct error *err)
{
    size_t capacity = plan->count;
    mem_grow(&plan->items, &capacity, plan->count + 1, sizeof *plan->items);
    struct bake_item *item = &plan->items[plan->count++];
    *item = (struct bake_item){.name = name, .key = key, .source = source};
    return look_up_item(item, store, err);
}

static int
add_base_recipe(struct bake_source *source, struct error *err)
{
    const struct distro *distro = distro_of_packages(&source->base);
    return distro == NULL ? 0 : recipe_load(distro->base_recipe, &source->recipe, err);
}

// Names are of tasks too, so they must differ.
static char *
base_name(const struct bake_plan *plan, const struct bake_source *source)
{
    const char *kind = spec_base_name(source->base.kind);
    FREE_AUTO char *name =
        source->recipe != NULL ? str_dup(source->recipe->name) : str_format("base-%s", kind);
    return bake_item_named(plan, name) == NULL ? TAKE(name) : str_format("%s-2", name);
}

static bool
is_same(const struct bake_source *a, const struct bake_source *b)
{
    FREE_AUTO char *first = spec_base_canonical(&a->base);
    FREE_AUTO char *second = spec_base_canonical(&b->base);
    return str_equal(first, second);
}

// Roles over equal bases share one.
static int
add_base(struct bake_plan *plan, const struct base_resolve *resolve, const struct spec_base *base,
    size_t *ret, struct error *err)
{
    struct bake_source *source = mem_zero(1, sizeof *source);
    char *key = NULL;
    spec_base_copy(base, &source->base);
    if (add_base_recipe(source, err) < 0 || base_resolve_known(resolve, source, err) < 0 ||
        base_key(source, resolve->store, &key, err) < 0) {
        source_free(source);
        return -1;
    }
    for (*ret = 0; *ret < plan->base_count; (*ret)++)
        if (is_same(source, plan->items[*ret].source)) {
            source_free(source);
            free(key);
            return 0;
        }
    plan->base_count++;
    return add_item(plan, resolve->store, source, base_name(plan, source), key, err);
}

// recipe is taken over.
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

static int
add_extra(
    struct bake_plan *plan, const char *path, size_t base, struct store *store, struct error *err)
{
    RECIPE_AUTO struct recipe *recipe = NULL;
    if (recipe_load_file(path, &recipe, err) < 0)
        return -1;
    if (bake_item_named(plan, recipe->name) != NULL)
        return error_set(err, ERR_SPEC,
            "the recipe '%s' is named '%s', as one of airbuild's own is; choose another name", path,
            recipe->name);
    if (recipe->is_base)
        return error_set(err, ERR_SPEC,
            "the recipe '%s' has a bootstrap; only a recipe that goes over a base can be baked so",
            path);
    return add_layer(plan, TAKE(recipe), base, store, err);
}

// "debian"; of two that differ "haproxy debian, redis arch".
static void
name_bases(struct bake_plan *plan, const size_t *bases)
{
    const char *kinds[SPEC_ROLES];
    for (size_t i = 0; i < SPEC_ROLES; i++)
        kinds[i] = spec_base_name(plan->items[bases[i]].source->base.kind);
    plan->base = bases[0] == bases[1] ? str_dup(kinds[0])
                                      : str_format("haproxy %s, redis %s", kinds[0], kinds[1]);
}

int
bake_plan_make(const struct spec *spec, struct store *store, const char *extra, enum bake_ask ask,
    struct bake_plan **ret, struct error *err)
{
    BAKE_PLAN_AUTO struct bake_plan *plan = mem_zero(1, sizeof *plan);
    struct base_resolve resolve = {.store = store, .ask = ask};
    size_t bases[SPEC_ROLES];
    for (size_t i = 0; i < SPEC_ROLES; i++) {
        __attribute__((cleanup(spec_base_clear))) struct spec_base base = {0};
        int answer = base_resolve_auto(&resolve, &spec->bases[i], &base, err);
        if (resolve.chosen != NULL)
            plan->chosen = TAKE(resolve.chosen);
        if (resolve.warning != NULL)
            strv_take(&plan->warnings, TAKE(resolve.warning));
        plan->auto_kind = resolve.kind;
        plan->auto_was_arch = resolve.was_arch;
        if (answer < 0 || add_base(plan, &resolve, &base, &bases[i], err) < 0)
            return -1;
    }
    name_bases(plan, bases);
    for (size_t i = 0; i < SPEC_ROLES; i++) {
        struct recipe *recipe = NULL;
        if (recipe_load(spec_role_name((enum spec_role) i), &recipe, err) < 0 ||
            add_layer(plan, recipe, bases[i], store, err) < 0)
            return -1;
    }
    if (extra != NULL && add_extra(plan, extra, bases[SPEC_REDIS], store, err) < 0)
        return -1;
    *ret = TAKE(plan);
    return 0;
}

// The key of a base and of what lies over it, once the base is resolved.
int
bake_plan_resolved(struct bake_plan *plan, size_t base, struct store *store, struct error *err)
{
    struct bake_item *item = &plan->items[base];
    item->source->unresolved = false;
    free(TAKE(item->key));
    if (base_key(item->source, store, &item->key, err) < 0 || look_up_item(item, store, err) < 0)
        return -1;
    for (size_t i = plan->base_count; i < plan->count; i++) {
        struct bake_item *layer = &plan->items[i];
        if (layer->source->base_item != base)
            continue;
        free(layer->source->base_key);
        layer->source->base_key = str_dup(item->key);
        spec_base_clear(&layer->source->base);
        spec_base_copy(&item->source->base, &layer->source->base);
        free(layer->key);
        layer->key = layer_key(layer->source);
        if (look_up_item(layer, store, err) < 0)
            return -1;
    }
    return 0;
}

bool
bake_plan_ready(const struct bake_plan *plan)
{
    if (plan->chosen != NULL)
        return false;
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
    return bake_image_named(plan, spec_role_name(role));
}
