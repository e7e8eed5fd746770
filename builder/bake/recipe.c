// recipe.c - recipes as values: files with content and mode, the fixed form that keys depend on.
// SPDX-License-Identifier: Apache-2.0
#include "bake/recipe.h"

#include "bake/distro.h"
#include "base/asset.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 1024 * 1024, TREE_DEPTH_MAX = 16, MODE_DEFAULT = 0644, MODE_SCRIPT = 0755 };

static void
steps_free(struct recipe_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        struct recipe_step *step = &steps->items[i];
        free(step->place);
        free(step->family);
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

// ---- files --------------------------------------------------------------------------------------

bool
recipe_mode_parse(const char *text, unsigned *ret)
{
    size_t length = strlen(text);
    if (length < 3 || length > 4 || strspn(text, "01234567") != length)
        return false;
    *ret = (unsigned) strtoul(text, NULL, 8);
    return *ret <= 0777;
}

bool
recipe_is_path(const char *path)
{
    STRV_AUTO struct strv parts = {0};
    strv_split(&parts, path, '/');
    return path[0] == '/' && path[1] != '\0' && !str_ends(path, "/") && !strv_has(&parts, "..");
}

struct recipe_file *
recipe_file_add(struct recipe_step *step, const char *path)
{
    mem_grow(&step->files, &step->file_capacity, step->file_count + 1, sizeof *step->files);
    struct recipe_file *file = &step->files[step->file_count++];
    *file = (struct recipe_file){.path = str_dup(path), .mode = MODE_DEFAULT};
    return file;
}

// Files compiled into the program have no modes: one that names its interpreter is executable.
void
recipe_file_set_mode(struct recipe_file *file, const struct recipe_modes *modes)
{
    if (str_starts(file->data, "#!"))
        file->mode = MODE_SCRIPT;
    for (size_t i = 0; i < modes->patterns.count; i++)
        if (fnmatch(modes->patterns.items[i], file->path, 0) == 0)
            (void) recipe_mode_parse(modes->modes.items[i], &file->mode);
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

int
recipe_files_add(struct recipe_step *step, const char *folder, const char *name,
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
        struct recipe_file *file =
            recipe_file_add(step, is_users ? path : path + strlen(prefix) - 1);
        if ((is_users ? file_read(full, FILE_MAX, &file->data, &file->length, err)
                      : asset_read(full, &file->data, &file->length, err)) < 0)
            return -1;
        recipe_file_set_mode(file, modes);
    }
    return 0;
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
