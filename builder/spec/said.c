// said.c - which values a spec says itself, and the others taken from what a cluster was launched
// with: a default that an upgrade changes then changes no cluster that is there.
// SPDX-License-Identifier: Apache-2.0
#include "spec/parts.h"

#include "base/cleanup.h"

#include <string.h>

static void
collect_paths(const struct yaml_node *node, const char *path, struct strv *ret)
{
    if (node->kind != YAML_MAP || node->count == 0) {
        strv_add(ret, path);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        FREE_AUTO char *below =
            str_format("%s%s%s", path, path[0] != '\0' ? "." : "", node->keys[i]->text);
        collect_paths(node->items[i], below, ret);
    }
}

void
spec_collect_said(struct spec_draft *draft)
{
    collect_paths(draft->root, "", &draft->spec->said);
}

// The key of a base without the role before it: NULL when it is of no base.
static const char *
base_key_of(const char *key)
{
    for (size_t i = 0; i < SPEC_ROLES; i++) {
        FREE_AUTO char *role = str_format("%s.base", spec_role_name((enum spec_role) i));
        if (str_starts(key, role))
            return key + strlen(role) - strlen("base");
    }
    return str_equal(key, "base") || str_starts(key, "base.") ? key : NULL;
}

// "base" is said by whatever is said of a base; "base.debian.suite" for one role or for both.
static bool
says_base(const struct spec *spec, const char *key)
{
    for (size_t i = 0; i < spec->said.count; i++) {
        const char *said = spec->said.items[i];
        bool of_base = str_equal(said, "base") || str_starts(said, "base.");
        if (of_base && (str_equal(key, "base") || str_ends(said, key + strlen("base"))))
            return true;
    }
    return false;
}

bool
spec_says(const struct spec *spec, const char *key)
{
    const char *base = base_key_of(key);
    return base != NULL ? says_base(spec, base) : strv_has(&spec->said, key);
}

// The key's line in the tables, and the struct that its member is in; NULL when there is none.
static const struct yaml_key *
find_key_of_path(const struct yaml_key *keys, const char *path, char **target)
{
    for (; keys->name != NULL; keys++) {
        size_t length = strlen(keys->name);
        if (keys->type == YAML_TABLE && str_starts(path, keys->name) && path[length] == '.') {
            *target += keys->offset;
            return find_key_of_path(keys->keys, path + length + 1, target);
        }
        if (str_equal(path, keys->name))
            return keys;
    }
    return NULL;
}

// "nodes.work11.memory": names hold no dot.
static const struct yaml_key *
find_node_key(struct spec *spec, const char *path, char **target)
{
    const char *name = path + strlen("nodes.");
    const char *dot = strchr(name, '.');
    for (size_t i = 0; dot != NULL && i < spec->node_count; i++) {
        struct spec_node *node = &spec->nodes[i];
        if (strlen(node->name) == (size_t) (dot - name) &&
            strncmp(node->name, name, (size_t) (dot - name)) == 0) {
            *target = (char *) node;
            return find_key_of_path(node_keys, dot + 1, target);
        }
    }
    return NULL;
}

// Lists, and what has a form of its own, are not taken; nor is what the key would not allow.
static void
restore_value(struct spec *spec, const char *path, const char *value)
{
    char *target = (char *) spec;
    const struct yaml_key *key = str_starts(path, "nodes.")
                                     ? find_node_key(spec, path, &target)
                                     : find_key_of_path(spec_keys, path, &target);
    if (key == NULL || key->type == YAML_CUSTOM || key->type == YAML_STRINGS ||
        key->type == YAML_TABLE)
        return;
    YAML_SOURCE_AUTO struct yaml_source source = {.origin = "", .text = "", .length = 0};
    FREE_AUTO char *name_text = str_dup(key->name), *text = str_dup(value);
    const struct yaml_node name = {.kind = YAML_SCALAR, .text = name_text, .plain = true};
    const struct yaml_node node = {.kind = YAML_SCALAR, .text = text, .plain = true};
    yaml_map_value(&source, &name, &node, key, target);
}

static bool
is_recalled(const struct spec *spec, const char *key)
{
    return !str_equal(key, "cluster") && !str_starts(key, "network.") && !str_ends(key, ".role") &&
           !str_ends(key, ".address") && !spec_says(spec, key);
}

void
spec_recall(struct spec *spec, const char *canonical)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, canonical, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        char *colon = strstr(lines.items[i], ": ");
        if (colon == NULL)
            continue;
        *colon = '\0';
        if (is_recalled(spec, lines.items[i]))
            restore_value(spec, lines.items[i], colon + 2);
    }
}
