// cli.h - what every command shares: its description, the global options, the way to the spec, and
// how results and errors reach people and programs. Only this folder prints.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_CLI_H
#define AIRBUILD_CLI_CLI_H

#include "base/error.h"
#include "base/jv.h"
#include "base/progress.h"
#include "base/str.h"
#include "cli/options.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stddef.h>

// What the operands of a command are, for completion.
enum cli_operand { CLI_NO_OPERAND, CLI_NODE, CLI_TOPIC, CLI_ACTION, CLI_DRILL };

struct cli;

struct cli_command {
    const char *name;
    const char *arguments; // as help writes them, "NODE [COMMAND...]"; "" when there are none
    const char *summary;   // one phrase, for the list of commands
    const char *details;   // paragraphs (each one line, ended by '\n') for its own help
    const struct cli_option *options; // NULL: none of its own
    size_t values_size;               // of the structure that options point into
    enum cli_operand operand;
    const char *const *actions; // CLI_ACTION: the words, ended by NULL
    size_t operands_min, operands_max;
    bool stop_early; // what follows the first operand is not ours to understand
    // The exit status (0, or a bad verdict that was printed), or -1 and *err.
    int (*run)(struct cli *cli, struct error *err);
};

struct cli_globals {
    const char *spec;
    bool json, quiet, no_color, help, version;
};
extern const struct cli_option cli_global_options[];

struct cli {
    const struct cli_command *const *commands; // all, ended by NULL
    const struct cli_command *command;         // NULL before it is known
    struct cli_globals globals;
    void *values; // of the command's own options
    struct strv operands;
    bool color; // standard output may be coloured
};

// Parse the arguments of main, run the command, print its error. Returns the program's exit status.
int cli_run(const struct cli_command *const *commands, int argc, char *const *argv);

// NULL when there is none of that name.
const struct cli_command *cli_find(const struct cli *cli, const char *name);

// ERR_USAGE with the sentence, and where to read more. Always -1.
int cli_usage(const struct cli *cli, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The spec that --spec names, ./cluster.yaml, or the built-in one; caller frees.
int cli_spec(const struct cli *cli, struct spec **ret, struct error *err);
// The spec, and in it the node that the first operand names.
int cli_spec_node(
    const struct cli *cli, struct spec **ret, const struct spec_node **ret_node, struct error *err);
// ERR_NOT_FOUND, and what to do, when the cluster of the spec was not launched.
int cli_launched(const struct spec *spec, struct error *err);
// The board of a long task on standard error; silent with --quiet, and with --json unless a person
// watches. Caller frees.
struct progress *cli_progress(const struct cli *cli);
// Whether a person is there to be asked, and a question: true for "y" or "yes"; Ctrl-C is no.
bool cli_can_ask(const struct cli *cli);
bool cli_ask(const char *question);

// Print to standard output, at once. What comes from elsewhere goes through text_clean or a
// table before. A failure to write is reported when the command has ended; false tells a command
// without an end of its own to end now.
bool cli_print(const char *text);
void cli_print_json(const struct jv *value);

#endif
