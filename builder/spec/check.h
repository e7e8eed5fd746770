// check.h - inside spec/ only: whether the values of a spec fit each other.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SPEC_CHECK_H
#define AIRBUILD_SPEC_CHECK_H

#include "spec/spec.h"
#include "yaml/yaml.h"

// A spec while it is made, and the tree that it is made from, for the places of messages.
struct spec_draft {
    struct yaml_source *source;
    const struct yaml_node *root;
    struct spec *spec;
    struct subnet subnet;
    bool subnet_known; // the subnet is valid, so addresses can be compared with it
    size_t workers;
};

// Adds what is wrong to draft->source.
void spec_check(struct spec_draft *draft);

// Returns the value of a node's key, else the node's name, else (no nodes are specified) the
// subnet.
const struct yaml_node *spec_draft_place(
    const struct spec_draft *draft, size_t node, const char *key);

#endif
