// template.c - fill in a YAML template: read it as a tree, check every @name@, write the tree with
// the values in it. It does not know what the document means.
// SPDX-License-Identifier: Apache-2.0
#include "seed/template.h"

#include "base/cleanup.h"
#include "yaml/writer.h"
#include "yaml/yaml.h"

#include <stdint.h>
#include <string.h>

struct fill {
    struct yaml_source *source;
    struct yaml_writer *writer;
    const struct template_value *values;
    size_t count;
    bool *used; // by value
};

// The next @name@ at or after text: its first character; its length with both @ in *ret_length.
// NULL when there is none.
static const char *
next_mark(const char *text, size_t *ret_length)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz_";
    for (const char *at = strchr(text, '@'); at != NULL; at = strchr(at + 1, '@')) {
        size_t length = strspn(at + 1, name);
        if (length > 0 && at[1 + length] == '@') {
            *ret_length = length + 2;
            return at;
        }
    }
    return NULL;
}

static const struct template_value *
find_value(const struct fill *fill, const char *mark, size_t length)
{
    for (size_t i = 0; i < fill->count; i++) {
        const char *name = fill->values[i].name;
        if (strlen(name) == length - 2 && strncmp(name, mark + 1, length - 2) == 0)
            return &fill->values[i];
    }
    return NULL;
}

// The value when text is @name@ and nothing else.
static const struct template_value *
alone(const struct fill *fill, const char *text)
{
    size_t length;
    const char *mark = next_mark(text, &length);
    return mark == text && text[length] == '\0' ? find_value(fill, mark, length) : NULL;
}

// ---- check -------------------------------------------------------------------------------------

static void
complain_unknown(
    const struct fill *fill, const struct yaml_node *node, const char *mark, size_t length)
{
    FREE_AUTO char *name = str_ndup(mark + 1, length - 2);
    FREE_AUTO const char **names = mem_zero(fill->count, sizeof(char *));
    for (size_t i = 0; i < fill->count; i++)
        names[i] = fill->values[i].name;
    const char *nearest = str_nearest(name, names, fill->count);
    if (nearest != NULL)
        yaml_complain(
            fill->source, node, "there is no value '@%s@'; did you mean '@%s@'?", name, nearest);
    else
        yaml_complain(fill->source, node,
            "there is no value '@%s@'; the template that airbuild carries shows all of them", name);
}

static void
check_scalar(const struct fill *fill, const struct yaml_node *node)
{
    size_t length;
    for (const char *mark = next_mark(node->text, &length); mark != NULL;
         mark = next_mark(mark + length, &length)) {
        const struct template_value *value = find_value(fill, mark, length);
        if (value == NULL) {
            complain_unknown(fill, node, mark, length);
            continue;
        }
        fill->used[value - fill->values] = true;
        if (value->kind != TEMPLATE_TEXT && alone(fill, node->text) != value)
            yaml_complain(fill->source, node,
                "'@%s@' is no text; write it alone, with nothing before or after it", value->name);
    }
}

static void
check_kept_key(const struct fill *fill, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        check_scalar(fill, node);
    for (size_t i = 0; i < node->count; i++)
        check_kept_key(fill, node->items[i]);
}

static void
check_all(const struct fill *fill, const struct yaml_node *root)
{
    if (root->kind != YAML_MAP)
        yaml_complain(
            fill->source, root, "a template is a mapping; begin it with 'key: value' lines");
    check_kept_key(fill, root);
    for (size_t i = 0; i < fill->count; i++)
        if (fill->values[i].required && !fill->used[i])
            yaml_complain(fill->source, NULL,
                "the template never asks for '@%s@', which every node needs; put it back",
                fill->values[i].name);
}

// ---- write -------------------------------------------------------------------------------------

static bool
asks_for_nothing(const struct fill *fill, const char *text)
{
    size_t length;
    for (const char *mark = next_mark(text, &length); mark != NULL;
         mark = next_mark(mark + length, &length)) {
        const struct template_value *value = find_value(fill, mark, length);
        if (value->kind == TEMPLATE_TEXT && value->text == NULL)
            return true;
    }
    return false;
}

// Whether a node is written: not when it asks for a value that is not there, when a text right
// below a mapping does, or when nothing of what it held is left.
static bool
is_node_kept(const struct fill *fill, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        return !asks_for_nothing(fill, node->text);
    size_t kept = 0;
    for (size_t i = 0; i < node->count; i++) {
        if (is_node_kept(fill, node->items[i]))
            kept++;
        else if (node->kind == YAML_MAP && node->items[i]->kind == YAML_SCALAR)
            return false;
    }
    return kept > 0 || node->count == 0;
}

static void
write_list(const struct fill *fill, const struct strv *list)
{
    yaml_write_list(fill->writer);
    for (size_t i = 0; i < list->count; i++)
        yaml_write_string(fill->writer, list->items[i]);
    yaml_write_end(fill->writer);
}

static char *
expand(const struct fill *fill, const char *text)
{
    struct buf out = {0};
    size_t length;
    for (const char *mark; (mark = next_mark(text, &length)) != NULL; text = mark + length) {
        buf_add_bytes(&out, text, (size_t) (mark - text));
        buf_add(&out, find_value(fill, mark, length)->text);
    }
    buf_add(&out, text);
    return buf_take(&out);
}

// A decimal number as YAML 1.1 and 1.2 both read it: no sign, no zero before others.
static bool
is_number(const char *text, unsigned long long *ret)
{
    return (text[0] != '0' || text[1] == '\0') && str_to_u64(text, INT32_MAX, ret);
}

static void
write_plain(const struct fill *fill, const struct yaml_node *node)
{
    unsigned long long number;
    if (yaml_is_nothing(node))
        yaml_write_string(fill->writer, NULL);
    else if (str_equal(node->text, "true") || str_equal(node->text, "false"))
        yaml_write_bool(fill->writer, node->text[0] == 't');
    else if (is_number(node->text, &number))
        yaml_write_int(fill->writer, (long long) number);
    else
        yaml_write_string(fill->writer, node->text);
}

static void
fill_scalar(const struct fill *fill, const struct yaml_node *node)
{
    const struct template_value *value = alone(fill, node->text);
    size_t length;
    if (value != NULL && value->kind == TEMPLATE_LIST) {
        write_list(fill, value->list);
    } else if (value != NULL && value->kind == TEMPLATE_TRUTH) {
        yaml_write_bool(fill->writer, value->truth);
    } else if (next_mark(node->text, &length) == NULL && node->plain) {
        write_plain(fill, node);
    } else {
        FREE_AUTO char *text = expand(fill, node->text);
        yaml_write_string(fill->writer, text);
    }
}

static void
fill_node(const struct fill *fill, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        fill_scalar(fill, node);
        return;
    }
    if (node->kind == YAML_MAP)
        yaml_write_map(fill->writer);
    else
        yaml_write_list(fill->writer);
    for (size_t i = 0; i < node->count; i++) {
        if (!is_node_kept(fill, node->items[i]))
            continue;
        if (node->kind == YAML_MAP)
            yaml_write_key(fill->writer, node->keys[i]->text);
        fill_node(fill, node->items[i]);
    }
    yaml_write_end(fill->writer);
}

int
template_fill(const char *origin, const char *template, size_t length, const char *head,
    const struct template_value *values, size_t count, char **ret, struct error *err)
{
    YAML_SOURCE_AUTO struct yaml_source source = {
        .origin = origin, .text = template, .length = length};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    FREE_AUTO bool *used = mem_zero(count, sizeof *used);
    struct fill fill = {.source = &source, .values = values, .count = count, .used = used};
    if (root != NULL)
        check_all(&fill, root);
    if (yaml_verdict(&source, err) < 0)
        return -1;
    YAML_WRITER_AUTO struct yaml_writer *writer = yaml_writer_new(head);
    fill.writer = writer;
    fill_node(&fill, root);
    if (yaml_writer_finish(writer, ret, err) < 0)
        return error_context(err, "template '%s'", origin);
    return 0;
}
