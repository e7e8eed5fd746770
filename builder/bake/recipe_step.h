// recipe_step.h - inside bake/ only: the grammar of a recipe's steps, and the commands for their
// services.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_RECIPE_STEP_H
#define AIRBUILD_BAKE_RECIPE_STEP_H

#include "bake/recipe.h"
#include "yaml/map.h"

// Where names in a recipe lead: beside a recipe of the user, then into what the program carries.
struct recipe_place {
    struct yaml_source source; // first, so that a custom reader finds its place
    const char *folder;        // of the recipe of a user, or NULL
};

// For a table: member is a struct recipe_steps.
void recipe_read_steps(struct yaml_source *source, const struct yaml_node *name,
    const struct yaml_node *value, void *member);
// Append the commands that disable, mask and enable the step's units, in this order.
void recipe_add_services(struct buf *out, const struct recipe_step *step);
void recipe_steps_free(struct recipe_steps *steps);

#endif
