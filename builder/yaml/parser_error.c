// parser_error.c - see parser_error.h. The table knows the errors of scanner.c and parser.c of
// libyaml 0.2.5; any other is reported in libyaml's own words.
// SPDX-License-Identifier: Apache-2.0
#include "yaml/parser_error.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

struct parser_error {
    const char *context, *problem; // parts of libyaml's two texts; NULL: any
    bool at_context;               // report where the construct began
    const char *sentence;
};

#define TAB "a tab is not allowed as indentation; use spaces"
#define OPEN_QUOTE "this quoted text is never closed; close it with the same quote"
#define DIRECTIVE "directives are not supported; remove the line that begins with '%'"
#define TAG "tags are not supported; remove the '!', or quote the text"

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
    {"anchor", NULL, false, "anchors are not supported; remove the '&' and its name"},
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

void
parser_error_add(struct yaml_source *source, const yaml_parser_t *parser)
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
    unsigned line = (unsigned) at->line + 1, column = (unsigned) at->column + 1;
    char found = *(const char *) parser->buffer.pointer;
    if (known != NULL)
        yaml_error_at(source, line, column, "%s", known->sentence);
    else if (strstr(problem, "cannot start any token") == NULL)
        yaml_error_at(
            source, line, column, "this is not valid YAML: %s; check this place", problem);
    else if (found == '\t')
        yaml_error_at(source, line, column, TAB);
    else // one of YAML's reserved characters
        yaml_error_at(source, line, column, "a text cannot begin with '%c'; quote it", found);
}
