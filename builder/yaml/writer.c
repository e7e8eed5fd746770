// writer.c - see writer.h. Chooses the style of each string; libyaml's emitter quotes.
// SPDX-License-Identifier: Apache-2.0
#include "yaml/writer.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

#define OPEN_MAX 64 // collections inside each other

struct yaml_writer {
    yaml_emitter_t emitter;
    struct buf out;
    bool list[OPEN_MAX]; // of the open collections: a list, not a mapping
    size_t depth;
    struct error err; // the first error, after which nothing more is written
};

static int
add_output(void *context, unsigned char *bytes, size_t length)
{
    struct yaml_writer *writer = context;
    buf_add_bytes(&writer->out, bytes, length);
    return 1;
}

static void
writer_failed(struct yaml_writer *writer, const char *why)
{
    if (writer->err.code == ERR_NONE)
        error_set(&writer->err, ERR_FAILED, "cannot write YAML: %s", why);
}

// initialized: the result of the event's initializer. The emitter always takes ownership.
static void
emit(struct yaml_writer *writer, yaml_event_t *event, int initialized)
{
    if (initialized == 0)
        mem_exhausted();
    if (writer->err.code != ERR_NONE) {
        yaml_event_delete(event);
        return;
    }
    if (yaml_emitter_emit(&writer->emitter, event) != 0)
        return;
    if (writer->emitter.error == YAML_MEMORY_ERROR)
        mem_exhausted();
    writer_failed(writer, writer->emitter.problem);
}

struct yaml_writer *
yaml_writer_new(const char *head)
{
    struct yaml_writer *writer = mem_zero(1, sizeof *writer);
    yaml_event_t event;
    if (yaml_emitter_initialize(&writer->emitter) == 0)
        mem_exhausted();
    yaml_emitter_set_output(&writer->emitter, add_output, writer);
    yaml_emitter_set_unicode(&writer->emitter, 1);
    yaml_emitter_set_width(&writer->emitter, -1);
    if (head != NULL)
        buf_add(&writer->out, head);
    emit(writer, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(writer, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    return writer;
}

static void
begin_collection(struct yaml_writer *writer, bool list)
{
    yaml_event_t event;
    if (writer->depth == OPEN_MAX) {
        writer_failed(writer, "it is nested too deeply (bug)");
        return;
    }
    writer->list[writer->depth++] = list;
    if (list)
        emit(writer, &event,
            yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
    else
        emit(writer, &event,
            yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

void
yaml_write_map(struct yaml_writer *writer)
{
    begin_collection(writer, false);
}

void
yaml_write_list(struct yaml_writer *writer)
{
    begin_collection(writer, true);
}

void
yaml_write_end(struct yaml_writer *writer)
{
    yaml_event_t event;
    if (writer->depth == 0) {
        writer_failed(writer, "no mapping or list is open (bug)");
        return;
    }
    if (writer->list[--writer->depth])
        emit(writer, &event, yaml_sequence_end_event_initialize(&event));
    else
        emit(writer, &event, yaml_mapping_end_event_initialize(&event));
}

// ---- scalars ------------------------------------------------------------------------------------

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

static void
emit_scalar(struct yaml_writer *writer, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    if (!text_is_utf8(text)) {
        writer_failed(writer, "a text is not UTF-8");
        return;
    }
    emit(writer, &event,
        yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *) text,
            (int) strlen(text), style == YAML_PLAIN_SCALAR_STYLE, 1, style));
}

void
yaml_write_string(struct yaml_writer *writer, const char *text)
{
    if (text == NULL)
        emit_scalar(writer, "null", YAML_PLAIN_SCALAR_STYLE);
    else if (is_plain_scalar(text))
        emit_scalar(writer, text, YAML_PLAIN_SCALAR_STYLE);
    else if (is_literal(text))
        emit_scalar(writer, text, YAML_LITERAL_SCALAR_STYLE);
    else
        emit_scalar(writer, text, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

void
yaml_write_key(struct yaml_writer *writer, const char *key)
{
    emit_scalar(writer, key,
        is_plain_scalar(key) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

void
yaml_write_int(struct yaml_writer *writer, long long number)
{
    FREE_AUTO char *text = str_format("%lld", number);
    emit_scalar(writer, text, YAML_PLAIN_SCALAR_STYLE);
}

void
yaml_write_bool(struct yaml_writer *writer, bool truth)
{
    emit_scalar(writer, truth ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
}

void
yaml_put_string(struct yaml_writer *writer, const char *key, const char *text)
{
    yaml_write_key(writer, key);
    yaml_write_string(writer, text);
}

int
yaml_writer_finish(struct yaml_writer *writer, char **ret, struct error *err)
{
    yaml_event_t event;
    if (writer->depth > 0)
        writer_failed(writer, "a mapping or list was not ended (bug)");
    emit(writer, &event, yaml_document_end_event_initialize(&event, 1));
    emit(writer, &event, yaml_stream_end_event_initialize(&event));
    if (writer->err.code != ERR_NONE)
        return error_set(err, writer->err.code, "%s", writer->err.message);
    *ret = buf_take(&writer->out);
    return 0;
}

void
yaml_writer_free(struct yaml_writer *writer)
{
    if (writer == NULL)
        return;
    yaml_emitter_delete(&writer->emitter);
    buf_free(&writer->out);
    error_clear(&writer->err);
    free(writer);
}
