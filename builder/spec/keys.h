// keys.h - inside spec/ only: the tables of the keys of cluster.yaml, what their rows are made of,
// and the key base.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SPEC_KEYS_H
#define AIRBUILD_SPEC_KEYS_H

#include "spec/spec.h"
#include "yaml/map.h"

#define SPEC_NODE_MAX 1000 // a Linux bridge has 1023 ports, and one may be the host's own

extern const struct yaml_key spec_keys[]; // of the whole spec
extern const struct yaml_key node_keys[]; // of one of the nodes
extern const struct yaml_key base_keys[]; // for the reference

// Reads the value of the key base into struct spec_base [SPEC_ROLES]: the custom function of its
// row.
void base_set(struct yaml_source *source, const struct yaml_node *name,
    const struct yaml_node *value, void *member);
// Sets defaults and makes paths absolute.
void base_derive(struct yaml_source *source, const struct yaml_node *root, struct spec_base *base);

// Rows of a table: the key, AT(its member), the rules of its type, then for messages and the
// reference what a value is (only of texts), the default and the meaning. Each table defines AT.
// ROW is a row of any type; its rules come last.
#define ROW(kind, key, member, without, sense, ...)                                \
    {                                                                              \
        .name = key, .type = YAML_##kind, .offset = AT(member), .absent = without, \
        .meaning = sense, __VA_ARGS__                                              \
    }
#define TEXT(key, member, check, what, without, sense) \
    ROW(STRING, key, member, without, sense, .valid = check, .form = what)
#define SWITCH(key, member, without, sense) \
    ROW(BOOL, key, member, without, sense, .required = false)
#define COUNT(key, member, least, most, without, sense) \
    ROW(UNSIGNED, key, member, without, sense, .min = least, .max = most)
#define DURATION(key, member, least, most, without, sense) \
    ROW(DURATION, key, member, without, sense, .min = least, .max = most)
#define WORD(key, member, choices, without, sense) \
    ROW(WORD, key, member, without, sense, .words = choices)
#define TABLE(key, where, inner, sense)                                                   \
    {                                                                                     \
        .name = key, .type = YAML_TABLE, .offset = where, .keys = inner, .meaning = sense \
    }

#endif
