// cli.h - shared by all commands: their descriptions, the global options, loading of the spec, and
// output for people and programs. Only this folder prints.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_CLI_H
#define AIRBUILD_CLI_CLI_H

#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"
#include "cli/options.h"
#include "spec/spec.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

// The kind of a command's operands, for completion.
enum cli_operand { CLI_NO_OPERAND, CLI_NODE, CLI_TOPIC, CLI_ACTION, CLI_DRILL };

struct cli;

struct cli_command {
    const char *name;
    const char *arguments; // as shown in help, "NODE [COMMAND...]"; "" when it takes none
    const char *summary;   // one phrase, for the list of commands
    const char *details;   // paragraphs, each ended by '\n', for its own help
    const struct cli_option *options; // NULL: none of its own
    enum cli_operand operand;
    const char *const *actions; // CLI_ACTION: the words, ended by NULL
    size_t operands_min, operands_max;
    bool stop_early; // the first operand ends the options
    // Returns the exit status (0, or ERR_VERDICT after a bad verdict was printed), or -1 and *err.
    int (*run)(struct cli *cli, struct error *err);
};

extern const struct cli_option cli_global_options[];

struct cli {
    const struct cli_command *const *commands; // all, ended by NULL
    const struct cli_command *command;         // NULL until it is known
    struct cli_given given;
    struct strv operands;
    bool color;                // whether to color standard output
    struct progress *progress; // NULL before cli_progress
};

// Parse the arguments of main, run the command, print its error. Returns the program's exit status.
int cli_run(const struct cli_command *const *commands, int argc, char *const *argv);

// NULL when no command has that name.
const struct cli_command *cli_find(const struct cli *cli, const char *name);

// Sets ERR_USAGE with the sentence and the command to get help; always returns -1.
int cli_usage(const struct cli *cli, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Returns " (did you mean 'NAME'?)", or "" when none of names, which end with NULL, is near. Caller
// frees.
char *cli_suggest(const char *word, const char *const *names);

// Loads the spec: that of --spec, ./cluster.yaml, or the built-in one. Caller frees.
int cli_spec(const struct cli *cli, struct spec **ret, struct error *err);
// Loads the spec and finds the node that the first operand names; the node belongs to the spec.
int cli_spec_node(
    const struct cli *cli, struct spec **ret, const struct spec_node **ret_node, struct error *err);
// ERR_NOT_FOUND when the cluster of the spec was not launched.
int cli_launched(const struct spec *spec, struct error *err);
// Progress of a long task on standard error; silent with --quiet, and with --json unless standard
// error is a terminal. Belongs to cli.
struct progress *cli_progress(struct cli *cli);
// Asks on the terminal unless --yes is given, and fails when the answer is not "y" or "yes", as for
// Ctrl-C: "nothing was DONE". refusal: the error when no question can be asked, as there is no
// terminal or with --json.
int cli_agree(const struct cli *cli, const char *question, const char *refusal, const char *done,
    struct error *err);

// Prints to standard output at once. Foreign text must have passed text_clean or a table. A failed
// write is reported when the command has ended; false tells an endless command to end now.
bool cli_print(const char *text);
void cli_print_json(const json_t *value);
// Clears the progress, and prints value with --json, else text.
void cli_print_result(const struct cli *cli, const char *text, const json_t *value);
json_t *cli_list_json(const struct strv *list); // caller frees

#endif
