// plan.c - which images a spec needs, by key, and which of them the store has.
// SPDX-License-Identifier: Apache-2.0
#include "bake/bake.h"

#include "bake/recipe.h"
#include "bake/source.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"

#include <stdlib.h>
#include <sys/utsname.h>

#define BASE_FORMAT "airbuild base 1" // change these when the same inputs make another image
#define LAYER_FORMAT "airbuild layer 1"
#define DEFAULT_SUITE "bookworm"
#define DEFAULT_MIRROR "http://deb.debian.org/debian"

static void
source_free(struct bake_source *source)
{
    if (source == NULL)
        return;
    recipe_free(source->recipe);
    free(source->base.file);
    free(source->base.suite);
    free(source->base.mirror);
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
    free(plan);
}

void
bake_plan_freep(struct bake_plan **plan)
{
    bake_plan_free(*plan);
}

// ---- keys ---------------------------------------------------------------------------------------

// Two machine types cannot share a base that was made from packages.
static char *
bootstrap_key(const struct bake_source *source)
{
    char hex[DIGEST_HEX + 1];
    struct utsname host = {0};
    DIGEST_AUTO struct digest *digest = digest_new();
    FREE_AUTO char *recipe = recipe_canonical(source->recipe);
    (void) uname(&host);
    digest_add_field(digest, BASE_FORMAT);
    digest_add_field(digest, host.machine);
    digest_add_field(digest, source->base.suite);
    digest_add_field(digest, source->base.mirror);
    digest_add_field(digest, recipe);
    digest_hex(digest, hex);
    return str_dup(hex);
}

static char *
layer_key(const struct bake_source *source)
{
    char hex[DIGEST_HEX + 1];
    DIGEST_AUTO struct digest *digest = digest_new();
    FREE_AUTO char *recipe = recipe_canonical(source->recipe);
    digest_add_field(digest, LAYER_FORMAT);
    digest_add_field(digest, source->base_key);
    digest_add_field(digest, recipe);
    digest_hex(digest, hex);
    return str_dup(hex);
}

static int
file_key(const struct bake_source *source, struct store *store, char **ret, struct error *err)
{
    char hex[DIGEST_HEX + 1];
    FREE_AUTO char *content = NULL;
    DIGEST_AUTO struct digest *digest = digest_new();
    if (!file_exists(source->base.file))
        return error_set(err, ERR_NOT_FOUND,
            "there is no base image '%s'; check 'base: {file: ...}'", source->base.file);
    if (store_file_digest(store, source->base.file, &content, err) < 0)
        return -1;
    digest_add_field(digest, BASE_FORMAT);
    digest_add_field(digest, content);
    digest_hex(digest, hex);
    *ret = str_dup(hex);
    return 0;
}

// ---- items --------------------------------------------------------------------------------------

static int
look_up(struct bake_item *item, struct store *store, struct error *err)
{
    if (!store_has(store, item->key)) {
        item->state = BAKE_MISSING;
        item->why = str_format("the store has no image '%s' of these inputs", item->name);
        return 0;
    }
    if (store_find(store, item->key, &item->image, err) == 0) {
        item->state = BAKE_READY;
        return 0;
    }
    if (err->code != ERR_DAMAGED)
        return -1;
    item->state = BAKE_DAMAGED;
    item->why = TAKE(err->message);
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
    return look_up(item, store, err);
}

static int
resolve_base(const struct spec_base *spec, struct bake_plan *plan, struct bake_source *source,
    struct error *err)
{
    if (spec->kind == SPEC_BASE_ARCH)
        return error_set(err, ERR_SPEC,
            "'base: arch' cannot be made yet; use 'base: debian', or 'base: {file: ...}' with the "
            "path of a cloud image");
    source->base.kind = spec->kind == SPEC_BASE_FILE ? SPEC_BASE_FILE : SPEC_BASE_DEBIAN;
    plan->base = str_dup(spec->kind == SPEC_BASE_FILE ? "file" : "debian");
    source->base.file = str_dup(spec->file);
    source->base.suite = str_dup(spec->suite == NULL ? DEFAULT_SUITE : spec->suite);
    source->base.mirror = str_dup(spec->mirror == NULL ? DEFAULT_MIRROR : spec->mirror);
    return 0;
}

static int
add_base(struct bake_plan *plan, const struct spec *spec, struct store *store, struct error *err)
{
    struct bake_source *source = mem_zero(1, sizeof *source);
    char *key = NULL;
    if (resolve_base(&spec->base, plan, source, err) < 0)
        goto failed;
    if (source->base.kind == SPEC_BASE_FILE) {
        if (file_key(source, store, &key, err) < 0)
            goto failed;
        return add_item(plan, store, source, str_dup("base-file"), key, err);
    }
    if (recipe_load("base-debian", &source->recipe, err) < 0)
        goto failed;
    key = bootstrap_key(source);
    return add_item(plan, store, source, str_dup(source->recipe->name), key, err);
failed:
    source_free(source);
    return -1;
}

// recipe is taken over.
static int
add_layer(struct bake_plan *plan, struct recipe *recipe, struct store *store, struct error *err)
{
    struct bake_source *source = mem_zero(1, sizeof *source);
    source->recipe = recipe;
    source->base_key = str_dup(plan->items[0].key);
    char *key = layer_key(source);
    return add_item(plan, store, source, str_dup(recipe->name), key, err);
}

static int
add_extra(struct bake_plan *plan, const char *path, struct store *store, struct error *err)
{
    RECIPE_AUTO struct recipe *recipe = NULL;
    if (recipe_load_file(path, &recipe, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->count; i++)
        if (str_equal(plan->items[i].name, recipe->name))
            return error_set(err, ERR_SPEC,
                "the recipe '%s' is named '%s', as one of airbuild's own is; name it otherwise",
                path, recipe->name);
    if (recipe->is_base)
        return error_set(err, ERR_SPEC,
            "the recipe '%s' has a bootstrap; only a recipe that goes over a base can be baked so",
            path);
    return add_layer(plan, TAKE(recipe), store, err);
}

int
bake_plan_make(const struct spec *spec, struct store *store, const char *extra,
    struct bake_plan **ret, struct error *err)
{
    static const char *const roles[] = {"haproxy", "redis"};
    BAKE_PLAN_AUTO struct bake_plan *plan = mem_zero(1, sizeof *plan);
    if (add_base(plan, spec, store, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        struct recipe *recipe = NULL;
        if (recipe_load(roles[i], &recipe, err) < 0 || add_layer(plan, recipe, store, err) < 0)
            return -1;
    }
    if (extra != NULL && add_extra(plan, extra, store, err) < 0)
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
    for (size_t i = 0; i < plan->count; i++)
        if (str_equal(plan->items[i].name, name))
            return plan->items[i].image;
    return NULL;
}

const struct image *
bake_image(const struct bake_plan *plan, enum spec_role role)
{
    return bake_image_named(plan, spec_role_name(role));
}
