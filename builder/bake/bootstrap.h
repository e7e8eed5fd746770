// bootstrap.h - inside bake/ only: a distribution's packages become a tree, by its own tool:
// FOLDER/root, or FOLDER/root.tar.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_BOOTSTRAP_H
#define AIRBUILD_BAKE_BOOTSTRAP_H

#include "bake/recipe.h"
#include "base/progress.h"
#include "spec/spec.h"
#include "store/store.h"

// Packages that layers over the base will install: downloading them now needs no appliance.
struct bootstrap_prefetch {
    char *set; // the name of the kept set, of install_set
    struct strv packages;
};

enum { BOOTSTRAP_MS = 30 * 60 * 1000 }; // for a distribution's tool

struct bootstrap {
    const struct recipe *recipe;
    const struct spec_base *base; // suite and mirror
    struct store *store;
    const char *folder;    // private, for files on the way
    const char *set;       // kept packages
    bool tree;             // root can keep files' owners in a folder; others need a tar
    bool offline, refresh; // as in struct bake_options
    const struct bootstrap_prefetch *prefetch;
    size_t prefetch_count;
    struct progress *progress;
};

// Returns the recipe's steps as a shell script that runs inside the new system, where their files
// are /airbuild/STEP-FILE. It prints the place of a step that fails. Pure; caller frees.
char *bootstrap_script(const struct recipe *recipe);
// Returns -1 and the error when text, the tool's output, names a step that failed; else 0.
int bootstrap_step_failed(const struct recipe *recipe, const char *text, struct error *err);

// Returns the name of the set that the packages are kept under; caller frees.
char *bootstrap_set(const struct recipe *recipe, const struct spec_base *base);

#endif
