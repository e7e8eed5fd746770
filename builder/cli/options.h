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

// The values of all options; start as {0}. The tables say which of them a command has.
struct cli_given {
    const char *spec, *recipe, *timeout, *repeat, *html, *junit;
    bool json, quiet, no_color, help, version;
    bool all, cold, dry_run, follow, force, forget_missing, freeze, hosts, list, new_secrets,
        no_wait, offline, profile, rebuild;
    bool refresh, reveal, strict, watch, words, yes;
};

// Offset of a bool member (set by a flag), of a const char * member (set to a value). Members of
// another type do not compile.
#define OPTION_OF(type, member) \
    _Generic(((struct cli_given *) 0)->member, type : offsetof(struct cli_given, member))
#define OPTION_FLAG(member) OPTION_OF(bool, member)
#define OPTION_TEXT(member) OPTION_OF(const char *, member)

// Parse argv[1] to argv[argc - 1], as getopt_long does: `-qf FILE` and unique abbreviations are
// valid, `--` ends the options. With stop_early the first operand ends them, too. A letter that
// both tables have is that of own, which may be NULL. Operands are appended; values are borrowed
// from argv.
// ERR_USAGE: an option is unknown (the nearest one is suggested), is ambiguous, has a value though
// it takes none, has no value or an empty one, or is given twice with a value.
int options_parse(const struct cli_option *own, const struct cli_option *general, int argc,
    char *const *argv, bool stop_early, struct cli_given *given, struct strv *operands,
    struct error *err);

#endif
