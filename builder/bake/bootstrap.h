// bootstrap.h - inside bake/ only: a distribution's packages become a tree, by its own tool.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_BOOTSTRAP_H
#define AIRBUILD_BAKE_BOOTSTRAP_H

#include "bake/recipe.h"
#include "base/progress.h"
#include "spec/spec.h"
#include "store/store.h"

// Packages that layers over the base will ask for: asking now, without an appliance, is quicker.
struct bootstrap_prefetch {
    char *set; // what they are kept as, by install_set
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

// The recipe's steps as a shell script that runs inside the new system, where their files are
// /airbuild/STEP-FILE. A step that fails is named on standard error by its place. Pure; caller
// frees.
char *bootstrap_script(const struct recipe *recipe);
// When what the distribution's tool printed names a step that failed, the error about it, else 0.
int bootstrap_step_failed(const struct recipe *recipe, const char *text, struct error *err);

// The name of the set that the packages are kept under; caller frees.
char *bootstrap_set(const struct recipe *recipe, const struct spec_base *base);

// One of the two; the other is NULL.
struct bootstrap_result {
    char *tree; // FOLDER/root
    char *tar;  // FOLDER/root.tar
};
void bootstrap_result_free(struct bootstrap_result *result);
#define BOOTSTRAP_RESULT_AUTO __attribute__((cleanup(bootstrap_result_free)))

// ERR_MISSING: no mmdebstrap or pacstrap; ERR_ACCESS: pacstrap, and not root; ERR_NETWORK;
// ERR_SPACE; ERR_SPEC: a package that is not there, or a step that failed; ERR_DAMAGED: a
// signature.
int bootstrap_run(
    const struct bootstrap *bootstrap, struct bootstrap_result *ret, struct error *err);

#endif
