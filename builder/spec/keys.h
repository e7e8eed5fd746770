// keys.h - inside spec/ only: the tables of the keys of cluster.yaml, and what their rows are made
// of.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SPEC_KEYS_H
#define AIRBUILD_SPEC_KEYS_H

#include "yaml/map.h"

#define SPEC_NODE_MAX 64

extern const struct yaml_key spec_keys[]; // of the whole spec
extern const struct yaml_key node_keys[]; // of one of the nodes

// The words of keys, in the order of their enums; each ends with NULL.
extern const char *const spec_roles[], *const spec_modes[], *const spec_accels[];
extern const char *const spec_policies[];

// Rows of a table: the key, AT(its member), the rules of its type, then for messages and the
// reference what a value is (only of texts), the default and the meaning. Each table defines AT.
#define TEXT(key, member, check, what, without, sense)                                        \
    {                                                                                         \
        .name = key, .type = YAML_STRING, .offset = AT(member), .valid = check, .form = what, \
        .absent = without, .meaning = sense                                                   \
    }
#define TEXTS(key, member, check, what, without, sense)                                        \
    {                                                                                          \
        .name = key, .type = YAML_STRINGS, .offset = AT(member), .valid = check, .form = what, \
        .absent = without, .meaning = sense                                                    \
    }
#define SWITCH(key, member, without, sense)                                                       \
    {                                                                                             \
        .name = key, .type = YAML_BOOL, .offset = AT(member), .absent = without, .meaning = sense \
    }
#define COUNT(key, member, least, most, without, sense)                                      \
    {                                                                                        \
        .name = key, .type = YAML_UNSIGNED, .offset = AT(member), .min = least, .max = most, \
        .absent = without, .meaning = sense                                                  \
    }
#define DURATION(key, member, least, most, without, sense)                                   \
    {                                                                                        \
        .name = key, .type = YAML_DURATION, .offset = AT(member), .min = least, .max = most, \
        .absent = without, .meaning = sense                                                  \
    }
#define SIZE(key, member, count, least, most, without, sense)                              \
    {                                                                                      \
        .name = key, .type = YAML_SIZE, .offset = AT(member), .unit = count, .min = least, \
        .max = most, .absent = without, .meaning = sense                                   \
    }
#define WORD(key, member, choices, without, sense)                                                 \
    {                                                                                              \
        .name = key, .type = YAML_WORD, .offset = AT(member), .words = choices, .absent = without, \
        .meaning = sense                                                                           \
    }
#define TABLE(key, where, inner, sense)                                                   \
    {                                                                                     \
        .name = key, .type = YAML_TABLE, .offset = where, .keys = inner, .meaning = sense \
    }

#endif
