// recipe.c - a recipe: its head, its bootstrap, the recipes it includes; its fixed form.
// SPDX-License-Identifier: Apache-2.0
#include "bake/recipe.h"

#include "bake/distro.h"
#include "bake/recipe_step.h"
#include "base/asset.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"

#include <string.h>

enum { INCLUDE_DEPTH_MAX = 4 };

static const struct yaml_key bootstrap_keys[] = {
    {.name = "family",
        .type = YAML_WORD,
        .words = distro_words + 1,
        .offset = offsetof(struct recipe_bootstrap, distro)},
    {.name = "sources",
        .type = YAML_STRINGS,
        .required = true,
        .offset = offsetof(struct recipe_bootstrap, sources),
        .form = "a list of apt lines, or of pacman's repositories"},
    {.name = "packages",
        .type = YAML_STRINGS,
        .required = true,
        .offset = offsetof(struct recipe_bootstrap, packages),
        .form = "a list of packages"},
    {.name = "exclude",
        .type = YAML_STRINGS,
        .offset = offsetof(struct recipe_bootstrap, exclude),
        .form = "a list of paths with *"},
    {.name = "early",
        .type = YAML_CUSTOM,
        .custom = recipe_read_steps,
        .offset = offsetof(struct recipe_bootstrap, early),
        .form = "a list of steps"},
    {0},
};

// The keys of a recipe file.
struct document {
    char *name, *description, *cmdline;
    struct strv include;
    struct recipe_bootstrap bootstrap;
    struct recipe_steps steps;
};

static const struct yaml_key document_keys[] = {
    {.name = "name",
        .type = YAML_STRING,
        .required = true,
        .offset = offsetof(struct document, name),
        .form = "the image's name"},
    {.name = "description", .type = YAML_STRING, .offset = offsetof(struct document, description)},
    {.name = "include",
        .type = YAML_STRINGS,
        .offset = offsetof(struct document, include),
        .form = "a list of recipes"},
    {.name = "cmdline", .type = YAML_STRING, .offset = offsetof(struct document, cmdline)},
    {.name = "bootstrap",
        .type = YAML_TABLE,
        .keys = bootstrap_keys,
        .offset = offsetof(struct document, bootstrap)},
    {.name = "steps",
        .type = YAML_CUSTOM,
        .custom = recipe_read_steps,
        .offset = offsetof(struct document, steps),
        .form = "a list of steps"},
    {0},
};

static void
bootstrap_free(struct recipe_bootstrap *bootstrap)
{
    strv_free(&bootstrap->sources);
    strv_free(&bootstrap->packages);
    strv_free(&bootstrap->exclude);
    recipe_steps_free(&bootstrap->early);
}

static void
document_free(struct document *document)
{
    free(document->name);
    free(document->description);
    free(document->cmdline);
    strv_free(&document->include);
    bootstrap_free(&document->bootstrap);
    recipe_steps_free(&document->steps);
}

void
recipe_free(struct recipe *recipe)
{
    if (recipe == NULL)
        return;
    free(recipe->name);
    free(recipe->description);
    free(recipe->cmdline);
    bootstrap_free(&recipe->bootstrap);
    recipe_steps_free(&recipe->steps);
    free(recipe);
}

void
recipe_freep(struct recipe **recipe)
{
    recipe_free(*recipe);
}

// ---- reading ------------------------------------------------------------------------------------

// A text that a recipe names, "common.yaml". ERR_NOT_FOUND. *ret_origin: for messages.
static int
read_recipe(const char *folder, const char *name, char **ret_origin, char **ret_text,
    size_t *ret_length, struct error *err)
{
    if (folder != NULL) {
        FREE_AUTO char *path = path_join(folder, name);
        if (file_exists(path)) {
            *ret_origin = TAKE(path);
            return file_read(*ret_origin, YAML_TEXT_MAX, ret_text, ret_length, err);
        }
    }
    *ret_origin = str_format("images/%s", name);
    return asset_read(*ret_origin, ret_text, ret_length, err);
}

static void
check_sources(struct yaml_source *source, const struct yaml_node *at, const struct distro *distro,
    const struct strv *sources)
{
    for (size_t i = 0; distro->check_source != NULL && i < sources->count; i++) {
        const char *complaint = distro->check_source(sources->items[i]);
        FREE_AUTO char *quoted = yaml_quote(sources->items[i]);
        if (complaint != NULL)
            yaml_complain(source, at, "%s %s", quoted, complaint);
    }
}

static void
check_bootstrap(struct yaml_source *source, const struct yaml_node *bootstrap,
    const struct recipe_bootstrap *is)
{
    const struct yaml_node *sources = yaml_get(bootstrap, "sources");
    const struct yaml_node *packages = yaml_get(bootstrap, "packages");
    if (sources != NULL && is->sources.count == 0)
        yaml_complain(
            source, sources, "'sources' is empty, so that no base can be made; name at least one");
    if (packages != NULL && is->packages.count == 0)
        yaml_complain(source, packages,
            "'packages' is empty, so that no base can be made; name at least one");
    check_sources(source, sources, distro_numbered(is->distro), &is->sources);
    for (size_t i = 0; i < is->early.count; i++)
        if (is->early.items[i].action != RECIPE_FILES)
            yaml_complain(source, yaml_get(bootstrap, "early")->items[i],
                "an early step is 'files' or 'write': nothing of the system is there yet");
}

static void
check_document(
    struct yaml_source *source, const struct yaml_node *root, const struct document *document)
{
    const struct yaml_node *bootstrap = yaml_get(root, "bootstrap");
    if (bootstrap != NULL)
        check_bootstrap(source, bootstrap, &document->bootstrap);
    else if (document->cmdline != NULL)
        yaml_complain(source, yaml_get_key(root, "cmdline"),
            "'cmdline' goes with a 'bootstrap': a layer boots with the arguments of its base; take "
            "it out");
    const char *allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
    if (document->name != NULL && (strspn(document->name, allowed) != strlen(document->name) ||
                                      document->name[0] == '-' || strlen(document->name) > 40))
        yaml_complain(source, yaml_get(root, "name"),
            "'name' must be at most 40 small letters, digits and hyphens");
}

static int
parse_document(const char *folder, const char *origin, const char *text, size_t length,
    struct document *document, struct error *err)
{
    struct recipe_place place = {
        .source = {.origin = origin, .text = text, .length = length}, .folder = folder};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&place.source);
    if (root != NULL) {
        yaml_map(&place.source, root, "a recipe", document_keys, document);
        check_document(&place.source, root, document);
    }
    int answer = yaml_verdict(&place.source, err);
    yaml_source_clear(&place.source);
    return answer;
}

// The steps of from go behind those of to.
static void
move_steps(struct recipe_steps *to, struct recipe_steps *from)
{
    if (from->count == 0)
        return;
    mem_grow(&to->items, &to->capacity, to->count + from->count, sizeof *to->items);
    memcpy(to->items + to->count, from->items, from->count * sizeof *from->items);
    to->count += from->count;
    from->count = 0;
}

static int load_steps(
    const char *folder, const char *name, unsigned depth, struct recipe *recipe, struct error *err);

static int
load_includes(const char *folder, const struct document *document, unsigned depth,
    struct recipe *recipe, struct error *err)
{
    for (size_t i = 0; i < document->include.count; i++)
        if (load_steps(folder, document->include.items[i], depth + 1, recipe, err) < 0)
            return -1;
    return 0;
}

static void
take_head(struct recipe *recipe, struct document *document)
{
    recipe->name = TAKE(document->name);
    recipe->description = TAKE(document->description);
    recipe->cmdline = TAKE(document->cmdline);
    recipe->is_base = document->bootstrap.sources.count > 0; // check_bootstrap: never none
    recipe->bootstrap = document->bootstrap;
    document->bootstrap = (struct recipe_bootstrap){0};
}

static int
load_steps(
    const char *folder, const char *name, unsigned depth, struct recipe *recipe, struct error *err)
{
    FREE_AUTO char *origin = NULL;
    FREE_AUTO char *text = NULL;
    size_t length = 0;
    __attribute__((cleanup(document_free))) struct document document = {0};
    if (depth > INCLUDE_DEPTH_MAX)
        return error_set(err, ERR_SPEC,
            "'%s': includes are nested too deeply; does a recipe include itself?", name);
    if (read_recipe(folder, name, &origin, &text, &length, err) < 0 ||
        parse_document(folder, origin, text, length, &document, err) < 0 ||
        load_includes(folder, &document, depth, recipe, err) < 0)
        return -1;
    move_steps(&recipe->steps, &document.steps);
    if (depth == 0)
        take_head(recipe, &document);
    return 0;
}

static int
load_recipe(const char *folder, const char *name, struct recipe **ret, struct error *err)
{
    RECIPE_AUTO struct recipe *recipe = mem_zero(1, sizeof *recipe);
    if (load_steps(folder, name, 0, recipe, err) < 0)
        return -1;
    *ret = TAKE(recipe);
    return 0;
}

int
recipe_load(const char *name, struct recipe **ret, struct error *err)
{
    FREE_AUTO char *file = str_format("%s.yaml", name);
    return load_recipe(NULL, file, ret, err);
}

int
recipe_load_file(const char *path, struct recipe **ret, struct error *err)
{
    FREE_AUTO char *folder = path_folder(path);
    const char *slash = strrchr(path, '/');
    if (!file_exists(path))
        return error_set(err, ERR_NOT_FOUND, "there is no recipe '%s'; check its path", path);
    return load_recipe(folder, slash == NULL ? path : slash + 1, ret, err);
}

// ---- fixed form ---------------------------------------------------------------------------------

static void
put_list(struct buf *out, const char *name, const struct strv *list)
{
    for (size_t i = 0; i < list->count; i++)
        buf_printf(out, "  %s %s\n", name, list->items[i]);
}

static void
put_step(struct buf *out, const struct recipe_step *step)
{
    static const char *const names[] = {"packages", "files", "services", "command"};
    buf_printf(out, "%s%s%s\n", names[step->action], step->family == NULL ? "" : " only on ",
        step->family == NULL ? "" : step->family);
    put_list(out, "package", &step->packages);
    for (size_t i = 0; i < step->file_count; i++) {
        const struct recipe_file *file = &step->files[i];
        char hex[DIGEST_HEX + 1];
        digest_bytes(file->data, file->length, hex);
        buf_printf(out, "  file %04o %s %s\n", file->mode, hex, file->path);
    }
    put_list(out, "enable", &step->enable);
    put_list(out, "disable", &step->disable);
    put_list(out, "mask", &step->mask);
    if (step->command != NULL)
        buf_printf(out, "  %zu bytes\n%s\n", strlen(step->command), step->command);
}

char *
recipe_canonical(const struct recipe *recipe)
{
    BUF_AUTO struct buf out = {0};
    buf_printf(&out, "recipe %s\n", recipe->name);
    if (recipe->cmdline != NULL)
        buf_printf(&out, "cmdline %s\n", recipe->cmdline);
    if (recipe->is_base) {
        bool first = recipe->bootstrap.distro == 0; // unnamed, as keys of old images have it
        buf_printf(
            &out, "bootstrap%s%s\n", first ? "" : " of ", first ? "" : recipe_distro(recipe)->name);
        put_list(&out, "source", &recipe->bootstrap.sources);
        put_list(&out, "package", &recipe->bootstrap.packages);
        put_list(&out, "exclude", &recipe->bootstrap.exclude);
        for (size_t i = 0; i < recipe->bootstrap.early.count; i++)
            put_step(&out, &recipe->bootstrap.early.items[i]);
        buf_add(&out, "steps\n");
    }
    for (size_t i = 0; i < recipe->steps.count; i++)
        put_step(&out, &recipe->steps.items[i]);
    return buf_take(&out);
}

const struct distro *
recipe_distro(const struct recipe *recipe)
{
    return distro_numbered(recipe->bootstrap.distro);
}

bool
recipe_step_applies(const struct recipe_step *step, const struct distro *distro)
{
    return step->family == NULL || str_equal(step->family, distro->name);
}

void
recipe_packages(const struct recipe *recipe, const struct distro *distro, struct strv *ret)
{
    for (size_t i = 0; i < recipe->steps.count; i++) {
        const struct recipe_step *step = &recipe->steps.items[i];
        if (!recipe_step_applies(step, distro))
            continue;
        for (size_t j = 0; j < step->packages.count; j++)
            strv_add(ret, step->packages.items[j]);
    }
}
