// recipe_files.h - inside bake/ only: the files of a recipe's steps, with content and mode.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_RECIPE_FILES_H
#define AIRBUILD_BAKE_RECIPE_FILES_H

#include "bake/recipe.h"

// Path patterns (fnmatch(3), * meets / too) and the modes that go with them; the last match holds.
struct recipe_modes {
    struct strv patterns, modes; // side by side
};

// Octal as chmod takes it, three or four digits, without set-id bits; false when it is none.
bool recipe_mode_parse(const char *text, unsigned *ret);
bool recipe_is_path(const char *path); // absolute, of a file, without ..

// A new file of the step; its data is to be set by the caller.
struct recipe_file *recipe_file_add(struct recipe_step *step, const char *path);
// 0644, 0755 for a script, or what modes say.
void recipe_file_set_mode(struct recipe_file *file, const struct recipe_modes *modes);
// Every file of a folder: FOLDER/NAME when that exists, else images/NAME of the program.
int recipe_files_add(struct recipe_step *step, const char *folder, const char *name,
    const struct recipe_modes *modes, struct error *err);

#endif
