// base.h - inside spec/ only: the key base of cluster.yaml.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SPEC_BASE_H
#define AIRBUILD_SPEC_BASE_H

#include "spec/spec.h"
#include "yaml/map.h"

extern const struct yaml_key base_keys[]; // for the reference

// Reads the value of the key into struct spec_base [SPEC_ROLES]: the custom function of its row.
void base_set(struct yaml_source *source, const struct yaml_node *name,
    const struct yaml_node *value, void *member);
// Sets defaults and makes paths absolute.
void base_derive(struct yaml_source *source, const struct yaml_node *root, struct spec_base *base);

#endif
