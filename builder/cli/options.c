// options.c - see options.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

#define HELP_WIDTH 80
#define HELP_COLUMN 26

struct parser {
    const struct option_group *groups;
    size_t group_count;
    const char *const *next; // the argument that follows the one in hand
};

struct match {
    const struct cli_option *option;
    char *target; // where its value goes
};

static bool
match_by(const struct parser *parser, const char *name, char letter, struct match *ret)
{
    for (size_t i = 0; i < parser->group_count; i++) {
        const struct option_group *group = &parser->groups[i];
        for (const struct cli_option *o = group->table; o != NULL && o->name != NULL; o++) {
            if (name != NULL ? !str_equal(o->name, name) : o->letter != letter)
                continue;
            *ret = (struct match){.option = o, .target = (char *) group->values + o->at};
            return true;
        }
    }
    return false;
}

static int
unknown_long(const struct parser *parser, const char *name, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    for (size_t i = 0; i < parser->group_count; i++)
        for (const struct cli_option *o = parser->groups[i].table; o != NULL && o->name; o++)
            strv_add(&names, o->name);
    const char *near = str_nearest(name, (const char *const *) names.items, names.count);
    if (near == NULL)
        return error_set(err, ERR_USAGE, "there is no option '--%s'", name);
    return error_set(
        err, ERR_USAGE, "there is no option '--%s' (did you mean '--%s'?)", name, near);
}

// attached: what follows '=', or NULL.
static int
take_value(struct parser *parser, const struct match *match, const char *given,
    const char *attached, struct error *err)
{
    const struct cli_option *option = match->option;
    if (option->value == NULL) {
        if (attached != NULL)
            return error_set(err, ERR_USAGE, "option '%s' takes no value", given);
        bool yes = true;
        memcpy(match->target, &yes, sizeof(yes));
        return 0;
    }
    const char *value = attached != NULL ? attached : *parser->next;
    bool is_option = attached == NULL && value != NULL && value[0] == '-' && value[1] != '\0';
    if (value == NULL || value[0] == '\0' || is_option)
        return error_set(err, ERR_USAGE, "option '%s' needs a value: %s", given, option->value);
    if (attached == NULL)
        parser->next++;
    const char *before = NULL;
    memcpy(&before, match->target, sizeof(before));
    if (before != NULL)
        return error_set(err, ERR_USAGE, "option '%s' is given twice", given);
    memcpy(match->target, &value, sizeof(value));
    return 0;
}

static int
parse_long(struct parser *parser, const char *argument, struct error *err)
{
    const char *equals = strchr(argument, '=');
    size_t length = equals != NULL ? (size_t) (equals - argument) : strlen(argument);
    FREE_AUTO char *given = str_ndup(argument, length);
    struct match match;
    if (!match_by(parser, given + 2, 0, &match))
        return unknown_long(parser, given + 2, err);
    return take_value(parser, &match, given, equals != NULL ? equals + 1 : NULL, err);
}

static int
parse_short(struct parser *parser, const char *argument, struct error *err)
{
    struct match match;
    if (!match_by(parser, NULL, argument[1], &match)) {
        struct text_iter iter = {.next = argument + 1, .left = strlen(argument + 1)};
        text_next(&iter);
        return error_set(
            err, ERR_USAGE, "there is no option '-%.*s'", (int) iter.length, argument + 1);
    }
    if (argument[2] != '\0')
        return error_set(err, ERR_USAGE,
            "'%s' is more than one option or value in one; write them apart, '-%c %s%s'", argument,
            argument[1], match.option->value != NULL ? "" : "-", argument + 2);
    return take_value(parser, &match, argument, NULL, err);
}

int
options_parse(const struct option_group *groups, size_t group_count, const char *const *arguments,
    bool stop_early, struct strv *operands, struct error *err)
{
    struct parser parser = {.groups = groups, .group_count = group_count, .next = arguments};
    while (*parser.next != NULL) {
        const char *argument = *parser.next++;
        if (str_equal(argument, "--"))
            break;
        if (argument[0] != '-' || argument[1] == '\0') {
            strv_add(operands, argument);
            if (stop_early)
                break;
            continue;
        }
        int status = argument[1] == '-' ? parse_long(&parser, argument, err)
                                        : parse_short(&parser, argument, err);
        if (status != 0)
            return -1;
    }
    for (; *parser.next != NULL; parser.next++)
        strv_add(operands, *parser.next);
    return 0;
}

static void
pad_help(struct buf *buf, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_add(buf, " ");
}

void
options_wrap(struct buf *buf, size_t column, size_t indent, const char *text)
{
    bool fresh = true; // nothing of text stands on this line yet
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, " ");
        if (!fresh && column + 1 + length > HELP_WIDTH) {
            buf_add(buf, "\n");
            pad_help(buf, indent);
            column = indent;
            fresh = true;
        }
        if (!fresh) {
            buf_add(buf, " ");
            column++;
        }
        buf_add_bytes(buf, at, length);
        column += length;
        fresh = false;
        at += length + strspn(at + length, " ");
    }
    buf_add(buf, "\n");
}

void
options_explain(const struct cli_option *table, const char *hidden_letters, struct buf *text)
{
    for (const struct cli_option *o = table; o != NULL && o->name != NULL; o++) {
        size_t start = text->length;
        bool hidden = hidden_letters != NULL && strchr(hidden_letters, o->letter) != NULL;
        if (o->letter != 0 && !hidden)
            buf_printf(text, "  -%c, --%s", o->letter, o->name);
        else
            buf_printf(text, "      --%s", o->name);
        if (o->value != NULL)
            buf_printf(text, " %s", o->value);
        size_t column = text->length - start;
        if (column + 2 > HELP_COLUMN) {
            buf_add(text, "\n");
            column = 0;
        }
        pad_help(text, HELP_COLUMN - column);
        options_wrap(text, HELP_COLUMN, HELP_COLUMN, o->help);
    }
}
