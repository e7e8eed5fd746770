// recipe_step.c - one step of a recipe: which action it is, and its values.
// SPDX-License-Identifier: Apache-2.0
#include "bake/recipe_step.h"

#include "bake/distro.h"
#include "bake/recipe_files.h"
#include "base/cleanup.h"

#include <string.h>

// The values of one step as they are written, before they become a struct recipe_step.
struct raw_write {
    char *path, *mode, *text;
};
struct raw_services {
    struct strv enable, disable, mask;
};
struct raw_step {
    unsigned family; // index of distro_words
    struct strv packages;
    char *folder;
    struct recipe_modes modes;
    struct raw_write write;
    struct raw_services services;
    char *command;
};

static void
raw_free(struct raw_step *raw)
{
    strv_free(&raw->packages);
    free(raw->folder);
    strv_free(&raw->modes.patterns);
    strv_free(&raw->modes.modes);
    free(raw->write.path);
    free(raw->write.mode);
    free(raw->write.text);
    strv_free(&raw->services.enable);
    strv_free(&raw->services.disable);
    strv_free(&raw->services.mask);
    free(raw->command);
}

static void
read_modes(struct yaml_source *source, const struct yaml_node *name, const struct yaml_node *value,
    void *member)
{
    (void) name;
    struct recipe_modes *modes = member;
    unsigned mode;
    if (value->kind != YAML_MAP) {
        yaml_complain(source, value, "'modes' must be a mapping of path patterns to modes");
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *item = value->items[i];
        if (item->kind != YAML_SCALAR || !recipe_mode_parse(item->text, &mode)) {
            yaml_complain(source, item, "a mode is three or four octal digits, such as \"0755\"");
            continue;
        }
        strv_add(&modes->patterns, value->keys[i]->text);
        strv_add(&modes->modes, item->text);
    }
}

static const struct yaml_key write_keys[] = {
    {.name = "path",
        .type = YAML_STRING,
        .required = true,
        .offset = offsetof(struct raw_write, path),
        .form = "an absolute path in the image"},
    {.name = "mode",
        .type = YAML_STRING,
        .offset = offsetof(struct raw_write, mode),
        .form = "an octal mode such as \"0755\""},
    {.name = "text",
        .type = YAML_STRING,
        .required = true,
        .offset = offsetof(struct raw_write, text),
        .form = "the content of the file"},
    {0},
};

static const struct yaml_key service_keys[] = {
    {.name = "enable",
        .type = YAML_STRINGS,
        .offset = offsetof(struct raw_services, enable),
        .form = "a list of units"},
    {.name = "disable",
        .type = YAML_STRINGS,
        .offset = offsetof(struct raw_services, disable),
        .form = "a list of units"},
    {.name = "mask",
        .type = YAML_STRINGS,
        .offset = offsetof(struct raw_services, mask),
        .form = "a list of units"},
    {0},
};

static const struct yaml_key step_keys[] = {
    {.name = "family",
        .type = YAML_WORD,
        .words = distro_words,
        .offset = offsetof(struct raw_step, family)},
    {.name = "packages",
        .type = YAML_STRINGS,
        .offset = offsetof(struct raw_step, packages),
        .form = "a list of packages"},
    {.name = "files",
        .type = YAML_STRING,
        .offset = offsetof(struct raw_step, folder),
        .form = "a folder whose files go to / of the image"},
    {.name = "modes",
        .type = YAML_CUSTOM,
        .custom = read_modes,
        .offset = offsetof(struct raw_step, modes),
        .form = "a mapping of path patterns to modes"},
    {.name = "write",
        .type = YAML_TABLE,
        .keys = write_keys,
        .offset = offsetof(struct raw_step, write)},
    {.name = "services",
        .type = YAML_TABLE,
        .keys = service_keys,
        .offset = offsetof(struct raw_step, services)},
    {.name = "command",
        .type = YAML_STRING,
        .offset = offsetof(struct raw_step, command),
        .form = "a shell text"},
    {0},
};

// ---- steps --------------------------------------------------------------------------------------

static void
fill_files(struct recipe_place *place, const struct yaml_node *at, struct raw_step *raw,
    struct recipe_step *step)
{
    ERROR_AUTO struct error err = {0};
    step->action = RECIPE_FILES;
    if (recipe_files_add(step, place->folder, raw->folder, &raw->modes, &err) < 0)
        yaml_complain(&place->source, at, "%s", err.message);
}

static void
fill_write(struct recipe_place *place, const struct yaml_node *at, struct raw_step *raw,
    struct recipe_step *step)
{
    step->action = RECIPE_FILES;
    if (raw->write.path == NULL || raw->write.text == NULL)
        return; // the table has complained
    if (!recipe_is_path(raw->write.path))
        yaml_complain(&place->source, at, "'path' must be an absolute path without '..'");
    struct recipe_file *file = recipe_file_add(step, raw->write.path);
    file->length = strlen(raw->write.text);
    file->data = TAKE(raw->write.text);
    recipe_file_set_mode(file, &raw->modes);
    if (raw->write.mode != NULL && !recipe_mode_parse(raw->write.mode, &file->mode))
        yaml_complain(&place->source, at, "'mode' is three or four octal digits, such as \"0755\"");
}

static void
fill_services(struct raw_step *raw, struct recipe_step *step)
{
    step->action = RECIPE_SERVICES;
    step->enable = raw->services.enable;
    step->disable = raw->services.disable;
    step->mask = raw->services.mask;
    raw->services = (struct raw_services){0};
}

// Names go into commands of the image's shell: nothing in them may mean anything to it.
static void
check_step_names(struct yaml_source *source, const struct yaml_node *at, const struct strv *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "@._+:-";
        FREE_AUTO char *quoted = yaml_quote(name);
        if (name[0] == '-' || strspn(name, allowed) != strlen(name))
            yaml_complain(source, at, "%s is not a valid name of a package or unit", quoted);
    }
}

static void
fill_step(struct recipe_place *place, const struct yaml_node *node, struct raw_step *raw,
    struct recipe_step *step)
{
    step->family = str_dup(raw->family == 0 ? NULL : distro_words[raw->family]);
    if (yaml_get(node, "packages") != NULL) {
        step->action = RECIPE_PACKAGES;
        step->packages = raw->packages;
        raw->packages = (struct strv){0};
        check_step_names(&place->source, node, &step->packages);
    } else if (raw->folder != NULL) {
        fill_files(place, yaml_get(node, "files"), raw, step);
    } else if (yaml_get(node, "write") != NULL) {
        fill_write(place, yaml_get(node, "write"), raw, step);
    } else if (yaml_get(node, "services") != NULL) {
        fill_services(raw, step);
        check_step_names(&place->source, node, &step->enable);
        check_step_names(&place->source, node, &step->disable);
        check_step_names(&place->source, node, &step->mask);
    } else {
        step->action = RECIPE_COMMAND;
        step->command = TAKE(raw->command);
    }
}

static size_t
count_actions(const struct yaml_node *node)
{
    static const char *const actions[] = {"packages", "files", "write", "services", "command"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        count += yaml_get(node, actions[i]) != NULL;
    return count;
}

void
recipe_read_steps(struct yaml_source *source, const struct yaml_node *name,
    const struct yaml_node *value, void *member)
{
    struct recipe_place *place = (struct recipe_place *) source;
    struct recipe_steps *steps = member;
    if (value->kind != YAML_LIST) {
        yaml_complain(source, value, "'%s' must be a list of steps", name->text);
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *node = value->items[i];
        struct raw_step raw = {0};
        if (node->kind == YAML_MAP && count_actions(node) != 1)
            yaml_complain(source, node,
                "a step has exactly one of packages, files, write, services, command");
        yaml_map(source, node, "a step", step_keys, &raw);
        mem_grow(&steps->items, &steps->capacity, steps->count + 1, sizeof *steps->items);
        struct recipe_step *step = &steps->items[steps->count++];
        *step = (struct recipe_step){.place = str_format("%s:%u", source->origin, node->line)};
        if (source->complaint_total == 0)
            fill_step(place, node, &raw, step);
        raw_free(&raw);
    }
}

static void
step_free(struct recipe_step *step)
{
    free(step->place);
    free(step->family);
    strv_free(&step->packages);
    for (size_t i = 0; i < step->file_count; i++) {
        free(step->files[i].path);
        free(step->files[i].data);
    }
    free(step->files);
    strv_free(&step->enable);
    strv_free(&step->disable);
    strv_free(&step->mask);
    free(step->command);
}

void
recipe_steps_free(struct recipe_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        step_free(&steps->items[i]);
    free(steps->items);
    *steps = (struct recipe_steps){0};
}

static void
add_units(struct buf *out, const char *verb, const struct strv *units)
{
    FREE_AUTO char *names = strv_join(units, " ");
    if (units->count > 0)
        buf_printf(out, "systemctl -q %s %s\n", verb, names);
}

void
recipe_add_services(struct buf *out, const struct recipe_step *step)
{
    add_units(out, "disable", &step->disable);
    add_units(out, "mask", &step->mask);
    add_units(out, "enable", &step->enable);
}
