// options.h - command line options from tables: parsed, and explained from the same table, so that
// help, manual and completion can be compared with what is really understood. No abbreviations, no
// bundles (`-qf`). Nothing is printed here.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_OPTIONS_H
#define AIRBUILD_CLI_OPTIONS_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

// A table ends with an entry whose name is NULL.
struct cli_option {
    const char *name;  // "spec" is --spec
    char letter;       // 'f' is -f; 0: none
    const char *value; // what help calls the value, "FILE"; NULL: a flag
    const char *help;  // a phrase without full stop
    size_t at;         // where the value goes: OPTION_FLAG or OPTION_TEXT
};

// Offset of a bool member (set by a flag), of a const char * member (set to a value). Members of
// another type do not compile.
#define OPTION_FLAG(type, member) _Generic(((type *) 0)->member, bool : offsetof(type, member))
#define OPTION_TEXT(type, member) \
    _Generic(((type *) 0)->member, const char * : offsetof(type, member))

struct option_group {
    const struct cli_option *table; // NULL is an empty table
    void *values;                   // the structure that its offsets point into
};

// Understand arguments (NULL-terminated) by the groups: an earlier group hides the letters and
// names of a later one. What is no option goes to operands; `--` ends the options; with stop_early
// the first operand does too, and all after it are operands. Values are borrowed from arguments.
// ERR_USAGE: an unknown option (the nearest is named), a value missing, not wanted, empty or given
// twice.
int options_parse(const struct option_group *groups, size_t group_count,
    const char *const *arguments, bool stop_early, struct strv *operands, struct error *err);

// One aligned, wrapped paragraph an option. hidden_letters: letters not to be shown, as another
// table uses them; may be NULL.
void options_explain(const struct cli_option *table, const char *hidden_letters, struct buf *text);

// Append text in lines of at most 80 columns, each after the first indented; the first begins at
// column `column`.
void options_wrap(struct buf *buf, size_t column, size_t indent, const char *text);

#endif
