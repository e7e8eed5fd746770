// bootstrap_debian.c - running mmdebstrap, and its words understood.
// SPDX-License-Identifier: Apache-2.0
#include "bake/apt.h"
#include "bake/bootstrap_inside.h"
#include "base/cleanup.h"
#include "base/proc.h"

#include <string.h>
#include <unistd.h>

// mmdebstrap's own lines for people begin with "I: "; most of them are about itself.
static void
on_debian_line(void *context, const char *line)
{
    static const char *const told[] = {
        "running apt-get update", "downloading ", "extracting ", "installing ", "creating ", NULL};
    const struct bootstrap *bootstrap = context;
    for (size_t i = 0; str_starts(line, "I: ") && told[i] != NULL; i++)
        if (str_starts(line + 3, told[i]))
            progress_step(bootstrap->progress, bootstrap->recipe->name, "%s", line + 3);
}

static int
explain_debian_failure(const struct bootstrap *bootstrap, const char *text, struct error *err)
{
    if (bootstrap_step_failed(bootstrap->recipe, text, err) < 0)
        return -1;
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

int
bootstrap_debian(const struct bootstrap *bootstrap, bool kept, struct error *err)
{
    STRV_AUTO struct strv arguments = {0};
    FREE_AUTO char *temporary = str_format("TMPDIR=%s", bootstrap->folder);
    const char *environment[] = {geteuid() == 0 ? temporary : NULL, NULL};
    PROC_RESULT_AUTO struct proc_result result = {0};
    struct proc_options options = {.env = environment,
        .timeout_ms = BOOTSTRAP_MS,
        .line = on_debian_line,
        .context = (void *) bootstrap};
    bootstrap_arguments(bootstrap, kept, &arguments);
    if (proc_run((const char *const *) arguments.items, &options, &result, err) < 0) {
        if (err->code != ERR_MISSING)
            return error_context(err, "the base cannot be made");
        return error_set(err, ERR_MISSING,
            "the base is made by 'mmdebstrap', which is not installed; run 'apt install "
            "mmdebstrap' (Arch has no package of it: use 'base: arch', or a Debian image that was "
            "made elsewhere by 'base: {file: disk.qcow2}')");
    }
    return result.status == 0 ? 0 : explain_debian_failure(bootstrap, result.errors.data, err);
}
