// options.h - command line options from tables, parsed by getopt_long. Help, manual and completion
// are compared with the same tables. Nothing is printed here.
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
    const char *value; // the name of the value in help, "FILE"; NULL: a flag
    const char *help;  // a phrase without full stop
    size_t at;         // offset of the value: OPTION_FLAG or OPTION_TEXT
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

// Parse argv[1] to argv[argc - 1], as getopt_long does: `-qf FILE` and unique abbreviations are
// valid, `--` ends the options. With stop_early the first operand ends them, too. A letter that
// two groups have is that of the first. Operands are appended; values are borrowed from argv.
// ERR_USAGE: an option is unknown (the nearest one is suggested), is ambiguous, has a value though
// it takes none, has no value or an empty one, or is given twice with a value.
int options_parse(const struct option_group *groups, size_t group_count, int argc,
    char *const *argv, bool stop_early, struct strv *operands, struct error *err);

#endif
