// bootstrap.h - inside bake/ only: a distribution's packages become a tree, by mmdebstrap (Debian)
// or pacstrap (Arch).
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

// Debian: the arguments of mmdebstrap. kept: FOLDER/packages holds all it would download. Pure.
void bootstrap_arguments(const struct bootstrap *bootstrap, bool kept, struct strv *ret);
// The recipe's steps as a shell script that runs inside the new system, where their files are
// /airbuild/STEP-FILE. A step that fails is told on standard error, by a line that begins so and
// goes on with its place. Pure; caller frees.
#define BOOTSTRAP_FAILED "airbuild: failed: "
char *bootstrap_script(const struct recipe *recipe);

// Arch: what the shell is told, as root in a mount namespace of its own, with pacman.conf in
// FOLDER. Pure; callers free.
char *bootstrap_arch_script(const struct bootstrap *bootstrap, bool kept);
char *bootstrap_arch_conf(const struct bootstrap *bootstrap, const struct strv *servers);

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
