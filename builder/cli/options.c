// options.c - see options.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#define OPTIONS_MAX 63 // of both tables

// getopt_long returns OPERAND, the letter of an option, or LONG_FIRST plus its index.
#define OPERAND 1
#define LONG_FIRST 256

struct parser {
    const struct cli_option *options[OPTIONS_MAX];
    struct option longs[OPTIONS_MAX + 1];
    size_t count;
    struct cli_given *given;
};

static int
refuse_long(const struct parser *parser, const char *argument, struct error *err)
{
    FREE_AUTO char *name = str_ndup(argument + 2, strcspn(argument + 2, "="));
    STRV_AUTO struct strv names = {0}, matches = {0};
    for (size_t i = 0; i < parser->count; i++) {
        strv_add(&names, parser->options[i]->name);
        if (name[0] != '\0' && str_starts(parser->options[i]->name, name))
            strv_addf(&matches, "'--%s'", parser->options[i]->name);
    }
    FREE_AUTO char *list = strv_join(&matches, ", ");
    if (matches.count > 0)
        return error_set(err, ERR_USAGE, "option '--%s' is ambiguous: %s", name, list);
    const char *near = str_nearest(name, (const char *const *) names.items);
    if (near == NULL)
        return error_set(err, ERR_USAGE, "there is no option '--%s'", name);
    return error_set(
        err, ERR_USAGE, "there is no option '--%s' (did you mean '--%s'?)", name, near);
}

// code: returned by getopt_long, which found it in argument. After '?' and ':' optopt is 0 for a
// long option that is unknown or ambiguous, else an unknown letter or the code of an option that
// takes no value or lacks one. attached: the value is in the same argument.
static int
take_option(
    const struct parser *parser, int code, const char *argument, bool attached, struct error *err)
{
    bool refused = code == '?' || code == ':';
    if (refused)
        code = optopt;
    if (code == 0)
        return refuse_long(parser, argument, err);
    size_t i = 0;
    while (i < parser->count && code != parser->longs[i].val && code != parser->options[i]->letter)
        i++;
    if (i == parser->count) {
        // The letter may be the first byte of a longer character.
        const char *at = strchr(argument + 1, code);
        struct text_iter iter = {.next = at, .left = strlen(at)};
        text_next(&iter);
        return error_set(err, ERR_USAGE, "there is no option '-%.*s'", (int) iter.length, at);
    }
    const struct cli_option *option = parser->options[i];
    FREE_AUTO char *given =
        code < LONG_FIRST ? str_format("-%c", option->letter) : str_format("--%s", option->name);
    if (option->value == NULL && refused)
        return error_set(err, ERR_USAGE, "option '%s' takes no value", given);
    void *at = (char *) parser->given + option->at;
    if (option->value == NULL) {
        *(bool *) at = true;
        return 0;
    }
    if (refused || optarg[0] == '\0' || (!attached && optarg[0] == '-' && optarg[1] != '\0'))
        return error_set(err, ERR_USAGE, "option '%s' needs a value: %s", given, option->value);
    const char **target = at;
    if (*target != NULL)
        return error_set(err, ERR_USAGE, "option '%s' is given twice", given);
    *target = optarg;
    return 0;
}

int
options_parse(const struct cli_option *own, const struct cli_option *general, int argc,
    char *const *argv, bool stop_early, struct cli_given *given, struct strv *operands,
    struct error *err)
{
    struct parser parser = {.given = given};
    const struct cli_option *const tables[] = {own, general};
    BUF_AUTO struct buf letters = {0};
    buf_add(&letters, "-:"); // operands in their order; ':' for a missing value; no messages
    for (size_t t = 0; t < 2; t++)
        for (const struct cli_option *o = tables[t]; o != NULL && o->name != NULL; o++) {
            assert(parser.count < OPTIONS_MAX);
            size_t i = parser.count++;
            parser.options[i] = o;
            parser.longs[i] =
                (struct option){o->name, o->value != NULL, NULL, LONG_FIRST + (int) i};
            if (o->letter != 0)
                buf_printf(&letters, "%c%s", o->letter, o->value != NULL ? ":" : "");
        }
    optind = 0; // full reset of glibc's getopt, even after an error within combined letters
    for (int code = 0, at = 1; code != OPERAND || !stop_early; at = optind) {
        code = getopt_long(argc, argv, letters.data, parser.longs, NULL);
        if (code == -1)
            break;
        if (code == OPERAND)
            strv_add(operands, optarg);
        else if (take_option(&parser, code, argv[at], optarg != argv[optind - 1], err) != 0)
            return -1;
    }
    for (; optind < argc; optind++)
        strv_add(operands, argv[optind]);
    return 0;
}
