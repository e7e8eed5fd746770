// yaml.h - YAML read into a tree of nodes with their places, and errors that show the place.
// Anchors, aliases, tags, directives, duplicate keys and second documents are refused; depth, size
// and number of nodes are limited.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_YAML_YAML_H
#define AIRBUILD_YAML_YAML_H

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define YAML_TEXT_MAX ((size_t) 1 << 20) // bytes of a text
#define YAML_DEPTH_MAX 32                // collections inside each other
#define YAML_NODE_MAX 100000             // keys, values and collections together
#define YAML_ERROR_MAX 10                // shown for one text; the others are only counted

struct yaml_diagnostic {
    unsigned line, column; // from 1; line 0: about the whole text
    char *sentence;
};

// A text, its origin and its errors. Start as
// `YAML_SOURCE_AUTO struct yaml_source source = {.origin = path, .text = text, .length = length};`
// It borrows what these and context point to.
struct yaml_source {
    const char *origin; // path or name for messages
    const char *text;   // yaml_read moves it behind a byte order mark
    size_t length;
    struct yaml_diagnostic diagnostics[YAML_ERROR_MAX]; // the first ones of the text
    size_t error_count;                                 // of the array above
    size_t error_total;                                 // including those that are not kept
    const void *context;                                // for the custom functions of keys
};
void yaml_source_clear(struct yaml_source *source);
#define YAML_SOURCE_AUTO CLEANUP(yaml_source_clear)

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    unsigned line, column;    // from 1, in characters
    char *text;               // YAML_SCALAR: without quotes; never NULL, no NUL byte inside
    bool plain;               // YAML_SCALAR: was written without quotes and not as a block
    struct yaml_node **keys;  // YAML_MAP: scalars, in the order of the text, all different
    struct yaml_node **items; // YAML_MAP: the values; YAML_LIST: the items
    size_t count;             // of items (and of keys)
    size_t capacity;
};

// Returns the tree of the text, which the caller frees; NULL when source has errors.
struct yaml_node *yaml_read(struct yaml_source *source);
void yaml_node_free(struct yaml_node *node);
DEFINE_FREEP(struct yaml_node, yaml_node_free)
#define YAML_NODE_AUTO CLEANUP(yaml_node_freep)

// Returns the value of a key; NULL when map is NULL, not a mapping, or has no such key.
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
// Returns the node of the key itself, for its place.
const struct yaml_node *yaml_get_key(const struct yaml_node *map, const char *key);
// Returns the value of key in the mapping map of root, else the node of the key map; NULL when root
// has no such mapping.
const struct yaml_node *yaml_place(const struct yaml_node *root, const char *map, const char *key);
// Whether the node is null: empty, '~' or 'null', without quotes.
bool yaml_is_null(const struct yaml_node *node);

// Adds an error: one sentence, without a full stop, that ends with how to fix it. at: the node it
// is about; NULL: the whole text.
void yaml_error(struct yaml_source *source, const struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Returns 0 when there are no errors; else -1 and ERR_SPEC with each error as "ORIGIN:LINE:COLUMN:
// SENTENCE", the line of the text, and a caret under the place.
int yaml_result(const struct yaml_source *source, struct error *err);

// Returns text for a message, which the caller frees: in single quotes, unprintable bytes as \xNN,
// cut after 40 characters.
char *yaml_quote(const char *text);

#endif
