// recipe.h - inside bake/ only: a recipe read from YAML into its steps, every installed file with
// its content. Pure apart from reading files; nothing is baked here.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_RECIPE_H
#define AIRBUILD_BAKE_RECIPE_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct distro;

enum recipe_action {
    RECIPE_PACKAGES, // by the image's own package manager
    RECIPE_FILES,    // also what `write` says: files with their content
    RECIPE_SERVICES, // enable, disable, mask
    RECIPE_COMMAND,  // a shell text, run with sh -eu
};

struct recipe_file {
    char *path; // in the image, absolute
    char *data;
    size_t length;
    unsigned mode; // 0644
};

struct recipe_step {
    enum recipe_action action;
    char *place;  // "FILE:LINE", for messages; nothing depends on it
    char *family; // only on the distribution of this name; NULL: on all
    struct strv packages;
    struct recipe_file *files; // by path
    size_t file_count, file_capacity;
    struct strv enable, disable, mask;
    char *command;
};

struct recipe_steps {
    struct recipe_step *items;
    size_t count, capacity;
};

// How a base is made from a distribution's packages.
struct recipe_bootstrap {
    unsigned distro; // see recipe_distro
    // Of Debian: apt lines; {mirror} and {suite} stand for the spec's. Of Arch: repositories.
    struct strv sources;
    struct strv packages;
    struct strv exclude;       // paths that packages do not install, with *
    struct recipe_steps early; // files that are there before the packages are configured
};

struct recipe {
    char *name;
    char *description;
    char *cmdline; // of a base: kernel arguments beside root=; NULL: the usual ones
    bool is_base;  // has a bootstrap
    struct recipe_bootstrap bootstrap;
    struct recipe_steps steps; // those of included recipes first
};

// A recipe that the program carries: "redis" is images/redis.yaml. ERR_SPEC with the places of all
// that is wrong; ERR_NOT_FOUND.
int recipe_load(const char *name, struct recipe **ret, struct error *err);
// A recipe of the user. What it names is looked for beside it, then in what the program carries.
int recipe_load_file(const char *path, struct recipe **ret, struct error *err);
void recipe_free(struct recipe *recipe);
void recipe_freep(struct recipe **recipe);
#define RECIPE_AUTO __attribute__((cleanup(recipe_freep)))

// Everything that an image depends on, in fixed form: equal texts make equal images. Comments and
// layout of the YAML are not in it; of files their digests are. Caller frees.
char *recipe_canonical(const struct recipe *recipe);

const struct distro *recipe_distro(const struct recipe *recipe); // of its bootstrap
bool recipe_step_applies(const struct recipe_step *step, const struct distro *distro);
// Every package that the steps ask for there, in their order.
void recipe_packages(const struct recipe *recipe, const struct distro *distro, struct strv *ret);

#endif
