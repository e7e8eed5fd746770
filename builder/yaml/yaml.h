// yaml.h - YAML read into a tree whose every node knows its place, and complaints that show the
// place. Only the plain part of YAML is read: no anchors, aliases, tags, directives, duplicate
// keys, second documents; depth, size and count are limited.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_YAML_YAML_H
#define AIRBUILD_YAML_YAML_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define YAML_TEXT_MAX ((size_t) 1 << 20) // bytes of a text
#define YAML_DEPTH_MAX 32                // collections inside each other
#define YAML_NODE_MAX 100000             // keys, values and collections together
#define YAML_COMPLAINT_MAX 10            // told of one text; the others are only counted

struct yaml_complaint {
    unsigned line, column; // from 1; line 0: the whole text
    char *sentence;
};

// A text, where it came from, and what is wrong with it. Start as
// `YAML_SOURCE_AUTO struct yaml_source source = {.origin = path, .text = text, .length = length};`
// The three are borrowed and must outlive it.
struct yaml_source {
    const char *origin; // path or name for messages
    const char *text;
    size_t length;
    struct yaml_complaint complaints[YAML_COMPLAINT_MAX]; // the first ones by place
    size_t complaint_count;                               // of the array above
    size_t complaint_total;                               // all that were made
};
void yaml_source_clear(struct yaml_source *source);
#define YAML_SOURCE_AUTO __attribute__((cleanup(yaml_source_clear)))

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

// Read source's text. NULL when it is refused; the complaints then tell why. Caller frees.
struct yaml_node *yaml_read(struct yaml_source *source);
void yaml_node_free(struct yaml_node *node);
void yaml_node_freep(struct yaml_node **node);
#define YAML_NODE_AUTO __attribute__((cleanup(yaml_node_freep)))

// Value of a key; NULL when map is NULL, is no mapping or has no such key.
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
// The node of the key itself, for its place.
const struct yaml_node *yaml_get_key(const struct yaml_node *map, const char *key);
// The value of a key in a mapping of root, else the key of that mapping; NULL when it has neither.
const struct yaml_node *yaml_place(const struct yaml_node *root, const char *map, const char *key);
// Plain and empty, '~' or 'null'.
bool yaml_is_nothing(const struct yaml_node *node);

// Add a complaint: one sentence, without a full stop, that ends with the mend. at: the node it is
// about; NULL: the whole text.
void yaml_complain(struct yaml_source *source, const struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void yaml_complain_at(struct yaml_source *source, unsigned line, unsigned column,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

// 0 when there was no complaint; else -1 and ERR_SPEC: every complaint as ORIGIN:LINE:COLUMN:
// sentence, then the line of the text and a caret under the place; by line.
int yaml_verdict(const struct yaml_source *source, struct error *err);

// text for a message: in single quotes, what cannot be seen as \xNN, cut after 40 characters.
// Caller frees.
char *yaml_quote(const char *text);

#endif
