// needs.h - what images, plan, launch and doctor look at before they act: the home, the store, the
// images the spec needs, and the accelerator.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_NEEDS_H
#define AIRBUILD_CLI_NEEDS_H

#include "bake/bake.h"
#include "base/error.h"
#include "spec/spec.h"
#include "store/store.h"
#include "virt/accel.h"

struct needs {
    char *home;
    struct store *store;
    struct bake_plan *plan;
};

// recipe: a further recipe to bake, or NULL. *ret is {0} when this fails.
int needs_open(const struct spec *spec, const char *recipe, enum bake_ask ask, struct needs *ret,
    struct error *err);
void needs_close(struct needs *needs);
#define NEEDS_AUTO __attribute__((cleanup(needs_close)))

// The verdict for spec->accel, proven now or in this boot of the host. kernel may be NULL.
int needs_accel(const char *home, const struct spec *spec, const char *kernel,
    struct progress *progress, struct accel_verdict *ret, struct error *err);

const char *needs_state_name(enum bake_state state); // "ready", "missing", "damaged"

#endif
