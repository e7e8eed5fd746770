// map.h - mappings read into structs by tables of keys, their types, ranges, members and
// documentation. Unknown keys, missing keys and wrong values become errors of the source.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_YAML_MAP_H
#define AIRBUILD_YAML_MAP_H

#include "yaml/yaml.h"

#include <stddef.h>

enum yaml_type {
    YAML_STRING,   // char *: a scalar, not empty; the old value of the member is freed
    YAML_BOOL,     // bool: on/off, yes/no, true/false
    YAML_UNSIGNED, // unsigned: decimal
    YAML_SIZE,     // uint64_t bytes, or unsigned when unit is set: 512M, 10G; powers of 1024
    YAML_DURATION, // unsigned milliseconds, or units: 2000ms, 2s, 5m, 1h
    YAML_WORD,     // enum (as unsigned): the index of one of words
    YAML_STRINGS,  // struct strv: a list of scalars, none empty; likewise
    YAML_TABLE,    // a struct: a mapping of its own, by keys
    YAML_CUSTOM,   // anything: read by custom
};

// One key. A table ends with a key whose name is NULL. Members keep their values when their key is
// absent, so set defaults before. A key without a value is an error, but a TABLE or STRINGS without
// one is empty, so that all its lines may be commented out.
struct yaml_key {
    const char *name; // "": for the reference, which shows the table keys in its place
    enum yaml_type type;
    bool required;
    size_t offset;               // of the member, by offsetof
    unsigned long long min, max; // UNSIGNED, SIZE (bytes), DURATION (ms)
    unsigned long long unit;     // SIZE (bytes), DURATION (ms): the member counts these; 0: plain
    const char *const *words;    // WORD: NULL-terminated; SIZE with a unit: [0] is 0; or NULL
    const struct yaml_key *keys; // TABLE; CUSTOM: keys inside, for the reference
    bool (*valid)(const char *text); // STRING, item of STRINGS; NULL: any but the empty one
    // CUSTOM: sets member from value, which is not null, or adds errors. name: the key.
    void (*custom)(struct yaml_source *source, const struct yaml_node *name,
        const struct yaml_node *value, void *member);
    // A value (of STRINGS: an item) in words, "a host name"; CUSTOM and valid need it, else NULL.
    const char *form;
    const char *absent;  // for the reference: the default; not of TABLE
    const char *meaning; // for the reference: one sentence
};

// Sets the members of target from map. Null is an empty mapping; a scalar or a list is an error.
// what: the mapping's name in errors, "the spec", "node 'work11'".
void yaml_map(struct yaml_source *source, const struct yaml_node *map, const char *what,
    const struct yaml_key *keys, void *target);

// Sets one member from one value by the rules of key. name: the node of the key, for its place.
void yaml_map_value(struct yaml_source *source, const struct yaml_node *name,
    const struct yaml_node *value, const struct yaml_key *key, void *target);

// Adds the error "'NAME' must be EXPECTED, not FOUND" at value, with EXPECTED of yaml_expected.
void yaml_error_value(
    struct yaml_source *source, const struct yaml_node *value, const struct yaml_key *key);

// Returns the valid values of key in words, "a whole number from 1 to 64"; the caller frees.
char *yaml_expected(const struct yaml_key *key);

#endif
