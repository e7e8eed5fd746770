// workspace.c - see workspace.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/workspace.h"

#include "base/cleanup.h"
#include "cluster/cluster.h"

#include <stdlib.h>

int
workspace_open(const struct spec *spec, const char *recipe, enum bake_ask ask,
    struct progress *progress, struct workspace *ret, struct error *err)
{
    WORKSPACE_AUTO struct workspace workspace = {.home = cluster_home()};
    if (store_open(workspace.home, &workspace.store, err) != 0)
        return -1;
    if (ask != BAKE_LOOK)
        store_set_patience(workspace.store, progress, WORKSPACE_WAIT_MS);
    if (bake_plan_make(spec, workspace.store, recipe, ask, progress, &workspace.plan, err) != 0)
        return -1;
    *ret = workspace;
    workspace = (struct workspace){0};
    return 0;
}

void
workspace_close(struct workspace *workspace)
{
    bake_plan_free(workspace->plan);
    store_free(workspace->store);
    free(workspace->home);
    *workspace = (struct workspace){0};
}

int
workspace_accel(const char *home, const struct spec *spec, const struct image *redis,
    struct progress *progress, struct accel_verdict *ret, struct error *err)
{
    static const enum accel_wanted wanted[] = {
        [SPEC_ACCEL_AUTO] = ACCEL_AUTO,
        [SPEC_ACCEL_KVM] = ACCEL_KVM,
        [SPEC_ACCEL_TCG] = ACCEL_TCG,
    };
    const char *kernel = redis != NULL ? redis->kernel : NULL;
    progress_step(progress, "host", "proving the accelerator");
    if (accel_prove(home, wanted[spec->accel], kernel, ret, err) != 0)
        return -1;
    progress_done(progress, "host", "%s: %s", ret->kvm ? "KVM" : "emulation (TCG)", ret->why);
    return 0;
}
