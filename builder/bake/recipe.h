// recipe.h - inside bake/ only: a recipe as steps, every installed file with its content. Pure
// apart from reading files.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_RECIPE_H
#define AIRBUILD_BAKE_RECIPE_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct distro;

enum recipe_action {
    RECIPE_PACKAGES, // by the image's own package manager
    RECIPE_FILES,    // files with their content, of `files` or `write`
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
    char *place;     // "FILE:LINE", for messages; nothing depends on it
    unsigned family; // index of distro_words: only on that distribution; 0: on all
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
    // As the distribution's fill_source reads them: apt lines with {mirror} and {suite} of the
    // spec; names of pacman's repositories.
    struct strv sources;
    struct strv packages;
    struct strv exclude;       // paths that packages do not install, with *
    struct recipe_steps early; // files that are there before the packages are configured
};

struct recipe {
    char *name;
    char *cmdline; // of a base: kernel arguments beside root=; NULL: the usual ones
    bool is_base;  // has a bootstrap
    struct recipe_bootstrap bootstrap;
    struct recipe_steps steps; // those of included recipes first
};

// recipe_read.c: a recipe that the program carries: "redis" is images/redis.yaml. ERR_SPEC with the
// places of all that is wrong; ERR_NOT_FOUND.
int recipe_load(const char *name, struct recipe **ret, struct error *err);
// A recipe of the user. The names in it are looked up beside it, then in what the program carries.
int recipe_load_file(const char *path, struct recipe **ret, struct error *err);
void recipe_free(struct recipe *recipe);
DEFINE_FREEP(struct recipe, recipe_free)
#define RECIPE_AUTO CLEANUP(recipe_freep)

// Returns everything that an image depends on, in fixed form: equal texts make equal images. It has
// the files' digests, but no comments or layout of the YAML. Caller frees.
char *recipe_canonical(const struct recipe *recipe);

const struct distro *recipe_distro(const struct recipe *recipe); // of its bootstrap
bool recipe_step_applies(const struct recipe_step *step, const struct distro *distro);
// Appends every package that the steps install there, in their order.
void recipe_packages(const struct recipe *recipe, const struct distro *distro, struct strv *ret);
// Appends the commands that disable, mask and enable the step's units, in this order.
void recipe_add_services(struct buf *out, const struct recipe_step *step);

void recipe_clear(struct recipe *recipe); // to {0}

#endif
