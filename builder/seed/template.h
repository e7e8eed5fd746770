// template.h - a YAML template filled in: @name@ in its texts becomes a value, and the whole is
// written anew, so no value can add a key or a line. Internal to seed/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_TEMPLATE_H
#define AIRBUILD_SEED_TEMPLATE_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum template_kind {
    TEMPLATE_TEXT,  // anywhere in a text; NULL: what asks for it is left out
    TEMPLATE_LIST,  // only alone: @name@ becomes a list of texts
    TEMPLATE_TRUTH, // only alone: true or false
};

struct template_value {
    const char *name; // [a-z_]+
    enum template_kind kind;
    const char *text;
    const struct strv *list;
    bool truth;
    bool required; // a template that never asks for it is refused
};

// The document that template (its asset's name is origin) becomes; head goes before it as it is
// (may be NULL). Caller frees *ret. ERR_SPEC, with every complaint by line and column, when the
// template is wrong.
int template_fill(const char *origin, const char *template, size_t length, const char *head,
    const struct template_value *values, size_t count, char **ret, struct error *err);

#endif
