// map.h - mappings into structs by table: one line a key says its type, range, member and
// documentation. Unknown keys, missing keys and wrong values become complaints of the source.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_YAML_MAP_H
#define AIRBUILD_YAML_MAP_H

#include "yaml/yaml.h"

#include <stddef.h>

enum yaml_type {
    YAML_STRING,   // char *: a scalar, not empty; what the member held is freed
    YAML_BOOL,     // bool: on/off, yes/no, true/false
    YAML_UNSIGNED, // unsigned: decimal
    YAML_SIZE,     // uint64_t bytes, or unsigned when unit is set: 512M, 10G; powers of 1024
    YAML_DURATION, // unsigned milliseconds, or units: 2000ms, 2s, 5m, 1h
    YAML_WORD,     // enum (as unsigned): the index of one of words
    YAML_STRINGS,  // struct strv: a list of scalars, none empty; what the member held is freed
    YAML_TABLE,    // a struct: a mapping of its own, by keys
    YAML_CUSTOM,   // anything: by custom
};

// One key. A table ends with a key whose name is NULL. Members keep what they held when their key
// is absent, so defaults are set before. A key without a value is a complaint; only of a TABLE and
// of STRINGS it means an empty one, so that all their lines may be commented out.
struct yaml_key {
    const char *name; // "": for the reference, which shows the table keys in its place
    enum yaml_type type;
    bool required;               // absent: a complaint at the mapping
    size_t offset;               // of the member, by offsetof
    unsigned long long min, max; // UNSIGNED, SIZE (bytes), DURATION (ms)
    unsigned long long unit;     // SIZE (bytes), DURATION (ms): the member counts these; 0: plain
    const char *const *words;    // WORD: NULL-terminated; SIZE with a unit: [0] is 0; or NULL
    const struct yaml_key *keys; // TABLE; CUSTOM: keys inside, for the reference
    bool (*valid)(const char *text); // STRING, item of STRINGS; NULL: any but the empty one
    // CUSTOM: look at value (never nothing) and fill member; complain when it is wrong. name: the
    // scalar of the key.
    void (*custom)(struct yaml_source *source, const struct yaml_node *name,
        const struct yaml_node *value, void *member);
    // What a value (of STRINGS: an item) is, "a host name"; CUSTOM and valid need it, else NULL.
    const char *form;
    const char *absent;  // for the reference: what holds without the key; not of TABLE
    const char *meaning; // for the reference: one sentence
};

// Fill the struct from map, key by key. Nothing is an empty mapping; a scalar or a list is a
// complaint. what: the mapping's name as it goes into sentences, "the spec", "node 'work11'".
void yaml_map(struct yaml_source *source, const struct yaml_node *map, const char *what,
    const struct yaml_key *keys, void *target);

// Fill one member from one value by the rules of key. name: the scalar of the key, for its place.
void yaml_map_value(struct yaml_source *source, const struct yaml_node *name,
    const struct yaml_node *value, const struct yaml_key *key, void *target);

// "'NAME' must be EXPECTED, not FOUND", at value; EXPECTED as yaml_expected(key).
void yaml_complain_wrong(
    struct yaml_source *source, const struct yaml_node *value, const struct yaml_key *key);

// What a value of key must be: "a whole number from 1 to 64", "haproxy or redis". Caller frees.
char *yaml_expected(const struct yaml_key *key);

#endif
