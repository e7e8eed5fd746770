// spec_one.h - properties of any bytes parsed as a spec, for the fuzzer and the unit test. A
// violation aborts.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_SPEC_ONE_H
#define AIRBUILD_TESTS_SPEC_ONE_H

#include "base/cleanup.h"
#include "spec/spec.h"
#include "yaml/writer.h"
#include "yaml/yaml.h"

#include <stdlib.h>
#include <string.h>

static inline void
must(bool holds)
{
    if (!holds)
        abort();
}

static inline json_t *
spec_one_json(const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        return json_string_nocheck(node->text);
    json_t *copy = node->kind == YAML_MAP ? json_object() : json_array();
    for (size_t i = 0; i < node->count; i++) {
        json_t *item = spec_one_json(node->items[i]);
        must((node->kind == YAML_MAP ? json_object_set_new_nocheck(copy, node->keys[i]->text, item)
                                     : json_array_append_new(copy, item)) == 0);
    }
    return copy;
}

static inline void
spec_one_same(const struct yaml_node *a, const struct yaml_node *b)
{
    must(a->kind == b->kind && a->count == b->count);
    must(a->kind != YAML_SCALAR || strcmp(a->text, b->text) == 0);
    for (size_t i = 0; i < a->count; i++) {
        must(a->kind != YAML_MAP || strcmp(a->keys[i]->text, b->keys[i]->text) == 0);
        spec_one_same(a->items[i], b->items[i]);
    }
}

// Everything that can be read stays the same when it is written and read again.
static inline void
spec_one_round_trip(const char *text, size_t length)
{
    YAML_SOURCE_AUTO struct yaml_source source = {.origin = "a", .text = text, .length = length};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    must((root == NULL) == (source.error_total > 0));
    if (root == NULL)
        return;
    ERROR_AUTO struct error err = {0};
    json_auto_t *value = spec_one_json(root);
    FREE_AUTO char *written = NULL;
    must(yaml_write("#head\n", value, &written, &err) == 0);
    if (strlen(written) > YAML_TEXT_MAX)
        return;
    YAML_SOURCE_AUTO struct yaml_source again = {
        .origin = "b", .text = written, .length = strlen(written)};
    YAML_NODE_AUTO struct yaml_node *copy = yaml_read(&again);
    must(copy != NULL);
    spec_one_same(root, copy);
}

static inline void
spec_one(const char *text, size_t length)
{
    SPEC_AUTO struct spec *spec = NULL;
    ERROR_AUTO struct error err = {0};
    if (spec_parse("fuzz.yaml", text, length, &spec, &err) != 0) {
        must(spec == NULL && err.code == ERR_SPEC && err.message != NULL);
        // No control characters for the terminal.
        for (const char *at = err.message; *at != '\0'; at++)
            must((unsigned char) *at >= ' ' || *at == '\n' || *at == '\t');
    } else {
        FREE_AUTO char *canonical = spec_canonical(spec);
        must(canonical[0] != '\0');
        must(spec_head(spec) != NULL && spec_first_master(spec) != NULL);
        must(!spec->ha || spec_worker_count(spec) >= 3);
        must(spec->redis.quorum >= 1 && spec->redis.quorum <= spec_worker_count(spec));
        for (size_t i = 0; i < spec->node_count; i++)
            must(spec_find(spec, spec->nodes[i].name) == &spec->nodes[i]);
    }
    spec_one_round_trip(text, length);
}

#endif
