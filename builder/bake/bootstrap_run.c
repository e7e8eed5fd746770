// bootstrap_run.c - a tree from packages: files laid out, the distribution's tool run, its packages
// kept.
// SPDX-License-Identifier: Apache-2.0
#include "bake/bootstrap.h"

#include "bake/bootstrap_inside.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <string.h>

static int
write_tree_file(const char *folder, const char *path, mode_t mode, const void *data, size_t length,
    struct error *err)
{
    FREE_AUTO char *full = str_format("%s%s", folder, path);
    FREE_AUTO char *parent = path_folder(full);
    if (dir_make(parent, 0755, err) < 0)
        return -1;
    return file_write(full, mode, data, length, err);
}

static int
lay_early(const struct bootstrap *bootstrap, struct error *err)
{
    const struct recipe_steps *early = &bootstrap->recipe->bootstrap.early;
    FREE_AUTO char *folder = path_join(bootstrap->folder, "early");
    if (dir_make(folder, 0755, err) < 0)
        return -1;
    for (size_t i = 0; i < early->count; i++)
        for (size_t j = 0; j < early->items[i].file_count; j++) {
            const struct recipe_file *file = &early->items[i].files[j];
            if (write_tree_file(folder, file->path, file->mode, file->data, file->length, err) < 0)
                return -1;
        }
    return 0;
}

static int
lay_steps(const struct bootstrap *bootstrap, struct error *err)
{
    const struct recipe_steps *steps = &bootstrap->recipe->steps;
    FREE_AUTO char *folder = path_join(bootstrap->folder, "steps");
    FREE_AUTO char *script = bootstrap_script(bootstrap->recipe);
    for (size_t i = 0; i < steps->count; i++)
        for (size_t j = 0; j < steps->items[i].file_count; j++) {
            const struct recipe_file *file = &steps->items[i].files[j];
            FREE_AUTO char *name = str_format("/%zu-%zu", i, j);
            if (write_tree_file(folder, name, file->mode, file->data, file->length, err) < 0)
                return -1;
        }
    return write_tree_file(folder, "/script", 0644, script, strlen(script), err);
}

static int
lay_packages(const struct bootstrap *bootstrap, bool kept, struct error *err)
{
    FREE_AUTO char *folder = path_join(bootstrap->folder, "packages");
    if (dir_make(folder, 0755, err) < 0)
        return -1;
    return kept ? store_lay_packages(bootstrap->store, bootstrap->set, folder, err) : 0;
}

static bool
has_kept_packages(const struct bootstrap *bootstrap)
{
    JV_AUTO struct jv *lock = NULL;
    ERROR_AUTO struct error err = {0};
    return store_package_set(bootstrap->store, bootstrap->set, &lock, &err) == 0;
}

static int
keep_packages(const struct bootstrap *bootstrap, struct error *err)
{
    FREE_AUTO char *packages = path_join(bootstrap->folder, "packages");
    if (store_keep_packages(bootstrap->store, bootstrap->set, packages, err) < 0)
        return -1;
    for (size_t i = 0; i < bootstrap->prefetch_count; i++) {
        FREE_AUTO char *folder = str_format("%s/prefetch-%zu", bootstrap->folder, i);
        if (store_keep_packages(bootstrap->store, bootstrap->prefetch[i].set, folder, err) < 0)
            return -1;
    }
    return 0;
}

// The reason is what the step itself said last, just before.
int
bootstrap_step_failed(const struct recipe *recipe, const char *text, struct error *err)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, text == NULL ? "" : text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        if (!str_starts(lines.items[i], BOOTSTRAP_FAILED))
            continue;
        return error_set(err, ERR_SPEC, "%s: a step of the recipe '%s' failed: %s",
            lines.items[i] + strlen(BOOTSTRAP_FAILED), recipe->name,
            i == 0 ? "it gave no reason" : lines.items[i - 1]);
    }
    return 0;
}

static int
run_bootstrap(const struct bootstrap *bootstrap, bool kept, struct error *err)
{
    return bootstrap->recipe->bootstrap.family == RECIPE_ARCH
               ? bootstrap_arch(bootstrap, kept, err)
               : bootstrap_debian(bootstrap, kept, err);
}

void
bootstrap_result_free(struct bootstrap_result *result)
{
    free(result->tree);
    free(result->tar);
}

int
bootstrap_run(const struct bootstrap *bootstrap, struct bootstrap_result *ret, struct error *err)
{
    bool kept = has_kept_packages(bootstrap) && (bootstrap->offline || !bootstrap->refresh);
    if (!kept && bootstrap->offline)
        return error_set(err, ERR_NETWORK,
            "the packages of the base are not kept in the store; run 'airbuild images' without "
            "--offline");
    if (lay_early(bootstrap, err) < 0 || lay_steps(bootstrap, err) < 0 ||
        lay_packages(bootstrap, kept, err) < 0 || run_bootstrap(bootstrap, kept, err) < 0)
        return -1;
    if (!kept && keep_packages(bootstrap, err) < 0)
        return -1;
    if (bootstrap->tree)
        ret->tree = path_join(bootstrap->folder, "root");
    else
        ret->tar = path_join(bootstrap->folder, "root.tar");
    return 0;
}
