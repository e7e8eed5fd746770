// recipe_read.c - the grammar of recipes: reads YAML, included recipes first, and the files they
// name.
// SPDX-License-Identifier: Apache-2.0
#include "bake/recipe.h"

#include "bake/distro.h"
#include "base/asset.h"
#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"
#include "yaml/map.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

enum {
    INCLUDE_DEPTH_MAX = 4,
    FILE_MAX = 1024 * 1024,
    TREE_DEPTH_MAX = 16,
    MODE_DEFAULT = 0644,
    MODE_SCRIPT = 0755,
};

// ---- files --------------------------------------------------------------------------------------

// Reads three or four octal digits without set-id bits, as chmod does; else returns false.
static bool
parse_mode(const char *text, unsigned *ret)
{
    size_t length = strlen(text);
    if (length < 3 || length > 4 || strspn(text, "01234567") != length)
        return false;
    *ret = (unsigned) strtoul(text, NULL, 8);
    return *ret <= 0777;
}

// The caller sets the file's data.
static struct recipe_file *
add_file(struct recipe_step *step, const char *path)
{
    mem_grow(&step->files, &step->file_capacity, step->file_count + 1, sizeof *step->files);
    struct recipe_file *file = &step->files[step->file_count++];
    *file = (struct recipe_file){.path = str_dup(path), .mode = MODE_DEFAULT};
    return file;
}

// Path patterns (fnmatch(3), * meets / too) and the modes that go with them; the last match holds.
struct recipe_modes {
    struct strv patterns, modes; // side by side
};

// Files compiled into the program have no modes: one that names its interpreter is executable.
static void
set_file_mode(struct recipe_file *file, const struct recipe_modes *modes)
{
    if (str_starts(file->data, "#!"))
        file->mode = MODE_SCRIPT;
    for (size_t i = 0; i < modes->patterns.count; i++)
        if (fnmatch(modes->patterns.items[i], file->path, 0) == 0)
            (void) parse_mode(modes->modes.items[i], &file->mode);
}

// Regular files only: a link in the user's folder may lead anywhere.
static int
list_tree(const char *root, const char *below, unsigned depth, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *folder = str_format("%s%s", root, below);
    if (depth > TREE_DEPTH_MAX)
        return error_set(err, ERR_SPEC, "the folder '%s' is nested too deeply", folder);
    if (dir_list(folder, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = str_format("%s/%s", below, names.items[i]);
        FREE_AUTO char *full = str_format("%s%s", root, path);
        struct stat info;
        if (lstat(full, &info) < 0)
            return error_errno(err, errno, "cannot inspect '%s'", full);
        if (S_ISREG(info.st_mode))
            strv_add(ret, path);
        else if (!S_ISDIR(info.st_mode))
            return error_set(err, ERR_SPEC,
                "'%s' is neither a file nor a folder; make a link or device in a command step",
                full);
        else if (list_tree(root, path, depth + 1, ret, err) < 0)
            return -1;
    }
    return 0;
}

// Adds every file of a folder: FOLDER/NAME when that exists, else images/NAME of the program.
static int
add_files(struct recipe_step *step, const char *folder, const char *name,
    const struct recipe_modes *modes, struct error *err)
{
    STRV_AUTO struct strv paths = {0};
    FREE_AUTO char *prefix = str_format("images/%s/", name);
    FREE_AUTO char *root = folder == NULL ? NULL : path_join(folder, name);
    bool is_users = root != NULL && file_exists(root);
    if (is_users && list_tree(root, "", 0, &paths, err) < 0)
        return -1;
    if (!is_users)
        asset_list(prefix, &paths);
    if (!is_users && paths.count == 0)
        return error_set(err, ERR_NOT_FOUND, "there is no folder '%s' with files", name);
    for (size_t i = 0; i < paths.count; i++) {
        const char *path = paths.items[i];
        FREE_AUTO char *full = str_format("%s%s", is_users ? root : "", path);
        struct recipe_file *file = add_file(step, is_users ? path : path + strlen(prefix) - 1);
        if ((is_users ? file_read(full, FILE_MAX, &file->data, &file->length, err)
                      : asset_read(full, &file->data, &file->length, err)) < 0)
            return -1;
        set_file_mode(file, modes);
    }
    return 0;
}

// ---- steps --------------------------------------------------------------------------------------

// The values of one step as YAML has them, before they become a struct recipe_step.
struct raw_step {
    struct recipe_step step; // place and action are not set yet
    char *folder;
    struct recipe_modes modes;
    char *path, *mode, *text; // of `write`
};

static void
raw_free(struct raw_step *raw)
{
    free(raw->folder);
    strv_free(&raw->modes.patterns);
    strv_free(&raw->modes.modes);
    free(raw->path);
    free(raw->mode);
    free(raw->text);
}

static void
read_modes(struct yaml_source *source, const struct yaml_node *name, const struct yaml_node *value,
    void *member)
{
    (void) name;
    struct recipe_modes *modes = member;
    unsigned mode;
    if (value->kind != YAML_MAP) {
        yaml_error(source, value, "'modes' must be a mapping of path patterns to modes");
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *item = value->items[i];
        if (item->kind != YAML_SCALAR || !parse_mode(item->text, &mode)) {
            yaml_error(source, item, "a mode is three or four octal digits, such as \"0755\"");
            continue;
        }
        strv_add(&modes->patterns, value->keys[i]->text);
        strv_add(&modes->modes, item->text);
    }
}

// A row of a table below; AT is the struct of its members.
#define ROW(label, kind, member, text)                                            \
    {                                                                             \
        .name = label, .type = kind, .offset = offsetof(AT, member), .form = text \
    }
#define NEEDED(label, kind, member, text)                                              \
    {                                                                                  \
        .name = label, .type = kind, .required = true, .offset = offsetof(AT, member), \
        .form = text                                                                   \
    }
#define CUSTOM(label, function, member, text)                                                   \
    {                                                                                           \
        .name = label, .type = YAML_CUSTOM, .custom = function, .offset = offsetof(AT, member), \
        .form = text                                                                            \
    }

#define AT struct raw_step
static const struct yaml_key write_keys[] = {
    NEEDED("path", YAML_STRING, path, "an absolute path in the image"),
    ROW("mode", YAML_STRING, mode, "an octal mode such as \"0755\""),
    NEEDED("text", YAML_STRING, text, "the content of the file"),
    {0},
};
#undef AT

#define AT struct recipe_step
static const struct yaml_key service_keys[] = {
    ROW("enable", YAML_STRINGS, enable, "a list of units"),
    ROW("disable", YAML_STRINGS, disable, "a list of units"),
    ROW("mask", YAML_STRINGS, mask, "a list of units"),
    {0},
};
#undef AT

#define AT struct raw_step
static const struct yaml_key step_keys[] = {
    {.name = "family",
        .type = YAML_WORD,
        .words = distro_words,
        .offset = offsetof(AT, step.family)},
    ROW("packages", YAML_STRINGS, step.packages, "a list of packages"),
    ROW("files", YAML_STRING, folder, "a folder whose files go to / of the image"),
    CUSTOM("modes", read_modes, modes, "a mapping of path patterns to modes"),
    {.name = "write", .type = YAML_TABLE, .keys = write_keys},
    {.name = "services", .type = YAML_TABLE, .keys = service_keys, .offset = offsetof(AT, step)},
    ROW("command", YAML_STRING, step.command, "a shell text"),
    {0},
};
#undef AT

static void
fill_write(struct yaml_source *source, const struct yaml_node *at, struct raw_step *raw,
    struct recipe_step *step)
{
    STRV_AUTO struct strv parts = {0};
    const char *path = raw->path;
    step->action = RECIPE_FILES;
    if (path == NULL || raw->text == NULL)
        return; // the table has complained
    strv_split(&parts, path, '/');
    if (path[0] != '/' || path[1] == '\0' || str_ends(path, "/") || strv_has(&parts, ".."))
        yaml_error(source, at, "'path' must be an absolute path without '..'");
    struct recipe_file *file = add_file(step, path);
    file->length = strlen(raw->text);
    file->data = TAKE(raw->text);
    set_file_mode(file, &raw->modes);
    if (raw->mode != NULL && !parse_mode(raw->mode, &file->mode))
        yaml_error(source, at, "'mode' is three or four octal digits, such as \"0755\"");
}

// Names go into shell commands, so they must not contain special characters.
static void
check_step_names(struct yaml_source *source, const struct yaml_node *at, const struct strv *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "@._+:-";
        FREE_AUTO char *quoted = yaml_quote(name);
        if (name[0] == '-' || strspn(name, allowed) != strlen(name))
            yaml_error(source, at, "%s is not a valid name of a package or unit", quoted);
    }
}

static void
fill_step(struct yaml_source *source, const struct yaml_node *node, struct raw_step *raw,
    struct recipe_step *step)
{
    if (yaml_get(node, "packages") != NULL) {
        step->action = RECIPE_PACKAGES;
        check_step_names(source, node, &step->packages);
    } else if (raw->folder != NULL) {
        ERROR_AUTO struct error err = {0};
        step->action = RECIPE_FILES;
        if (add_files(step, source->context, raw->folder, &raw->modes, &err) < 0)
            yaml_error(source, yaml_get(node, "files"), "%s", err.message);
    } else if (yaml_get(node, "write") != NULL) {
        fill_write(source, yaml_get(node, "write"), raw, step);
    } else if (yaml_get(node, "services") != NULL) {
        step->action = RECIPE_SERVICES;
        check_step_names(source, node, &step->enable);
        check_step_names(source, node, &step->disable);
        check_step_names(source, node, &step->mask);
    } else {
        step->action = RECIPE_COMMAND;
    }
}

static void
read_steps(struct yaml_source *source, const struct yaml_node *name, const struct yaml_node *value,
    void *member)
{
    static const char *const names[] = {"packages", "files", "write", "services", "command"};
    struct recipe_steps *steps = member;
    if (value->kind != YAML_LIST) {
        yaml_error(source, value, "'%s' must be a list of steps", name->text);
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *node = value->items[i];
        struct raw_step raw = {0};
        size_t actions = 0;
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            actions += yaml_get(node, names[j]) != NULL;
        if (node->kind == YAML_MAP && actions != 1)
            yaml_error(source, node,
                "a step has exactly one of packages, files, write, services, command");
        yaml_map(source, node, "a step", step_keys, &raw);
        mem_grow(&steps->items, &steps->capacity, steps->count + 1, sizeof *steps->items);
        struct recipe_step *step = &steps->items[steps->count++];
        *step = raw.step;
        step->place = str_format("%s:%u", source->origin, node->line);
        if (source->error_total == 0)
            fill_step(source, node, &raw, step);
        raw_free(&raw);
    }
}

// ---- documents ----------------------------------------------------------------------------------

#define AT struct recipe_bootstrap
static const struct yaml_key bootstrap_keys[] = {
    {.name = "family",
        .type = YAML_WORD,
        .words = distro_words + 1,
        .offset = offsetof(AT, distro)},
    NEEDED("sources", YAML_STRINGS, sources, "a list of package sources"),
    NEEDED("packages", YAML_STRINGS, packages, "a list of packages"),
    ROW("exclude", YAML_STRINGS, exclude, "a list of paths with *"),
    CUSTOM("early", read_steps, early, "a list of steps"),
    {0},
};
#undef AT

// A recipe file. description is for its readers.
struct document {
    struct recipe recipe;
    char *description;
    struct strv include;
};

#define AT struct document
static const struct yaml_key document_keys[] = {
    NEEDED("name", YAML_STRING, recipe.name, "the image's name"),
    ROW("description", YAML_STRING, description, NULL),
    ROW("include", YAML_STRINGS, include, "a list of recipes"),
    ROW("cmdline", YAML_STRING, recipe.cmdline, NULL),
    {.name = "bootstrap",
        .type = YAML_TABLE,
        .keys = bootstrap_keys,
        .offset = offsetof(AT, recipe.bootstrap)},
    CUSTOM("steps", read_steps, recipe.steps, "a list of steps"),
    {0},
};
#undef AT

static void
document_free(struct document *document)
{
    free(document->description);
    strv_free(&document->include);
    recipe_clear(&document->recipe);
}

// Reads a recipe file, "common.yaml". ERR_NOT_FOUND. *ret_origin: for messages.
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
check_bootstrap(struct yaml_source *source, const struct yaml_node *bootstrap,
    const struct recipe_bootstrap *is)
{
    const struct yaml_node *sources = yaml_get(bootstrap, "sources");
    const struct yaml_node *packages = yaml_get(bootstrap, "packages");
    if (sources != NULL && is->sources.count == 0)
        yaml_error(source, sources, "'sources' is empty; name at least one");
    if (packages != NULL && is->packages.count == 0)
        yaml_error(source, packages, "'packages' is empty; name at least one");
    const struct distro *distro = distro_numbered(is->distro);
    for (size_t i = 0; distro->check_source != NULL && i < is->sources.count; i++) {
        const char *complaint = distro->check_source(is->sources.items[i]);
        FREE_AUTO char *quoted = yaml_quote(is->sources.items[i]);
        if (complaint != NULL)
            yaml_error(source, sources, "%s %s", quoted, complaint);
    }
    for (size_t i = 0; i < is->early.count; i++)
        if (is->early.items[i].action != RECIPE_FILES)
            yaml_error(source, yaml_get(bootstrap, "early")->items[i],
                "an early step must be 'files' or 'write': the system is not installed yet");
}

static void
check_document(
    struct yaml_source *source, const struct yaml_node *root, const struct recipe *recipe)
{
    const struct yaml_node *bootstrap = yaml_get(root, "bootstrap");
    if (bootstrap != NULL)
        check_bootstrap(source, bootstrap, &recipe->bootstrap);
    else if (recipe->cmdline != NULL)
        yaml_error(source, yaml_get_key(root, "cmdline"),
            "'cmdline' goes with a 'bootstrap': a layer boots with the arguments of its base; "
            "remove it");
    const char *allowed = "abcdefghijklmnopqrstuvwxyz0123456789-", *name = recipe->name;
    if (name != NULL &&
        (strspn(name, allowed) != strlen(name) || name[0] == '-' || strlen(name) > 40))
        yaml_error(source, yaml_get(root, "name"),
            "'name' must be at most 40 lowercase letters, digits and hyphens");
}

// Appends the steps of a file and before them those of the files that it includes. The outermost
// file, at depth 0, gives the rest of the recipe.
static int
load_steps(
    const char *folder, const char *name, unsigned depth, struct recipe *recipe, struct error *err)
{
    FREE_AUTO char *origin = NULL, *text = NULL;
    CLEANUP(document_free) struct document document = {0};
    // Names are looked up in the folder of the user's recipe first, then among the assets.
    YAML_SOURCE_AUTO struct yaml_source source = {.context = folder};
    if (depth > INCLUDE_DEPTH_MAX)
        return error_set(err, ERR_SPEC,
            "'%s': includes are nested too deeply; does a recipe include itself?", name);
    if (read_recipe(folder, name, &origin, &text, &source.length, err) < 0)
        return -1;
    source.origin = origin;
    source.text = text;
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    if (root != NULL) {
        yaml_map(&source, root, "a recipe", document_keys, &document);
        check_document(&source, root, &document.recipe);
    }
    if (yaml_result(&source, err) < 0)
        return -1;
    for (size_t i = 0; i < document.include.count; i++)
        if (load_steps(folder, document.include.items[i], depth + 1, recipe, err) < 0)
            return -1;
    struct recipe_steps *to = &recipe->steps, *from = &document.recipe.steps;
    mem_grow(&to->items, &to->capacity, to->count + from->count, sizeof *to->items);
    for (size_t i = 0; i < from->count; i++)
        to->items[to->count++] = from->items[i];
    from->count = 0;
    if (depth == 0) {
        struct recipe_steps steps = *to;
        free(from->items);
        *recipe = document.recipe;
        recipe->steps = steps;
        recipe->is_base = recipe->bootstrap.sources.count > 0; // check_bootstrap: never none
        document.recipe = (struct recipe){0};
    }
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
