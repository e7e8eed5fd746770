// bootstrap.h - inside bake/ only: a distribution's packages become a tree, by mmdebstrap.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_BOOTSTRAP_H
#define AIRBUILD_BAKE_BOOTSTRAP_H

#include "bake/recipe.h"
#include "base/progress.h"
#include "spec/spec.h"
#include "store/store.h"

struct bootstrap {
    const struct recipe *recipe;
    const struct spec_base *base; // suite and mirror
    struct store *store;
    const char *folder; // private, for files on the way
    const char *set;    // kept packages
    bool offline;
    struct progress *progress;
};

// The arguments of mmdebstrap. kept: FOLDER/packages holds all it would download. Pure.
void bootstrap_arguments(const struct bootstrap *bootstrap, bool kept, struct strv *ret);
// The recipe's steps as a shell script that runs inside the new system, where their files are
// /airbuild/STEP-FILE. Pure; caller frees.
char *bootstrap_script(const struct recipe *recipe);

// The name of the set that the packages are kept under; caller frees.
char *bootstrap_set(const struct recipe *recipe, const struct spec_base *base);

// FOLDER/root.tar. ERR_MISSING: no mmdebstrap; ERR_NETWORK; ERR_SPACE.
int bootstrap_run(const struct bootstrap *bootstrap, char **ret_tar, struct error *err);

#endif
