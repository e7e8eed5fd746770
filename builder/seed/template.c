// template.c - fill in templates. Of a YAML template the tree is read, every @name@ in it checked,
// and the tree written with the values in it; plain text is filled in line by line.
// SPDX-License-Identifier: Apache-2.0
#include "seed/template.h"

#include "base/cleanup.h"
#include "yaml/writer.h"
#include "yaml/yaml.h"

#include <stdint.h>
#include <string.h>

struct fill {
    struct yaml_source *source;
    const struct template_value *values;
    size_t count;
    const struct template_value *row; // of plain text: the row that is repeated; NULL outside
    size_t column_count;
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
find_in(const struct template_value *values, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(values[i].name) == length && strncmp(values[i].name, name, length) == 0)
            return &values[i];
    return NULL;
}

// The value of a mark of that length; NULL when there is none.
static const struct template_value *
find_value(const struct fill *fill, const char *mark, size_t length)
{
    const struct template_value *value = NULL;
    if (fill->row != NULL)
        value = find_in(fill->row, fill->column_count, mark + 1, length - 2);
    return value != NULL ? value : find_in(fill->values, fill->count, mark + 1, length - 2);
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
complain_unknown(const struct fill *fill, const struct yaml_node *node, const char *name)
{
    FREE_AUTO const char **names = mem_zero(fill->count + 1, sizeof(char *));
    for (size_t i = 0; i < fill->count; i++)
        names[i] = fill->values[i].name;
    const char *nearest = str_nearest(name, names);
    if (nearest != NULL)
        yaml_error(
            fill->source, node, "there is no value '@%s@'; did you mean '@%s@'?", name, nearest);
    else
        yaml_error(fill->source, node,
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
            FREE_AUTO char *name = str_ndup(mark + 1, length - 2);
            complain_unknown(fill, node, name);
            continue;
        }
        if (value >= fill->values && value < fill->values + fill->count)
            fill->used[value - fill->values] = true;
        if (value->kind == TEMPLATE_ROWS)
            yaml_error(fill->source, node, "'@%s@' is not text; write '@each %s@'", value->name,
                value->name);
        else if (value->kind != TEMPLATE_TEXT && alone(fill, node->text) != value)
            yaml_error(fill->source, node,
                "'@%s@' is not text; write it alone, with nothing before or after it", value->name);
    }
}

static void
check_tree(const struct fill *fill, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        check_scalar(fill, node);
    for (size_t i = 0; i < node->count; i++)
        check_tree(fill, node->items[i]);
}

// ---- write -------------------------------------------------------------------------------------

// A node is left out when a value of its text, or of a text right below a mapping, is NULL, or when
// nothing is left of its content.
static bool
is_node_kept(const struct fill *fill, const struct yaml_node *node)
{
    size_t kept = 0, length;
    if (node->kind == YAML_SCALAR) {
        for (const char *mark = next_mark(node->text, &length); mark != NULL;
             mark = next_mark(mark + length, &length)) {
            const struct template_value *value = find_value(fill, mark, length);
            if (value->kind == TEMPLATE_TEXT && value->text == NULL)
                return false;
        }
        return true;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (is_node_kept(fill, node->items[i]))
            kept++;
        else if (node->kind == YAML_MAP && node->items[i]->kind == YAML_SCALAR)
            return false;
    }
    return kept > 0 || node->count == 0;
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

// These return a new reference; the writer checks the texts.
static json_t *
fill_scalar(const struct fill *fill, const struct yaml_node *node)
{
    const struct template_value *value = alone(fill, node->text);
    size_t length;
    bool plain = node->plain && next_mark(node->text, &length) == NULL;
    unsigned long long number;
    if (value != NULL && value->kind == TEMPLATE_LIST) {
        json_t *list = json_array();
        for (size_t i = 0; i < value->list->count; i++)
            json_array_append_new(list, json_string_nocheck(value->list->items[i]));
        return list;
    }
    if (value != NULL && value->kind == TEMPLATE_TRUTH)
        return json_boolean(value->truth);
    if (plain && yaml_is_null(node))
        return json_null();
    if (plain && (str_equal(node->text, "true") || str_equal(node->text, "false")))
        return json_boolean(node->text[0] == 't');
    // YAML 1.1 and 1.2 read such a number alike: no sign, no leading zero.
    if (plain && (node->text[0] != '0' || node->text[1] == '\0') &&
        str_to_u64(node->text, INT32_MAX, &number))
        return json_integer((json_int_t) number);
    FREE_AUTO char *text = expand(fill, node->text);
    return json_string_nocheck(text);
}

static json_t *
fill_node(const struct fill *fill, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        return fill_scalar(fill, node);
    json_t *filled = node->kind == YAML_MAP ? json_object() : json_array();
    for (size_t i = 0; i < node->count; i++) {
        if (!is_node_kept(fill, node->items[i]))
            continue;
        json_t *item = fill_node(fill, node->items[i]);
        if (node->kind == YAML_MAP)
            json_object_set_new_nocheck(filled, node->keys[i]->text, item);
        else
            json_array_append_new(filled, item);
    }
    return filled;
}

static int
fill_yaml(struct fill *fill, const char *head, char **ret, struct error *err)
{
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(fill->source);
    if (root != NULL) {
        if (root->kind != YAML_MAP)
            yaml_error(fill->source, root,
                "a template must be a mapping; begin it with 'key: value' lines");
        check_tree(fill, root);
        for (size_t i = 0; i < fill->count; i++)
            if (fill->values[i].required && !fill->used[i])
                yaml_error(fill->source, NULL,
                    "the template does not contain '@%s@', which every node needs; put it back",
                    fill->values[i].name);
    }
    if (yaml_result(fill->source, err) < 0)
        return -1;
    json_auto_t *filled = fill_node(fill, root);
    if (yaml_write(head, filled, ret, err) < 0)
        return error_context(err, "template '%s'", fill->source->origin);
    return 0;
}

// ---- plain text --------------------------------------------------------------------------------

#define EACH "@each "
#define WHEN "@when "
#define END "@end@"

static bool
is_directive(const char *line)
{
    return (str_starts(line, EACH) || str_starts(line, WHEN)) && str_ends(line, "@");
}

// Lines from first up to last, which is not one of them; the first line has number 1.
static void
fill_lines(
    const struct fill *fill, const struct strv *lines, size_t first, size_t last, struct buf *out)
{
    for (size_t i = first; i < last; i++) {
        const struct yaml_node line = {
            .text = lines->items[i], .line = (unsigned) i + 1, .column = 1};
        size_t complaints = fill->source->error_total;
        if (is_directive(line.text))
            yaml_error(fill->source, &line, "blocks do not nest; write '" END "' before it");
        else
            check_scalar(fill, &line);
        if (fill->source->error_total > complaints)
            continue;
        FREE_AUTO char *text = expand(fill, line.text);
        buf_printf(out, "%s\n", text);
    }
}

// The block whose directive is the line at first and whose @end@ is the one at last.
static void
fill_block(struct fill *fill, const struct strv *lines, size_t first, size_t last, struct buf *out)
{
    const struct yaml_node line = {
        .text = lines->items[first], .line = (unsigned) first + 1, .column = 1};
    const char *start = line.text + strlen(EACH); // as long as WHEN
    FREE_AUTO char *name = str_ndup(start, strcspn(start, "=@"));
    bool each = str_starts(line.text, EACH);
    const struct template_value *value = find_in(fill->values, fill->count, name, strlen(name));
    if (value == NULL || value->kind != (each ? TEMPLATE_ROWS : TEMPLATE_TEXT)) {
        complain_unknown(fill, &line, name);
        return;
    }
    if (!each) {
        FREE_AUTO char *wanted = str_format(WHEN "%s=%s@", name, value->text);
        if (str_equal(line.text, wanted))
            fill_lines(fill, lines, first + 1, last, out);
        return;
    }
    fill->column_count = value->column_count;
    for (size_t i = 0; i < value->row_count; i++) {
        fill->row = value->cells + i * value->column_count;
        fill_lines(fill, lines, first + 1, last, out);
    }
    fill->row = NULL;
}

static int
fill_text(struct fill *fill, char **ret, struct error *err)
{
    STRV_AUTO struct strv lines = {0};
    BUF_AUTO struct buf out = {0};
    size_t length = fill->source->length;
    bool ended = length > 0 && fill->source->text[length - 1] == '\n';
    FREE_AUTO char *text = str_ndup(fill->source->text, length - (ended ? 1 : 0));
    strv_split(&lines, text, '\n');
    if (strlen(fill->source->text) != length)
        yaml_error(fill->source, NULL, "the template has a NUL byte; write plain text");
    for (size_t i = 0; i < lines.count; i++) {
        if (!is_directive(lines.items[i])) {
            fill_lines(fill, &lines, i, i + 1, &out);
            continue;
        }
        size_t end = i + 1;
        while (end < lines.count && !str_equal(lines.items[end], END))
            end++;
        if (end == lines.count)
            yaml_error(fill->source, &(struct yaml_node){.line = (unsigned) i + 1, .column = 1},
                "the block has no end; write '" END "' in a line of its own after it");
        else
            fill_block(fill, &lines, i, end, &out);
        i = end;
    }
    if (yaml_result(fill->source, err) < 0)
        return -1;
    *ret = buf_take(&out);
    return 0;
}

int
template_fill(const char *origin, const char *template, size_t length, const char *head,
    const struct template_value *values, size_t count, char **ret, struct error *err)
{
    YAML_SOURCE_AUTO struct yaml_source source = {
        .origin = origin, .text = template, .length = length};
    FREE_AUTO bool *used = mem_zero(count, sizeof *used);
    struct fill fill = {.source = &source, .values = values, .count = count, .used = used};
    return str_ends(origin, ".yaml") ? fill_yaml(&fill, head, ret, err)
                                     : fill_text(&fill, ret, err);
}
