// trouble.c - the one translator of libyaml's errors, and of texts that are no text at all.
// libyaml's wording was taken from its scanner.c and parser.c (0.2.5); what is not in the table
// here is told in libyaml's own words.
// SPDX-License-Identifier: Apache-2.0
#include "yaml/trouble.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "base/text.h"

#include <string.h>

struct trouble {
    const char *context, *problem; // parts of libyaml's two texts; NULL fits all
    bool at_context;               // the place is where the construct began
    const char *sentence;
};

static const struct trouble troubles[] = {
    {"block scalar", "tab character", false, "a tab is not allowed as indentation; use spaces"},
    {NULL, "tab character", false, "a tab is not allowed as indentation; use spaces"},
    {"quoted scalar", "unexpected end of stream", true,
        "the quote that begins here is never closed; close it with the same quote"},
    {"quoted scalar", "document indicator", true,
        "the quote that begins here is never closed; close it with the same quote"},
    {"quoted scalar", "escape", false,
        "this backslash sequence is unknown; write '\\\\' for a backslash, or use single quotes"},
    {"quoted scalar", "hexdecimal", false,
        "this backslash sequence lacks hexadecimal digits; write '\\\\' for a backslash, or use "
        "single quotes"},
    {"flow sequence", "',' or ']'", true,
        "the list that begins here is not closed; separate its items by ',' and end it with ']'"},
    {"flow mapping", "',' or '}'", true,
        "the mapping that begins here is not closed; separate its entries by ',' and end it with "
        "'}'"},
    {"simple key", "expected ':'", true,
        "this line has no ':'; write 'key: value', or check its indentation"},
    {NULL, "mapping values are not allowed", false,
        "a ':' is not allowed here; quote a text that holds ': ', or mend the ':' or the "
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
    {"anchor", NULL, false, "anchors are not used here; remove the '&' and its name"},
    {"alias", NULL, false, "aliases are not used here; write the value itself, or quote the text"},
    {"tag", NULL, false, "tags are not used here; remove the '!', or quote the text"},
    {"directive", NULL, false,
        "directives are not used here; remove the line that begins with '%'"},
    {NULL, "%YAML directive", false,
        "directives are not used here; remove the line that begins with '%'"},
    {NULL, "incompatible YAML", false,
        "directives are not used here; remove the line that begins with '%'"},
    {NULL, "undefined tag handle", false,
        "tags are not used here; remove the '!', or quote the text"},
    {NULL, "<document start>", false,
        "the document has ended above; check that the indentation fits the lines above"},
    {"block scalar", NULL, false,
        "this is no block of text; write '|' or '>' and begin the text on the next line"},
};

static const struct trouble *
find_trouble(const char *context, const char *problem)
{
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        const struct trouble *known = &troubles[i];
        if ((known->context == NULL || strstr(context, known->context) != NULL) &&
            (known->problem == NULL || strstr(problem, known->problem) != NULL))
            return known;
    }
    return NULL;
}

// "found character that cannot start any token" is a tab, or one of YAML's reserved characters.
static void
complain_of_character(
    struct yaml_source *source, const yaml_parser_t *parser, const yaml_mark_t *at)
{
    char found = (char) *parser->buffer.pointer;
    if (found == '\t')
        yaml_complain_at(source, (unsigned) at->line + 1, (unsigned) at->column + 1,
            "a tab is not allowed as indentation; use spaces");
    else
        yaml_complain_at(source, (unsigned) at->line + 1, (unsigned) at->column + 1,
            "a text cannot begin with '%c'; put it in quotes", found);
}

void
trouble_complain(struct yaml_source *source, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        mem_exhausted();
    const char *context = parser->context == NULL ? "" : parser->context;
    const char *problem = parser->problem == NULL ? "it cannot be read" : parser->problem;
    if (strstr(problem, "cannot start any token") != NULL) {
        complain_of_character(source, parser, &parser->problem_mark);
        return;
    }
    const struct trouble *known = find_trouble(context, problem);
    const yaml_mark_t *at =
        known != NULL && known->at_context ? &parser->context_mark : &parser->problem_mark;
    unsigned line = (unsigned) at->line + 1, column = (unsigned) at->column + 1;
    if (known != NULL)
        yaml_complain_at(source, line, column, "%s", known->sentence);
    else
        yaml_complain_at(
            source, line, column, "this is not valid YAML: %s; check this place", problem);
}

// ---- bytes --------------------------------------------------------------------------------------

// Returns the complaint about a character that must not be in a text, or NULL.
static const char *
complaint_about(const struct text_iter *iter)
{
    if (*iter->at == '\0')
        return "there is a NUL byte here, so this is a binary file and not YAML; is it the right "
               "file?";
    if (iter->kind == TEXT_BROKEN)
        return "there is a byte here that is not UTF-8; save the file as UTF-8 text";
    if (iter->kind & (TEXT_CONTROL | TEXT_LATE_CONTROL))
        return "there is a control character here; remove it, or write it as '\\x..' in double "
               "quotes";
    if (iter->length != 3)
        return NULL;
    if (memcmp(iter->at, "\xe2\x80\xa8", 3) == 0 || memcmp(iter->at, "\xe2\x80\xa9", 3) == 0)
        return "there is an invisible line separator (U+2028 or U+2029) here; remove it";
    if (iter->kind == TEXT_NONCHARACTER || memcmp(iter->at, "\xef\xbb\xbf", 3) == 0)
        return "there is an invisible byte order mark or non-character here; remove it";
    return NULL;
}

// Valid up to offset, so counting characters there is counting bytes that begin one.
static void
complain_of_byte(struct yaml_source *source, size_t begin, size_t offset, const char *sentence)
{
    unsigned line = 1, column = 1;
    for (size_t i = begin; i < offset; i++) {
        char byte = source->text[i];
        if (byte == '\n' || (byte == '\r' && source->text[i + 1] != '\n')) {
            line++;
            column = 1;
        } else if (((unsigned char) byte & 0xc0) != 0x80) {
            column++;
        }
    }
    yaml_complain_at(source, line, column, "%s", sentence);
}

size_t
trouble_mark(const struct yaml_source *source)
{
    return source->length >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

bool
trouble_is_text(struct yaml_source *source)
{
    size_t begin = trouble_mark(source);
    struct text_iter iter = {.next = source->text + begin, .left = source->length - begin};
    while (text_next(&iter)) {
        const char *sentence = complaint_about(&iter);
        if (sentence == NULL)
            continue;
        complain_of_byte(source, begin, (size_t) (iter.at - source->text), sentence);
        return false;
    }
    return true;
}
