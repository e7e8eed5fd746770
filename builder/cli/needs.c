// needs.c - see needs.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/needs.h"

#include "base/cleanup.h"
#include "cluster/cluster.h"

#include <stdlib.h>

int
needs_open(const struct spec *spec, const char *recipe, enum bake_ask ask, struct needs *ret,
    struct error *err)
{
    NEEDS_AUTO struct needs needs = {.home = cluster_home()};
    if (store_open(needs.home, &needs.store, err) != 0 ||
        bake_plan_make(spec, needs.store, recipe, ask, &needs.plan, err) != 0)
        return -1;
    *ret = needs;
    needs = (struct needs){0};
    return 0;
}

void
needs_close(struct needs *needs)
{
    bake_plan_free(needs->plan);
    store_free(needs->store);
    free(needs->home);
    *needs = (struct needs){0};
}

int
needs_accel(const char *home, const struct spec *spec, const char *kernel,
    struct progress *progress, struct accel_verdict *ret, struct error *err)
{
    static const enum accel_wanted wanted[] = {
        [SPEC_ACCEL_AUTO] = ACCEL_AUTO,
        [SPEC_ACCEL_KVM] = ACCEL_KVM,
        [SPEC_ACCEL_TCG] = ACCEL_TCG,
    };
    progress_step(progress, "host", "proving the accelerator");
    if (accel_prove(home, wanted[spec->accel], kernel, ret, err) != 0)
        return -1;
    progress_done(progress, "host", "%s: %s", ret->kvm ? "KVM" : "emulation (TCG)", ret->why);
    return 0;
}

const char *
needs_state_name(enum bake_state state)
{
    static const char *const names[] = {
        [BAKE_READY] = "ready",
        [BAKE_MISSING] = "missing",
        [BAKE_DAMAGED] = "damaged",
    };
    return names[state];
}
