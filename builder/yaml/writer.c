// writer.c - see writer.h. Chooses the style of each string and quotes it. Not by libyaml's
// emitter, which takes 15 times as long for the tables of large clusters.
// SPDX-License-Identifier: Apache-2.0
#include "yaml/writer.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

#define STEP 2             // columns of a level
#define SIMPLE_KEY_MAX 128 // bytes; readers take a longer key only after '? '

// ---- strings ------------------------------------------------------------------------------------

// Words that YAML 1.1 readers, such as cloud-init's, read as booleans or null:
// https://yaml.org/type/bool.html, https://yaml.org/type/null.html
static bool
is_word_of_yaml(const char *text)
{
    static const char *const words[] = {
        "y", "n", "yes", "no", "on", "off", "true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Begins with a letter or '/', so it is not a number or a date, and has no character that means
// something in YAML.
static bool
is_plain_scalar(const char *text)
{
    static const char others[] = "0123456789_./@+=-";
    size_t length = strlen(text);
    if ((!is_letter(text[0]) && text[0] != '/') || is_word_of_yaml(text))
        return false;
    for (size_t i = 1; i < length; i++) {
        bool inside = i + 1 < length && text[i + 1] != ' ' && text[i + 1] != '#';
        if (!is_letter(text[i]) && strchr(others, text[i]) == NULL && !(inside && text[i] == ' ') &&
            !(inside && text[i] == ':'))
            return false;
    }
    return true;
}

// Whether every reader keeps the lines as they are in a literal block: they have no control
// characters, do not begin with a blank and end with at most one newline.
static bool
is_literal(const char *text)
{
    size_t length = strlen(text);
    if (strchr(text, '\n') == NULL || text[0] == ' ' || text[0] == '\n' || text[0] == '\t' ||
        str_ends(text, "\n\n") || strstr(text, " \n") != NULL || text[length - 1] == ' ')
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char) *at;
        if ((byte < ' ' && byte != '\n' && byte != '\t') || byte == 0x7f)
            return false;
    }
    // YAML 1.1's line ends and byte order marks, which a reader would change or refuse.
    return strstr(text, "\xc2") == NULL && strstr(text, "\xe2\x80\xa8") == NULL &&
           strstr(text, "\xe2\x80\xa9") == NULL && strstr(text, "\xef") == NULL;
}

// In double quotes, with everything escaped that is not printable or has more than 16 bits.
static void
add_quoted(struct buf *out, const char *text)
{
    struct text_iter iter = {.next = text, .left = strlen(text)};
    buf_add(out, "\"");
    while (text_next(&iter)) {
        const unsigned char *at = (const unsigned char *) iter.at;
        unsigned code = at[0] & (iter.length == 1 ? 0x7fU : 0x7fU >> iter.length);
        for (size_t i = 1; i < iter.length; i++)
            code = code << 6 | (at[i] & 0x3fU);
        if (code == '"' || code == '\\')
            buf_printf(out, "\\%c", (char) code);
        else if (iter.kind == TEXT_PRINTABLE && iter.length < 4)
            buf_add_bytes(out, iter.at, iter.length);
        else if (code == '\n')
            buf_add(out, "\\n");
        else
            buf_printf(out, iter.length < 4 ? "\\u%04x" : "\\U%08x", code);
    }
    buf_add(out, "\"");
}

static void
add_spaces(struct buf *out, size_t count)
{
    for (; count > 0; count -= STEP) // all columns are multiples
        buf_add_bytes(out, "  ", STEP);
}

static void
add_literal(struct buf *out, const char *text, size_t column)
{
    buf_add(out, str_ends(text, "\n") ? "|" : "|-");
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        buf_add_bytes(out, "\n", 1);
        if (length > 0)
            add_spaces(out, column);
        buf_add_bytes(out, line, length);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
}

// column: where the lines of a literal begin. Keys are never literal.
static int
add_string(struct buf *out, const char *text, size_t column, bool is_key, struct error *err)
{
    if (!text_is_utf8(text))
        return error_set(err, ERR_FAILED, "cannot write YAML: a text is not UTF-8");
    if (is_plain_scalar(text))
        buf_add(out, text);
    else if (!is_key && is_literal(text))
        add_literal(out, text, column);
    else
        add_quoted(out, text);
    return 0;
}

// ---- values -------------------------------------------------------------------------------------

static bool
is_collection(const json_t *value)
{
    return json_object_size(value) > 0 || json_array_size(value) > 0;
}

static int add_json(struct buf *out, json_t *value, size_t column, struct error *err);

// Entries that begin at this column; the first one continues the line.
static int
add_mapping(struct buf *out, json_t *map, size_t column, struct error *err)
{
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach(map, key, value)
    {
        size_t begin;
        if (!first)
            add_spaces(out, column);
        first = false;
        begin = out->length;
        if (add_string(out, key, 0, true, err) < 0)
            return -1;
        if (out->length - begin > SIMPLE_KEY_MAX) {
            out->length = begin;
            buf_add(out, "? ");
            add_string(out, key, 0, true, err);
            buf_add(out, "\n");
            add_spaces(out, column);
        }
        buf_add(out, ":");
        size_t below = json_is_array(value) ? column : column + STEP;
        if (is_collection(value)) {
            buf_add(out, "\n");
            add_spaces(out, below);
        } else {
            buf_add(out, " ");
            below = column + STEP;
        }
        if (add_json(out, value, below, err) < 0)
            return -1;
    }
    return 0;
}

static int
add_sequence(struct buf *out, json_t *list, size_t column, struct error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i > 0)
            add_spaces(out, column);
        buf_add(out, "- ");
        if (add_json(out, json_array_get(list, i), column + STEP, err) < 0)
            return -1;
    }
    return 0;
}

static int
add_json(struct buf *out, json_t *value, size_t column, struct error *err)
{
    if (is_collection(value))
        return json_is_object(value) ? add_mapping(out, value, column, err)
                                     : add_sequence(out, value, column, err);
    if (json_is_string(value)) {
        if (add_string(out, json_string_value(value), column, false, err) < 0)
            return -1;
    } else {
        FREE_AUTO char *other = print_json(value, false); // a number, true, false, null, {} or []
        buf_add(out, other);
    }
    buf_add(out, "\n");
    return 0;
}

int
yaml_write(const char *head, json_t *value, char **ret, struct error *err)
{
    BUF_AUTO struct buf out = {0};
    if (head != NULL)
        buf_add(&out, head);
    if (add_json(&out, value, json_is_string(value) ? STEP : 0, err) < 0)
        return -1;
    *ret = buf_take(&out);
    return 0;
}
