// template.h - templates in which @name@ stands for a value. Internal to seed/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_TEMPLATE_H
#define AIRBUILD_SEED_TEMPLATE_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum template_kind {
    TEMPLATE_TEXT,  // anywhere in a text; NULL (YAML only): the node that contains it is left out
    TEMPLATE_LIST,  // YAML only, alone: @name@ becomes a list of texts
    TEMPLATE_TRUTH, // YAML only, alone: true or false
    TEMPLATE_ROWS,  // plain text only: what @each name@ repeats
};

struct template_value {
    const char *name; // [a-z_]+
    enum template_kind kind;
    const char *text;
    const struct strv *list;
    bool truth;
    bool required; // a template that does not contain it is refused
    // Texts, row after row: they are known by name while their row is repeated.
    const struct template_value *cells;
    size_t row_count, column_count;
};

// Fill in a template. origin is the name of its asset. Caller frees *ret. ERR_SPEC, with every
// complaint by line and column, when the template is wrong.
// NAME.yaml: the texts of its tree are filled in and the tree is written again, so no value can add
// a key or a line. head comes before it unchanged (may be NULL).
// Any other name is plain text, filled in line by line, with blocks whose directives are lines of
// their own and which do not nest; a block that is left out is not checked:
//   @each NAME@ ... @end@        once for every row of NAME
//   @when NAME=TEXT@ ... @end@   if the value of NAME is TEXT
int template_fill(const char *origin, const char *template, size_t length, const char *head,
    const struct template_value *values, size_t count, char **ret, struct error *err);

#endif
