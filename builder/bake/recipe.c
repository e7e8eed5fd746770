// recipe.c - recipes as values: the fixed form that keys depend on, what the makers ask.
// SPDX-License-Identifier: Apache-2.0
#include "bake/recipe.h"

#include "bake/distro.h"
#include "base/crypto.h"

#include <string.h>

static void
steps_free(struct recipe_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        struct recipe_step *step = &steps->items[i];
        free(step->place);
        strv_free(&step->packages);
        for (size_t j = 0; j < step->file_count; j++) {
            free(step->files[j].path);
            free(step->files[j].data);
        }
        free(step->files);
        strv_free(&step->enable);
        strv_free(&step->disable);
        strv_free(&step->mask);
        free(step->command);
    }
    free(steps->items);
    *steps = (struct recipe_steps){0};
}

void
recipe_clear(struct recipe *recipe)
{
    free(recipe->name);
    free(recipe->cmdline);
    strv_free(&recipe->bootstrap.sources);
    strv_free(&recipe->bootstrap.packages);
    strv_free(&recipe->bootstrap.exclude);
    steps_free(&recipe->bootstrap.early);
    steps_free(&recipe->steps);
    *recipe = (struct recipe){0};
}

void
recipe_free(struct recipe *recipe)
{
    if (recipe != NULL)
        recipe_clear(recipe);
    free(recipe);
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
    buf_printf(out, "%s%s%s\n", names[step->action], step->family == 0 ? "" : " only on ",
        step->family == 0 ? "" : distro_words[step->family]);
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
        bool first = recipe->bootstrap.distro == 0; // unnamed, as in the keys of old images
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

// ---- for the makers -----------------------------------------------------------------------------

const struct distro *
recipe_distro(const struct recipe *recipe)
{
    return distro_numbered(recipe->bootstrap.distro);
}

bool
recipe_step_applies(const struct recipe_step *step, const struct distro *distro)
{
    return step->family == 0 || str_equal(distro_words[step->family], distro->name);
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
