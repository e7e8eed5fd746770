// map.c - see map.h. Whether values fit each other is checked by the callers.
// SPDX-License-Identifier: Apache-2.0
#include "yaml/map.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define MAPPING "a mapping of keys to values such as 'key: value'"

// ---- scalars ------------------------------------------------------------------------------------

struct unit {
    const char *name;
    unsigned long long factor;
};

// Limits are written with the first name of their factor.
static const struct unit sizes[] = {{"T", 1ULL << 40}, {"G", 1ULL << 30}, {"M", 1ULL << 20},
    {"K", 1ULL << 10}, {"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20},
    {"KiB", 1ULL << 10}, {NULL, 0}};
static const struct unit times[] = {
    {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

static bool
scalar_bool(const char *text, bool *ret)
{
    static const char *const words[] = {"on", "yes", "true", "off", "no", "false"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *ret = i < 3;
            return true;
        }
    return false;
}

// YAML 1.1 reads 010 as octal, 1.2 does not: it is refused.
static bool
with_unit(const char *text, const struct unit *units, unsigned long long *ret)
{
    size_t digits = strspn(text, "0123456789");
    FREE_AUTO char *number = str_ndup(text, digits);
    unsigned long long count;
    if ((text[0] == '0' && digits > 1) || !str_to_u64(number, ULLONG_MAX, &count))
        return false;
    for (; units->name != NULL; units++)
        if (strcmp(text + digits, units->name) == 0)
            return !__builtin_mul_overflow(count, units->factor, ret);
    return false;
}

static void
add_with_unit(struct buf *out, unsigned long long number, const struct unit *units)
{
    while (units[1].name != NULL && (number == 0 || number % units->factor != 0))
        units++;
    buf_printf(out, "%llu%s", number / units->factor, units->name);
}

// ---- sentences ----------------------------------------------------------------------------------

// Returns "a list", "a mapping", "nothing", "'abc'" or "the quoted text '2'"; the caller frees it.
// Mentions quotes only where they are the error. key: what the value is for; NULL: a mapping.
static char *
describe_node(const struct yaml_node *node, const struct yaml_key *key)
{
    bool text = key != NULL && (key->type == YAML_STRING || key->type == YAML_STRINGS ||
                                   key->type == YAML_WORD || key->type == YAML_CUSTOM);
    if (node->kind == YAML_LIST)
        return str_dup("a list");
    if (node->kind == YAML_MAP)
        return str_dup("a mapping");
    if (yaml_is_null(node))
        return str_dup("nothing");
    FREE_AUTO char *quoted = yaml_quote(node->text);
    return str_format("%s%s", node->plain || text ? "" : "the quoted text ", quoted);
}

static void
add_limits(struct buf *out, const struct yaml_key *key, const struct unit *units)
{
    if (key->min == 0 && key->max == 0)
        return;
    buf_add(out, key->max == 0 ? ", at least " : ", from ");
    add_with_unit(out, key->min, units);
    if (key->max == 0)
        return;
    buf_add(out, " to ");
    add_with_unit(out, key->max, units);
}

char *
yaml_expected(const struct yaml_key *key)
{
    struct buf out = {0};
    switch (key->type) {
    case YAML_STRING:
    case YAML_CUSTOM:
        buf_add(&out, key->form != NULL ? key->form : "a text");
        break;
    case YAML_BOOL:
        buf_add(&out, "on or off");
        break;
    case YAML_UNSIGNED:
        buf_printf(&out, "a whole number from %llu", key->min);
        if (key->max != 0)
            buf_printf(&out, " to %llu", key->max);
        break;
    case YAML_SIZE:
        if (key->words != NULL)
            buf_printf(&out, "%s, or ", key->words[0]);
        buf_add(&out, "a size such as 512M or 10G");
        add_limits(&out, key, sizes);
        break;
    case YAML_DURATION:
        buf_add(&out,
            key->unit == 1000 ? "whole seconds such as 3s" : "a duration such as 2s or 500ms");
        add_limits(&out, key, times);
        break;
    case YAML_WORD:
        for (size_t i = 0; key->words[i] != NULL; i++) {
            const char *before = i == 0 ? "" : key->words[i + 1] == NULL ? " or " : ", ";
            buf_printf(&out, "%s%s", before, key->words[i]);
        }
        break;
    case YAML_STRINGS:
        buf_printf(&out, "a list, each item %s", key->form != NULL ? key->form : "a text");
        break;
    case YAML_TABLE:
        buf_add(&out, MAPPING);
        break;
    }
    return buf_take(&out);
}

void
yaml_error_value(
    struct yaml_source *source, const struct yaml_node *value, const struct yaml_key *key)
{
    FREE_AUTO char *expected = yaml_expected(key), *found = describe_node(value, key);
    bool word = value->kind == YAML_SCALAR && key->type == YAML_WORD;
    const char *near = word ? str_nearest(value->text, key->words) : NULL;
    yaml_error(source, value, "'%s' must be %s, not %s%s%s%s", key->name, expected, found,
        near == NULL ? "" : "; did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
}

// ---- values -------------------------------------------------------------------------------------

static bool
is_valid_text(const char *text, const struct yaml_key *key)
{
    return key->valid != NULL ? key->valid(text) : text[0] != '\0';
}

// A quoted value is a text, so it cannot be a number or a boolean.
static bool
set_scalar(const struct yaml_node *value, const struct yaml_key *key, void *member)
{
    const char *text = value->text;
    unsigned long long number;
    if (key->type == YAML_STRING) {
        if (!is_valid_text(text, key))
            return false;
        free(*(char **) member);
        *(char **) member = str_dup(text);
        return true;
    }
    if (key->type == YAML_WORD) {
        unsigned i = 0;
        while (key->words[i] != NULL && strcmp(key->words[i], text) != 0)
            i++;
        if (key->words[i] != NULL)
            *(unsigned *) member = i;
        return key->words[i] != NULL;
    }
    if (!value->plain)
        return false;
    if (key->type == YAML_BOOL)
        return scalar_bool(text, member);
    if (key->type == YAML_SIZE && key->words != NULL && strcmp(text, key->words[0]) == 0) {
        *(unsigned *) member = 0;
        return true;
    }
    const struct unit *units = key->type == YAML_SIZE       ? sizes
                               : key->type == YAML_DURATION ? times
                                                            : plain;
    unsigned long long unit = key->unit == 0 ? 1 : key->unit;
    if (!with_unit(text, units, &number) || number < key->min ||
        (key->max != 0 && number > key->max) || number % unit != 0)
        return false;
    if (key->type == YAML_SIZE && key->unit == 0)
        *(uint64_t *) member = number;
    else if (number / unit <= UINT_MAX)
        *(unsigned *) member = (unsigned) (number / unit);
    else
        return false;
    return true;
}

static void
set_strings(struct yaml_source *source, const struct yaml_node *value, const struct yaml_key *key,
    struct strv *member)
{
    if (value->kind != YAML_LIST && !yaml_is_null(value)) {
        yaml_error_value(source, value, key);
        return;
    }
    strv_free(member);
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *item = value->items[i];
        if (item->kind == YAML_SCALAR && !yaml_is_null(item) && is_valid_text(item->text, key)) {
            strv_add(member, item->text);
            continue;
        }
        FREE_AUTO char *found = describe_node(item, key);
        yaml_error(source, item, "each item of '%s' must be %s, not %s", key->name,
            key->form != NULL ? key->form : "a text", found);
    }
}

void
yaml_map_value(struct yaml_source *source, const struct yaml_node *name,
    const struct yaml_node *value, const struct yaml_key *key, void *target)
{
    void *member = (char *) target + key->offset;
    if (key->type == YAML_STRINGS) {
        set_strings(source, value, key, member);
    } else if (key->type == YAML_TABLE) {
        FREE_AUTO char *what = str_format("'%s'", key->name);
        yaml_map(source, value, what, key->keys, member);
    } else if (yaml_is_null(value)) {
        FREE_AUTO char *expected = yaml_expected(key);
        yaml_error(
            source, name, "'%s' has no value; write %s, or remove the line", key->name, expected);
    } else if (key->type == YAML_CUSTOM) {
        key->custom(source, name, value, member);
    } else if (value->kind != YAML_SCALAR || !set_scalar(value, key, member)) {
        yaml_error_value(source, value, key);
    }
}

// ---- mappings -----------------------------------------------------------------------------------

static void
add_unknown_key(struct yaml_source *source, const struct yaml_node *name, const char *what,
    const struct yaml_key *keys)
{
    STRV_AUTO struct strv known = {0};
    FREE_AUTO char *quoted = yaml_quote(name->text);
    for (; keys->name != NULL; keys++)
        strv_add(&known, keys->name);
    const char *near = str_nearest(name->text, (const char *const *) known.items);
    if (near != NULL) {
        yaml_error(source, name, "%s has no key %s; did you mean '%s'?", what, quoted, near);
        return;
    }
    FREE_AUTO char *list = strv_join(&known, ", ");
    yaml_error(source, name, "%s has no key %s; its keys are %s", what, quoted, list);
}

void
yaml_map(struct yaml_source *source, const struct yaml_node *map, const char *what,
    const struct yaml_key *keys, void *target)
{
    if (map->kind != YAML_MAP && !yaml_is_null(map)) {
        FREE_AUTO char *found = describe_node(map, NULL);
        yaml_error(source, map, "%s must be " MAPPING ", not %s", what, found);
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_key *key = keys;
        while (key->name != NULL && strcmp(key->name, map->keys[i]->text) != 0)
            key++;
        if (key->name == NULL)
            add_unknown_key(source, map->keys[i], what, keys);
        else
            yaml_map_value(source, map->keys[i], map->items[i], key, target);
    }
    for (; keys->name != NULL; keys++) {
        if (!keys->required || yaml_get(map, keys->name) != NULL)
            continue;
        FREE_AUTO char *expected = yaml_expected(keys);
        yaml_error(source, map, "%s lacks the key '%s'; add it: %s", what, keys->name, expected);
    }
}
