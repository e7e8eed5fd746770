// bootstrap.c - what mmdebstrap is told, and the steps of either family as a script; pure.
// SPDX-License-Identifier: Apache-2.0
#include "bake/bootstrap.h"

#include "bake/bootstrap_inside.h"
#include "bake/recipe_step.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"

#include <string.h>

// Where the lists of the mirror lie among the kept packages: with them apt needs no mirror.
#define LISTS "lists.tar.gz"

// {mirror} and {suite} of a source line.
static char *
fill_source_line(const char *line, const struct spec_base *base)
{
    BUF_AUTO struct buf out = {0};
    while (*line != '\0') {
        if (str_starts(line, "{mirror}")) {
            buf_add(&out, base->mirror);
            line += strlen("{mirror}");
        } else if (str_starts(line, "{suite}")) {
            buf_add(&out, base->suite);
            line += strlen("{suite}");
        } else {
            buf_add_bytes(&out, line++, 1);
        }
    }
    return buf_take(&out);
}

char *
bootstrap_set(const struct recipe *recipe, const struct spec_base *base)
{
    char hex[DIGEST_HEX + 1];
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add_field(digest, "bootstrap 1");
    if (recipe->bootstrap.family == RECIPE_ARCH) { // whose sources are names alone
        digest_add_field(digest, base->mirror);
        digest_add_field(digest, base->snapshot);
    }
    for (size_t i = 0; i < recipe->bootstrap.sources.count; i++) {
        FREE_AUTO char *source = fill_source_line(recipe->bootstrap.sources.items[i], base);
        digest_add_field(digest, source);
    }
    digest_add_field(digest, NULL);
    for (size_t i = 0; i < recipe->bootstrap.packages.count; i++)
        digest_add_field(digest, recipe->bootstrap.packages.items[i]);
    digest_hex(digest, hex);
    return str_dup(hex);
}

// A hook that mmdebstrap carries out itself; it splits its words as a shell does.
static void
add_copy_hook(struct strv *ret, const char *when, const char *verb, const char *folder,
    const char *name, const char *inside)
{
    BUF_AUTO struct buf hook = {0};
    FREE_AUTO char *path = path_join(folder, name);
    bool out = str_equal(verb, "sync-out");
    buf_printf(&hook, "--%s-hook=%s ", when, verb);
    buf_add_word(&hook, out ? inside : path);
    buf_add(&hook, " ");
    buf_add_word(&hook, out ? path : inside);
    strv_take(ret, buf_take(&hook));
}

// What was kept is laid where apt would put it; mmdebstrap then downloads nothing.
static void
add_kept_hooks(const struct bootstrap *bootstrap, struct strv *ret)
{
    strv_add(ret, "--skip=update");
    strv_add(ret, "--setup-hook=mkdir -p \"$1/var/cache/apt/archives\" \"$1/var/lib/apt/lists\"");
    add_copy_hook(
        ret, "setup", "sync-in", bootstrap->folder, "packages", "/var/cache/apt/archives");
    strv_add(ret, "--setup-hook=tar -C \"$1/var/lib/apt/lists\" -xzf "
                  "\"$1/var/cache/apt/archives/" LISTS "\"");
}

// What apt downloaded is copied out, and what the layers will ask for.
static void
add_keeping_hooks(const struct bootstrap *bootstrap, struct strv *ret)
{
    strv_add(ret, "--customize-hook=tar -C \"$1/var/lib/apt/lists\" --exclude=./lock "
                  "--exclude=./partial -czf \"$1/var/cache/apt/archives/" LISTS "\" .");
    strv_add(ret, "--customize-hook=rm -rf \"$1/var/cache/apt/archives/partial\" "
                  "\"$1/var/cache/apt/archives/lock\"");
    add_copy_hook(
        ret, "customize", "sync-out", bootstrap->folder, "packages", "/var/cache/apt/archives");
    for (size_t i = 0; i < bootstrap->prefetch_count; i++) {
        FREE_AUTO char *names = strv_join(&bootstrap->prefetch[i].packages, " ");
        strv_addf(ret,
            "--customize-hook=mkdir -p \"$1/airbuild/%zu/partial\" && chroot \"$1\" apt-get -q -y "
            "-o APT::Install-Recommends=false -o Dir::Cache::archives=/airbuild/%zu "
            "--download-only install %s && rm -rf \"$1/airbuild/%zu/partial\" "
            "\"$1/airbuild/%zu/lock\"",
            i, i, names, i, i);
        FREE_AUTO char *inside = str_format("/airbuild/%zu", i);
        FREE_AUTO char *name = str_format("prefetch-%zu", i);
        add_copy_hook(ret, "customize", "sync-out", bootstrap->folder, name, inside);
    }
}

static void
add_hooks(const struct bootstrap *bootstrap, bool kept, struct strv *ret)
{
    if (kept)
        add_kept_hooks(bootstrap, ret);
    add_copy_hook(ret, "essential", "sync-in", bootstrap->folder, "early", "/");
    strv_add(ret, "--customize-hook=mkdir \"$1/airbuild\"");
    if (!kept)
        add_keeping_hooks(bootstrap, ret);
    add_copy_hook(ret, "customize", "sync-in", bootstrap->folder, "steps", "/airbuild");
    strv_add(ret, "--customize-hook=chroot \"$1\" sh -eu /airbuild/script");
    strv_add(ret, "--customize-hook=rm -rf \"$1/airbuild\"");
}

void
bootstrap_arguments(const struct bootstrap *bootstrap, bool kept, struct strv *ret)
{
    const struct recipe_bootstrap *wanted = &bootstrap->recipe->bootstrap;
    FREE_AUTO char *packages = strv_join(&wanted->packages, ",");
    strv_add(ret, "mmdebstrap");
    strv_add(ret, "--variant=essential");
    strv_add(ret, bootstrap->tree ? "--format=directory" : "--format=tar");
    strv_addf(ret, "--include=%s", packages);
    strv_add(ret, "--aptopt=APT::Install-Recommends \"false\"");
    strv_add(ret, "--aptopt=Acquire::Languages \"none\"");
    strv_add(ret, "--aptopt=Acquire::Retries \"2\"");
    strv_add(ret, "--aptopt=Acquire::http::Timeout \"20\"");
    strv_add(ret, "--dpkgopt=force-unsafe-io");
    strv_add(ret, "--dpkgopt=force-confold");
    for (size_t i = 0; i < wanted->exclude.count; i++)
        strv_addf(ret, "--dpkgopt=path-exclude=%s", wanted->exclude.items[i]);
    strv_add(ret, "--skip=essential/unlink");
    add_hooks(bootstrap, kept, ret);
    strv_add(ret, bootstrap->base->suite);
    strv_addf(ret, "%s/root%s", bootstrap->folder, bootstrap->tree ? "" : ".tar");
    for (size_t i = 0; i < wanted->sources.count; i++)
        strv_take(ret, fill_source_line(wanted->sources.items[i], bootstrap->base));
}

static void
add_step(struct buf *out, size_t number, const struct recipe_step *step)
{
    buf_add(out, "place=");
    buf_add_word(out, step->place);
    buf_add(out, "\n");
    for (size_t i = 0; i < step->file_count; i++) {
        buf_printf(out, "install -D -m %04o /airbuild/%zu-%zu ", step->files[i].mode, number, i);
        buf_add_word(out, step->files[i].path);
        buf_add(out, "\n");
    }
    recipe_add_services(out, step);
    if (step->command != NULL)
        buf_printf(out, "(\n%s\n)\n", step->command);
}

char *
bootstrap_script(const struct recipe *recipe)
{
    BUF_AUTO struct buf out = {0};
    buf_add(&out, "trap '[ $? = 0 ] || echo \"" BOOTSTRAP_FAILED "$place\" >&2' EXIT\n");
    for (size_t i = 0; i < recipe->steps.count; i++)
        if (recipe_step_applies(
                &recipe->steps.items[i], recipe_family_name(recipe->bootstrap.family)))
            add_step(&out, i, &recipe->steps.items[i]);
    return buf_take(&out);
}
