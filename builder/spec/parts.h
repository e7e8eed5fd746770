// parts.h - inside spec/ only: the steps from a tree of YAML to a checked spec.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SPEC_PARTS_H
#define AIRBUILD_SPEC_PARTS_H

#include "spec/forms.h"
#include "spec/spec.h"
#include "yaml/map.h"
#include "yaml/yaml.h"

#define SPEC_NODE_MAX 64

// A spec while it is being made, and the tree it is made from, for the places of complaints.
struct spec_draft {
    struct yaml_source *source;
    const struct yaml_node *root;
    struct spec *spec;
    struct subnet subnet;
    bool subnet_known; // it was not refused, so addresses can be compared with it
    size_t workers;
};

extern const struct yaml_key spec_keys[]; // of the whole spec
extern const struct yaml_key base_keys[]; // of the key base
extern const struct yaml_key node_keys[]; // of one of the nodes
extern const char *const spec_policies[];
extern const char *const spec_roles[], *const spec_modes[], *const spec_accels[];

void spec_set_defaults(struct spec *spec);  // those that depend on nothing
void spec_derive(struct spec_draft *draft); // those that depend on other values
void spec_check(struct spec_draft *draft);  // what values must be together
void spec_collect_said(struct spec_draft *draft);

// The value of the key base into struct spec_base [SPEC_ROLES].
void base_set(struct yaml_source *source, const struct yaml_node *name,
    const struct yaml_node *value, void *member);
void base_derive(struct spec_draft *draft); // what it does not say, and paths made absolute

// Place of a value below root ("network", "subnet"), else of what it would be in; NULL at last.
const struct yaml_node *draft_place(
    const struct spec_draft *draft, const char *table, const char *key);
// Place of a node's value, else of the node's name.
const struct yaml_node *draft_node_place(
    const struct spec_draft *draft, size_t node, const char *key);

#endif
