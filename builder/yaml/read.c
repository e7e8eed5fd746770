// read.c - makes a tree from libyaml's events. libyaml's own loader accepts aliases, duplicate keys
// and unlimited nesting, so it is not used.
// SPDX-License-Identifier: Apache-2.0
#include "yaml/yaml.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "base/text.h"

#include <jansson.h>
#include <string.h>
#include <yaml.h>

#define TAB "a tab is not allowed as indentation; use spaces"
#define OPEN_QUOTE "this quoted text is never closed; close it with the same quote"
#define ANCHOR "anchors are not supported; remove the '&' and its name"
#define DIRECTIVE "directives are not supported; remove the line that begins with '%'"
#define TAG "tags are not supported; remove the '!', or quote the text"

struct yaml_reader {
    struct yaml_source *source;
    yaml_parser_t parser;
    struct yaml_node *root;
    struct yaml_node *open[YAML_DEPTH_MAX]; // collections that have begun; owned by root
    struct yaml_node *key[YAML_DEPTH_MAX];  // of an open mapping, until its value is read; owned
    size_t depth;
    size_t nodes;
    bool stopped; // the rest of the text is not read
};

void
yaml_node_free(struct yaml_node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->count; i++) {
        yaml_node_free(node->items[i]);
        if (node->keys != NULL)
            yaml_node_free(node->keys[i]);
    }
    free(node->items);
    free(node->keys);
    free(node->text);
    free(node);
}

static void
add_error_here(struct yaml_reader *reader, const yaml_event_t *event, const char *sentence)
{
    const struct yaml_node place = {.line = (unsigned) event->start_mark.line + 1,
        .column = (unsigned) event->start_mark.column + 1};
    yaml_error(reader->source, &place, "%s", sentence);
}

static void
stop(struct yaml_reader *reader, const yaml_event_t *event, const char *sentence)
{
    add_error_here(reader, event, sentence);
    reader->stopped = true;
}

// Adds a node to the innermost open collection, which owns it.
static struct yaml_node *
add_node(struct yaml_reader *reader, enum yaml_kind kind, const yaml_event_t *event)
{
    struct yaml_node *node = mem_zero(1, sizeof *node);
    node->kind = kind;
    node->line = (unsigned) event->start_mark.line + 1;
    node->column = (unsigned) event->start_mark.column + 1;
    if (reader->depth == 0)
        return reader->root = node;
    size_t top = reader->depth - 1;
    struct yaml_node *parent = reader->open[top];
    if (parent->kind == YAML_MAP && reader->key[top] == NULL) {
        if (kind != YAML_SCALAR) {
            yaml_error(reader->source, node, "a key must be a text, not %s; check this line",
                kind == YAML_LIST ? "a list" : "a mapping");
            reader->stopped = true;
        }
        return reader->key[top] = node;
    }
    size_t capacity = parent->capacity;
    mem_grow(&parent->items, &parent->capacity, parent->count + 1, sizeof(struct yaml_node *));
    if (parent->kind == YAML_MAP) {
        mem_grow(&parent->keys, &capacity, parent->count + 1, sizeof(struct yaml_node *));
        parent->keys[parent->count] = TAKE(reader->key[top]);
    }
    return parent->items[parent->count++] = node;
}

static void
refuse_duplicates(struct yaml_reader *reader, const struct yaml_node *map)
{
    json_auto_t *first_lines = json_object(); // by key; hashed, for mappings of very many keys
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i];
        if (key->kind != YAML_SCALAR)
            continue;
        const json_t *line = json_object_get(first_lines, key->text);
        if (line == NULL) {
            json_object_set_new_nocheck(first_lines, key->text, json_integer(key->line));
            continue;
        }
        FREE_AUTO char *name = yaml_quote(key->text);
        yaml_error(reader->source, key,
            "the key %s occurs twice, first on line %lld; remove one of them", name,
            (long long) json_integer_value(line));
    }
}

static void
refuse_anchor_and_tag(struct yaml_reader *reader, const yaml_event_t *event,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        add_error_here(reader, event, ANCHOR);
    if (tag != NULL)
        add_error_here(reader, event, TAG);
}

static void
open_collection(struct yaml_reader *reader, enum yaml_kind kind, const yaml_event_t *event)
{
    if (reader->depth == YAML_DEPTH_MAX) {
        stop(reader, event, "this is nested too deeply; use at most 32 levels");
        return;
    }
    reader->open[reader->depth] = add_node(reader, kind, event);
    reader->key[reader->depth++] = NULL;
}

static void
add_scalar(struct yaml_reader *reader, const yaml_event_t *event)
{
    const char *text = (const char *) event->data.scalar.value;
    size_t length = event->data.scalar.length;
    refuse_anchor_and_tag(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(text, '\0', length) != NULL)
        add_error_here(reader, event, "this text contains a NUL character; remove the '\\0'");
    struct yaml_node *node = add_node(reader, YAML_SCALAR, event);
    node->text = str_ndup(text, length);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static void
take_yaml_event(struct yaml_reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->root != NULL)
            stop(
                reader, event, "a second document begins here; keep one document and remove '---'");
        else if (event->data.document_start.version_directive != NULL ||
                 event->data.document_start.tag_directives.start !=
                     event->data.document_start.tag_directives.end)
            add_error_here(reader, event, DIRECTIVE);
        return;
    case YAML_ALIAS_EVENT:
        add_error_here(reader, event,
            "aliases are not supported; write the value, or quote a text that begins with '*'");
        add_node(reader, YAML_SCALAR, event)->text = str_dup("");
        break;
    case YAML_SCALAR_EVENT:
        add_scalar(reader, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        refuse_anchor_and_tag(
            reader, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
        open_collection(reader, YAML_LIST, event);
        break;
    case YAML_MAPPING_START_EVENT:
        refuse_anchor_and_tag(
            reader, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        open_collection(reader, YAML_MAP, event);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        // A collection that is a key has its error already, and is freed with key[].
        if (reader->open[--reader->depth]->kind == YAML_MAP)
            refuse_duplicates(reader, reader->open[reader->depth]);
        return;
    case YAML_STREAM_END_EVENT:
        reader->stopped = true;
        return;
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_NO_EVENT:
        return;
    }
    if (++reader->nodes > YAML_NODE_MAX && !reader->stopped)
        stop(reader, event, "this text has more than 100000 keys and values; make it smaller");
}

// ---- bytes --------------------------------------------------------------------------------------

// Returns the error when a character is not allowed in a text, else NULL.
static const char *
byte_error(const struct text_iter *iter)
{
    if (*iter->at == '\0')
        return "this is a NUL byte, so the file is binary and not YAML; is it the right file?";
    if (iter->kind == TEXT_BROKEN)
        return "this byte is not UTF-8; save the file as UTF-8 text";
    if (iter->kind & (TEXT_CONTROL | TEXT_LATE_CONTROL))
        return "this is a control character; remove it, or write it as '\\x..' in double "
               "quotes";
    if (iter->length != 3)
        return NULL;
    if (memcmp(iter->at, "\xe2\x80\xa8", 3) == 0 || memcmp(iter->at, "\xe2\x80\xa9", 3) == 0)
        return "this is an invisible line separator (U+2028 or U+2029); remove it";
    if (iter->kind == TEXT_NONCHARACTER || memcmp(iter->at, "\xef\xbb\xbf", 3) == 0)
        return "this is an invisible byte order mark or non-character; remove it";
    return NULL;
}

// Adds the error of the first character that is not allowed, and returns false.
static bool
is_text(struct yaml_source *source)
{
    struct text_iter iter = {.next = source->text, .left = source->length};
    for (struct yaml_node place = {.line = 1, .column = 1}; text_next(&iter); place.column++) {
        const char *sentence = byte_error(&iter);
        if (sentence != NULL) {
            yaml_error(source, &place, "%s", sentence);
            return false;
        }
        if (*iter.at == '\n' || (*iter.at == '\r' && (iter.left == 0 || *iter.next != '\n'))) {
            place.line++;
            place.column = 0;
        }
    }
    return true;
}

// ---- the parser's errors ------------------------------------------------------------------------

// Those of scanner.c and parser.c of libyaml 0.2.5; any other is reported in libyaml's own words.
struct parser_error {
    const char *context, *problem; // parts of libyaml's two texts; NULL: any
    bool at_context;               // report where the construct began
    const char *sentence;
};

static const struct parser_error parser_errors[] = {
    {NULL, "tab character", false, TAB},
    {"quoted scalar", "unexpected end of stream", true, OPEN_QUOTE},
    {"quoted scalar", "document indicator", true, OPEN_QUOTE},
    {"quoted scalar", "escape", false,
        "this escape sequence is unknown; write '\\\\' for a backslash, or use single quotes"},
    {"quoted scalar", "hexdecimal", false,
        "this escape sequence lacks hexadecimal digits; write '\\\\' for a backslash, or use "
        "single quotes"},
    {"flow sequence", "',' or ']'", true,
        "the list that begins here is not closed; separate its items by ',' and end it with ']'"},
    {"flow mapping", "',' or '}'", true,
        "the mapping that begins here is not closed; separate its entries by ',' and end it with "
        "'}'"},
    {"simple key", "expected ':'", true,
        "this line has no ':'; write 'key: value', or check its indentation"},
    {NULL, "mapping values are not allowed", false,
        "a ':' is not allowed here; quote a text that holds ': ', or fix the ':' or the "
        "indentation of the line above"},
    {NULL, "block sequence entries are not allowed", false,
        "a list item is not allowed here; put it on a line of its own below its key"},
    {NULL, "mapping keys are not allowed", false,
        "a key is not allowed here; put it on a line of its own"},
    {"block mapping", "expected key", false,
        "a key is expected here; check that the indentation fits the lines above"},
    {"block collection", "'-' indicator", false,
        "a list item is expected here; begin it with '- ', or check the indentation"},
    {NULL, "node content", false, "a value is missing here; write one, or remove the line"},
    {"anchor", NULL, false, ANCHOR},
    {"alias", NULL, false, "aliases are not supported; write the value, or quote the text"},
    {"tag", NULL, false, TAG},
    {"directive", NULL, false, DIRECTIVE},
    {NULL, "%YAML directive", false, DIRECTIVE},
    {NULL, "incompatible YAML", false, DIRECTIVE},
    {NULL, "undefined tag handle", false, TAG},
    {NULL, "<document start>", false,
        "the document has ended above; check that the indentation fits the lines above"},
    {"block scalar", NULL, false,
        "this is not a valid block text; write '|' or '>' and begin the text on the next line"},
};

static void
add_parser_error(struct yaml_source *source, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        mem_exhausted();
    const char *context = parser->context == NULL ? "" : parser->context;
    const char *problem = parser->problem == NULL ? "unknown error" : parser->problem;
    const struct parser_error *known = NULL;
    for (size_t i = 0; known == NULL && i < sizeof parser_errors / sizeof *parser_errors; i++) {
        const struct parser_error *row = &parser_errors[i];
        if ((row->context == NULL || strstr(context, row->context) != NULL) &&
            (row->problem == NULL || strstr(problem, row->problem) != NULL))
            known = row;
    }
    const yaml_mark_t *at =
        known != NULL && known->at_context ? &parser->context_mark : &parser->problem_mark;
    const struct yaml_node place = {
        .line = (unsigned) at->line + 1, .column = (unsigned) at->column + 1};
    char found = *(const char *) parser->buffer.pointer;
    if (known != NULL)
        yaml_error(source, &place, "%s", known->sentence);
    else if (strstr(problem, "cannot start any token") == NULL)
        yaml_error(source, &place, "this is not valid YAML: %s; check this place", problem);
    else if (found == '\t')
        yaml_error(source, &place, TAB);
    else // one of YAML's reserved characters
        yaml_error(source, &place, "a text cannot begin with '%c'; quote it", found);
}

// ---- the text -----------------------------------------------------------------------------------

struct yaml_node *
yaml_read(struct yaml_source *source)
{
    struct yaml_reader reader = {.source = source};
    if (source->length > YAML_TEXT_MAX) {
        yaml_error(source, NULL, "the text is larger than 1 MiB; is it the right file?");
        return NULL;
    }
    if (source->length >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0) {
        source->text += 3; // libyaml would count the byte order mark as a column
        source->length -= 3;
    }
    if (!is_text(source))
        return NULL;
    if (yaml_parser_initialize(&reader.parser) == 0)
        mem_exhausted();
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &reader.parser, (const unsigned char *) source->text, source->length);
    while (!reader.stopped) {
        yaml_event_t event = {0};
        if (yaml_parser_parse(&reader.parser, &event) != 0) {
            take_yaml_event(&reader, &event);
        } else {
            add_parser_error(source, &reader.parser);
            reader.stopped = true;
        }
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&reader.parser);
    for (size_t i = 0; i < reader.depth; i++)
        yaml_node_free(reader.key[i]);
    bool empty = reader.root == NULL || yaml_is_null(reader.root);
    if (empty && source->error_total == 0)
        yaml_error(source, NULL, "the text is empty; write at least one key");
    if (source->error_total == 0)
        return reader.root;
    yaml_node_free(reader.root);
    return NULL;
}

// ---- looking things up --------------------------------------------------------------------------

// Returns the node of the key, or its value; NULL when map has no such key.
static const struct yaml_node *
find_key_node(const struct yaml_node *map, const char *key, bool of_key)
{
    for (size_t i = 0; map != NULL && map->kind == YAML_MAP && i < map->count; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return of_key ? map->keys[i] : map->items[i];
    return NULL;
}

const struct yaml_node *
yaml_get(const struct yaml_node *map, const char *key)
{
    return find_key_node(map, key, false);
}

const struct yaml_node *
yaml_get_key(const struct yaml_node *map, const char *key)
{
    return find_key_node(map, key, true);
}

const struct yaml_node *
yaml_place(const struct yaml_node *root, const char *map, const char *key)
{
    const struct yaml_node *value = yaml_get(yaml_get(root, map), key);
    return value != NULL ? value : yaml_get_key(root, map);
}

bool
yaml_is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
               strcmp(node->text, "null") == 0);
}
