// bootstrap_run.c - running mmdebstrap: its files laid out, its words understood, its packages
// kept.
// SPDX-License-Identifier: Apache-2.0
#include "bake/bootstrap.h"

#include "bake/apt.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/proc.h"

#include <string.h>

enum { BOOTSTRAP_MS = 30 * 60 * 1000 };

static int
write_file(const char *folder, const char *path, mode_t mode, const void *data, size_t length,
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
            if (write_file(folder, file->path, file->mode, file->data, file->length, err) < 0)
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
            if (write_file(folder, name, file->mode, file->data, file->length, err) < 0)
                return -1;
        }
    return write_file(folder, "/script", 0644, script, strlen(script), err);
}

static int
lay_packages(const struct bootstrap *bootstrap, bool kept, struct error *err)
{
    FREE_AUTO char *folder = path_join(bootstrap->folder, "packages");
    if (dir_make(folder, 0755, err) < 0)
        return -1;
    return kept ? store_lay_packages(bootstrap->store, bootstrap->set, folder, err) : 0;
}

// mmdebstrap's own lines for people begin with "I: "; most of them are about itself.
static void
on_line(void *context, const char *line)
{
    static const char *const told[] = {
        "running apt-get update", "downloading ", "extracting ", "installing ", "creating ", NULL};
    const struct bootstrap *bootstrap = context;
    for (size_t i = 0; str_starts(line, "I: ") && told[i] != NULL; i++)
        if (str_starts(line + 3, told[i]))
            progress_step(bootstrap->progress, bootstrap->recipe->name, "%s", line + 3);
}

static int
failed(const struct bootstrap *bootstrap, const char *text, struct error *err)
{
    FREE_AUTO char *reason = apt_reason(text);
    enum error_code cause = apt_cause(text);
    if (cause == ERR_SPACE)
        return error_set(err, ERR_SPACE,
            "the disk became full while the base was made (in '%s'); free some space and run it "
            "again",
            bootstrap->folder);
    if (cause == ERR_SPEC)
        return error_set(err, ERR_SPEC,
            "the recipe '%s' or one that goes over it asks for a package that the mirror '%s' does "
            "not have; check its name: %s",
            bootstrap->recipe->name, bootstrap->base->mirror, reason);
    if (cause == ERR_NETWORK)
        return error_set(err, ERR_NETWORK,
            "the packages of the base cannot be got from the mirror '%s'; check the network, or "
            "name another one by 'base: {debian: {mirror: URL}}': %s",
            bootstrap->base->mirror, reason);
    return error_set(err, ERR_FAILED, "mmdebstrap failed: %s", reason);
}

static int
run(const struct bootstrap *bootstrap, bool kept, struct error *err)
{
    STRV_AUTO struct strv arguments = {0};
    FREE_AUTO char *temporary = str_format("TMPDIR=%s", bootstrap->folder);
    const char *environment[] = {geteuid() == 0 ? temporary : NULL, NULL};
    PROC_RESULT_AUTO struct proc_result result = {0};
    struct proc_options options = {.env = environment,
        .timeout_ms = BOOTSTRAP_MS,
        .line = on_line,
        .context = (void *) bootstrap};
    bootstrap_arguments(bootstrap, kept, &arguments);
    if (proc_run((const char *const *) arguments.items, &options, &result, err) < 0) {
        if (err->code != ERR_MISSING)
            return error_context(err, "the base cannot be made");
        return error_set(err, ERR_MISSING,
            "the base is made by 'mmdebstrap', which is not installed; run 'apt install "
            "mmdebstrap' (on Arch 'pacman -S mmdebstrap')");
    }
    return result.status == 0 ? 0 : failed(bootstrap, result.errors.data, err);
}

static bool
is_kept(const struct bootstrap *bootstrap)
{
    JV_AUTO struct jv *lock = NULL;
    ERROR_AUTO struct error err = {0};
    return store_package_set(bootstrap->store, bootstrap->set, &lock, &err) == 0;
}

static int
keep(const struct bootstrap *bootstrap, struct error *err)
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

void
bootstrap_result_free(struct bootstrap_result *result)
{
    free(result->tree);
    free(result->tar);
}

int
bootstrap_run(const struct bootstrap *bootstrap, struct bootstrap_result *ret, struct error *err)
{
    bool kept = is_kept(bootstrap) && (bootstrap->offline || !bootstrap->refresh);
    if (!kept && bootstrap->offline)
        return error_set(err, ERR_NETWORK,
            "the packages of the base are not kept in the store; run 'airbuild images' without "
            "--offline");
    if (lay_early(bootstrap, err) < 0 || lay_steps(bootstrap, err) < 0 ||
        lay_packages(bootstrap, kept, err) < 0 || run(bootstrap, kept, err) < 0)
        return -1;
    if (!kept && keep(bootstrap, err) < 0)
        return -1;
    if (bootstrap->tree)
        ret->tree = path_join(bootstrap->folder, "root");
    else
        ret->tar = path_join(bootstrap->folder, "root.tar");
    return 0;
}
