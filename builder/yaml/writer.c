// writer.c - see writer.h. Chooses the style of each string; libyaml's emitter quotes.
// SPDX-License-Identifier: Apache-2.0
#include "yaml/writer.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

static int
add_output(void *context, unsigned char *bytes, size_t length)
{
    buf_add_bytes(context, bytes, length);
    return 1;
}

// initialized: the result of the event's initializer. The emitter always takes ownership.
static int
emit(yaml_emitter_t *emitter, yaml_event_t *event, int initialized, struct error *err)
{
    if (initialized != 0 && yaml_emitter_emit(emitter, event) != 0)
        return 0;
    if (initialized == 0 || emitter->error == YAML_MEMORY_ERROR)
        mem_exhausted();
    return error_set(err, ERR_FAILED, "cannot write YAML: %s", emitter->problem);
}

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

static int
emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style, struct error *err)
{
    yaml_event_t event;
    if (!text_is_utf8(text))
        return error_set(err, ERR_FAILED, "cannot write YAML: a text is not UTF-8");
    int initialized = yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *) text,
        (int) strlen(text), style == YAML_PLAIN_SCALAR_STYLE, 1, style);
    return emit(emitter, &event, initialized, err);
}

static int
emit_value(yaml_emitter_t *emitter, json_t *value, struct error *err)
{
    yaml_event_t event;
    const char *text = json_string_value(value), *key;
    json_t *inner;
    if (text != NULL)
        return emit_scalar(emitter, text,
            is_plain_scalar(text) ? YAML_PLAIN_SCALAR_STYLE
            : is_literal(text)    ? YAML_LITERAL_SCALAR_STYLE
                                  : YAML_DOUBLE_QUOTED_SCALAR_STYLE,
            err);
    if (json_is_object(value)) {
        int begun =
            yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
        if (emit(emitter, &event, begun, err) < 0)
            return -1;
        json_object_foreach(value, key, inner)
        {
            yaml_scalar_style_t style =
                is_plain_scalar(key) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
            if (emit_scalar(emitter, key, style, err) < 0 || emit_value(emitter, inner, err) < 0)
                return -1;
        }
        return emit(emitter, &event, yaml_mapping_end_event_initialize(&event), err);
    }
    if (json_is_array(value)) {
        int begun =
            yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
        if (emit(emitter, &event, begun, err) < 0)
            return -1;
        for (size_t i = 0; i < json_array_size(value); i++)
            if (emit_value(emitter, json_array_get(value, i), err) < 0)
                return -1;
        return emit(emitter, &event, yaml_sequence_end_event_initialize(&event), err);
    }
    FREE_AUTO char *other = print_json(value, false); // a number, true, false or null
    return emit_scalar(emitter, other, YAML_PLAIN_SCALAR_STYLE, err);
}

int
yaml_write(const char *head, json_t *value, char **ret, struct error *err)
{
    CLEANUP(yaml_emitter_delete) yaml_emitter_t emitter;
    BUF_AUTO struct buf out = {0};
    yaml_event_t event;
    if (yaml_emitter_initialize(&emitter) == 0)
        mem_exhausted();
    yaml_emitter_set_output(&emitter, add_output, &out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    if (head != NULL)
        buf_add(&out, head);
    int begun = yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    if (emit(&emitter, &event, begun, err) < 0)
        return -1;
    begun = yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    if (emit(&emitter, &event, begun, err) < 0 || emit_value(&emitter, value, err) < 0 ||
        emit(&emitter, &event, yaml_document_end_event_initialize(&event, 1), err) < 0 ||
        emit(&emitter, &event, yaml_stream_end_event_initialize(&event), err) < 0)
        return -1;
    *ret = buf_take(&out);
    return 0;
}
