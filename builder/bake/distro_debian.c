// distro_debian.c - Debian: a base from its packages by mmdebstrap, and packages by apt.
// SPDX-License-Identifier: Apache-2.0
#include "bake/debian.h"

#include "bake/install.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <string.h>
#include <unistd.h>

// The mirror's lists among the kept packages: with them apt needs no mirror.
#define LISTS "lists.tar.gz"

enum { UPDATE_MS = 120 * 1000, DOWNLOAD_MS = 600 * 1000, INSTALL_MS = 300 * 1000 };

// ---- causes --------------------------------------------------------------------------------------

// apt reports causes only as text; this text is the same since apt 1.0.
enum error_code
apt_cause(const char *text)
{
    static const char *const space[] = {
        "No space left on device", "not enough free space", "don't have enough free space", NULL};
    static const char *const package[] = {"Unable to locate package",
        "has no installation candidate", "Couldn't find any package by", NULL};
    static const char *const network[] = {"Could not resolve", "Could not connect",
        "Failed to fetch", "Unable to fetch", "Temporary failure", "Connection timed out",
        "Network is unreachable", "does not have a Release file", NULL};
    if (str_has_any(text, space))
        return ERR_SPACE;
    if (str_has_any(text, package))
        return ERR_SPEC;
    return str_has_any(text, network) ? ERR_NETWORK : ERR_FAILED;
}

// Later errors mostly follow from the first one.
char *
apt_reason(const char *text)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, text == NULL ? "" : text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *error = strstr(lines.items[i], "E: ");
        if (error != NULL)
            return str_ndup(error + 3, strnlen(error + 3, 300));
    }
    return str_dup("it gave no reason");
}

// ---- a base from packages ------------------------------------------------------------------------

static char *
debian_fill_source(const char *line, const struct spec_base *base)
{
    return distro_fill(line, "{mirror}", base->mirror, "{suite}", base->suite);
}

// Adds a hook that mmdebstrap runs itself; it splits words as a shell does.
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

// Copies out the packages that apt downloaded, and downloads those that the layers will install.
static void
add_keeping_hooks(const struct bake_job *job, struct strv *ret)
{
    strv_add(ret, "--customize-hook=tar -C \"$1/var/lib/apt/lists\" --exclude=./lock "
                  "--exclude=./partial -czf \"$1/var/cache/apt/archives/" LISTS "\" .");
    strv_add(ret, "--customize-hook=rm -rf \"$1/var/cache/apt/archives/partial\" "
                  "\"$1/var/cache/apt/archives/lock\"");
    add_copy_hook(ret, "customize", "sync-out", job->work, "packages", "/var/cache/apt/archives");
    for (size_t i = 0; i < job->prefetch.count; i++) {
        strv_addf(ret,
            "--customize-hook=mkdir -p \"$1/airbuild/%zu/partial\" && chroot \"$1\" apt-get -q -y "
            "-o APT::Install-Recommends=false -o Dir::Cache::archives=/airbuild/%zu "
            "--download-only install %s && rm -rf \"$1/airbuild/%zu/partial\" "
            "\"$1/airbuild/%zu/lock\"",
            i, i, job->prefetch.items[i], i, i);
        FREE_AUTO char *inside = str_format("/airbuild/%zu", i);
        FREE_AUTO char *name = str_format("prefetch-%zu", i);
        add_copy_hook(ret, "customize", "sync-out", job->work, name, inside);
    }
}

static void
add_hooks(const struct bake_job *job, bool kept, struct strv *ret)
{
    if (kept) { // put where apt would download them to: mmdebstrap then downloads nothing
        strv_add(ret, "--skip=update");
        strv_add(
            ret, "--setup-hook=mkdir -p \"$1/var/cache/apt/archives\" \"$1/var/lib/apt/lists\"");
        add_copy_hook(ret, "setup", "sync-in", job->work, "packages", "/var/cache/apt/archives");
        strv_add(ret, "--setup-hook=tar -C \"$1/var/lib/apt/lists\" -xzf "
                      "\"$1/var/cache/apt/archives/" LISTS "\"");
    }
    add_copy_hook(ret, "essential", "sync-in", job->work, "early", "/");
    strv_add(ret, "--customize-hook=mkdir \"$1/airbuild\"");
    if (!kept)
        add_keeping_hooks(job, ret);
    add_copy_hook(ret, "customize", "sync-in", job->work, "steps", "/airbuild");
    strv_add(ret, "--customize-hook=chroot \"$1\" sh -eu /airbuild/script");
    strv_add(ret, "--customize-hook=rm -rf \"$1/airbuild\"");
}

void
debian_arguments(const struct bake_job *job, bool kept, struct strv *ret)
{
    const struct recipe_bootstrap *wanted = &job->item->source->recipe->bootstrap;
    FREE_AUTO char *packages = strv_join(&wanted->packages, ",");
    strv_add(ret, "mmdebstrap");
    strv_add(ret, "--variant=essential");
    strv_add(ret, job->tree ? "--format=directory" : "--format=tar");
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
    add_hooks(job, kept, ret);
    strv_add(ret, job->item->source->base.suite);
    strv_addf(ret, "%s/root%s", job->work, job->tree ? "" : ".tar");
    for (size_t i = 0; i < wanted->sources.count; i++)
        strv_take(ret, debian_fill_source(wanted->sources.items[i], &job->item->source->base));
}

// mmdebstrap's own messages begin with "I: "; only these are progress.
static void
on_debian_line(void *context, const char *line)
{
    static const char *const shown[] = {
        "running apt-get update", "downloading ", "extracting ", "installing ", "creating ", NULL};
    const struct bake_job *job = context;
    for (size_t i = 0; str_starts(line, "I: ") && shown[i] != NULL; i++)
        if (str_starts(line + 3, shown[i]))
            progress_step(job->options->progress, job->item->source->recipe->name, "%s", line + 3);
}

static int
explain_debian_failure(const struct bake_job *job, const char *text, struct error *err)
{
    FREE_AUTO char *reason = apt_reason(text);
    enum error_code cause = apt_cause(text);
    if (cause == ERR_SPACE)
        return error_set(err, ERR_SPACE,
            "the disk became full while the base was made (in '%s'); free some space and run it "
            "again",
            job->work);
    if (cause == ERR_SPEC)
        return error_set(err, ERR_SPEC,
            "the recipe '%s' or one that goes over it names a package that the mirror '%s' does "
            "not have; check its name: %s",
            job->item->source->recipe->name, job->item->source->base.mirror, reason);
    if (cause == ERR_NETWORK)
        return error_set(err, ERR_NETWORK,
            "the packages of the base cannot be downloaded from the mirror '%s'; check the "
            "network, or name another one by 'base: {debian: {mirror: URL}}': %s",
            job->item->source->base.mirror, reason);
    return error_set(err, ERR_FAILED, "mmdebstrap failed: %s", reason);
}

static int
bootstrap_debian(const struct bake_job *job, bool kept, struct proc_result *ret, struct error *err)
{
    STRV_AUTO struct strv arguments = {0};
    FREE_AUTO char *temporary = str_format("TMPDIR=%s", job->work);
    const char *environment[] = {geteuid() == 0 ? temporary : NULL, NULL};
    struct proc_options options = {.env = environment,
        .timeout_ms = BOOTSTRAP_MS,
        .line = on_debian_line,
        .context = (void *) job};
    debian_arguments(job, kept, &arguments);
    if (proc_run((const char *const *) arguments.items, &options, ret, err) == 0)
        return 0;
    if (err->code != ERR_MISSING)
        return error_context(err, "the base cannot be made");
    return error_set(err, ERR_MISSING,
        "the base is made by 'mmdebstrap', which is not installed; run 'apt install mmdebstrap' "
        "(Arch has no package of it: use 'base: arch', or a Debian image that was made elsewhere "
        "by 'base: {file: disk.qcow2}')");
}

// ---- packages into an image ----------------------------------------------------------------------

static int
explain_apt(struct error *err)
{
    FREE_AUTO char *reason = apt_reason(err->message);
    enum error_code cause = err->code == ERR_FAILED ? apt_cause(err->message) : err->code;
    if (cause == ERR_NETWORK)
        return error_set(err, ERR_NETWORK,
            "the packages cannot be downloaded and none are kept; check the network and the mirror "
            "of the base, then run 'airbuild images' again: %s",
            reason);
    if (cause == ERR_SPEC)
        return error_set(err, ERR_SPEC,
            "the mirror does not have a package of the recipe; check its name: %s", reason);
    err->code = cause;
    return -1;
}

static int
install_apt(struct guest *guest, bool kept, const struct strv *packages, struct error *err)
{
    FREE_AUTO char *names = strv_join(packages, " ");
    if (guest_script(guest, "debian", "prepare", NULL, NULL, err) < 0)
        return -1;
    if (kept) {
        if (install_restore(guest, err) < 0)
            return -1;
    } else {
        guest_step(guest, UPDATE_MS, "asking the mirror");
        if (guest_script(guest, "debian", "update", NULL, NULL, err) < 0)
            return explain_apt(err);
        guest_step(guest, DOWNLOAD_MS, "downloading %s", names);
        if (guest_script(guest, "debian", "download", packages, NULL, err) < 0)
            return explain_apt(err);
        if (install_keep(guest, err) < 0)
            return -1;
    }
    guest_step(guest, INSTALL_MS, "installing %s", names);
    return guest_script(guest, "debian", "install_downloaded", NULL, NULL, err);
}

const struct distro distro_debian = {.name = "debian",
    .title = "Debian",
    .package_format = "deb",
    .packages_kind = SPEC_BASE_DEBIAN,
    .initrd_prefix = "/boot/initrd.img-",
    .initrd_suffix = "",
    .fill_source = debian_fill_source,
    .bootstrap = bootstrap_debian,
    .explain = explain_debian_failure,
    .install = install_apt};
