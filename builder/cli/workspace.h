// workspace.h - what images, plan, launch and doctor open before they act: the home, the store, the
// plan of the spec's images, and the accelerator.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_WORKSPACE_H
#define AIRBUILD_CLI_WORKSPACE_H

#include "bake/bake.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "spec/spec.h"
#include "store/store.h"
#include "virt/accel.h"

struct workspace {
    char *home;
    struct store *store;
    struct bake_plan *plan;
};

enum { WORKSPACE_WAIT_MS = 30 * 60 * 1000 }; // the longest wait for another airbuild

// Opens the store and plans the images. recipe: a further recipe to bake, or NULL. ask, progress:
// as for bake_plan_make; only one that asks the network waits for another airbuild. *ret is {0} on
// failure.
int workspace_open(const struct spec *spec, const char *recipe, enum bake_ask ask,
    struct progress *progress, struct workspace *ret, struct error *err);
void workspace_close(struct workspace *workspace);
#define WORKSPACE_AUTO CLEANUP(workspace_close)

// The verdict for spec->accel, proven now or in this boot of the host. redis: the
// image whose kernel is booted, or NULL for the host's.
int workspace_accel(const char *home, const struct spec *spec, const struct image *redis,
    struct progress *progress, struct accel_verdict *ret, struct error *err);

#endif
