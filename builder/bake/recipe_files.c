// recipe_files.c - files that a recipe installs: found beside it or in what the program carries.
// SPDX-License-Identifier: Apache-2.0
#include "bake/recipe_files.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 1024 * 1024, TREE_DEPTH_MAX = 16, MODE_DEFAULT = 0644, MODE_SCRIPT = 0755 };

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

// Files compiled into the program have no modes: a file that names its interpreter is one to be
// run.
void
recipe_file_set_mode(struct recipe_file *file, const struct recipe_modes *modes)
{
    if (str_starts(file->data, "#!"))
        file->mode = MODE_SCRIPT;
    for (size_t i = 0; i < modes->patterns.count; i++)
        if (fnmatch(modes->patterns.items[i], file->path, 0) == 0)
            (void) recipe_mode_parse(modes->modes.items[i], &file->mode);
}

// Regular files only: a link of the user's folder may lead anywhere.
static int
list_tree(const char *root, const char *below, unsigned depth, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *folder = str_format("%s%s", root, below);
    if (depth > TREE_DEPTH_MAX)
        return error_set(err, ERR_SPEC, "the folder '%s' is too deep", folder);
    if (dir_list(folder, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = str_format("%s/%s", below, names.items[i]);
        FREE_AUTO char *full = str_format("%s%s", root, path);
        struct stat info;
        if (lstat(full, &info) < 0)
            return error_errno(err, errno, "cannot look at '%s'", full);
        if (S_ISREG(info.st_mode))
            strv_add(ret, path);
        else if (!S_ISDIR(info.st_mode))
            return error_set(err, ERR_SPEC,
                "'%s' is neither a file nor a folder; make the link or device by a command step",
                full);
        else if (list_tree(root, path, depth + 1, ret, err) < 0)
            return -1;
    }
    return 0;
}

static int
add_user_tree(
    struct recipe_step *step, const char *root, const struct recipe_modes *modes, struct error *err)
{
    STRV_AUTO struct strv paths = {0};
    if (list_tree(root, "", 0, &paths, err) < 0)
        return -1;
    for (size_t i = 0; i < paths.count; i++) {
        FREE_AUTO char *full = str_format("%s%s", root, paths.items[i]);
        struct recipe_file *file = recipe_file_add(step, paths.items[i]);
        if (file_read(full, FILE_MAX, &file->data, &file->length, err) < 0)
            return -1;
        recipe_file_set_mode(file, modes);
    }
    return 0;
}

static int
add_carried_tree(
    struct recipe_step *step, const char *name, const struct recipe_modes *modes, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *prefix = str_format("images/%s/", name);
    asset_list(prefix, &names);
    for (size_t i = 0; i < names.count; i++) {
        struct recipe_file *file = recipe_file_add(step, names.items[i] + strlen(prefix) - 1);
        if (asset_read(names.items[i], &file->data, &file->length, err) < 0)
            return -1;
        recipe_file_set_mode(file, modes);
    }
    if (names.count == 0)
        return error_set(err, ERR_NOT_FOUND, "there is no folder '%s' with files", name);
    return 0;
}

int
recipe_files_add(struct recipe_step *step, const char *folder, const char *name,
    const struct recipe_modes *modes, struct error *err)
{
    if (folder != NULL) {
        FREE_AUTO char *root = path_join(folder, name);
        if (file_exists(root))
            return add_user_tree(step, root, modes, err);
    }
    return add_carried_tree(step, name, modes, err);
}
