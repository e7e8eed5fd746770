// command_help.c - `airbuild help [COMMAND|spec|example]`, and the words for shell completion.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "drill/drill.h"

// An option that takes a value ends in '='. Letters of hiding (may be NULL) are left out.
static void
add_option_words(struct buf *text, const struct cli_option *table, const struct cli_option *hiding)
{
    for (const struct cli_option *o = table; o != NULL && o->name != NULL; o++) {
        const char *value = o->value != NULL ? "=" : "";
        buf_printf(text, "--%s%s\n", o->name, value);
        if (o->letter != 0 && !help_has_letter(hiding, o->letter))
            buf_printf(text, "-%c%s\n", o->letter, value);
    }
}

static void
add_commands(const struct cli *cli, struct buf *text)
{
    for (const struct cli_command *const *c = cli->commands; *c != NULL; c++)
        buf_printf(text, "%s\n", (*c)->name);
}

static void
add_operand_words(const struct cli *cli, const struct cli_command *command, struct buf *text)
{
    SPEC_AUTO struct spec *spec = NULL;
    ERROR_AUTO struct error ignored = {0};
    switch (command->operand) {
    case CLI_NO_OPERAND:
        break;
    case CLI_NODE:
        // A wrong spec has no nodes to offer; completion does not report errors.
        if (cli_spec(cli, &spec, &ignored) == 0)
            for (size_t i = 0; i < spec->node_count; i++)
                buf_printf(text, "%s\n", spec->nodes[i].name);
        break;
    case CLI_TOPIC:
        add_commands(cli, text);
        buf_add(text, "spec\nexample\n");
        break;
    case CLI_ACTION:
        for (const char *const *action = command->actions; *action != NULL; action++)
            buf_printf(text, "%s\n", *action);
        break;
    case CLI_DRILL:
        for (size_t i = 0; drill_at(i) != NULL; i++)
            buf_printf(text, "%s\n", drill_at(i)->name);
        break;
    }
}

// Add the words that may follow the command, or `airbuild` when it is NULL, one per line.
static void
add_words(const struct cli *cli, const struct cli_command *command, struct buf *text)
{
    const struct cli_option *own = command != NULL ? command->options : NULL;
    if (command == NULL)
        add_commands(cli, text);
    else
        add_operand_words(cli, command, text);
    add_option_words(text, own, NULL);
    add_option_words(text, cli_global_options, own);
}

static json_t *
options_json(const struct cli_option *table)
{
    json_t *list = json_array();
    for (const struct cli_option *o = table; o != NULL && o->name != NULL; o++) {
        char letter[2] = {o->letter, '\0'};
        json_array_append_new(
            list, json_pack("{s:s, s:s?, s:s?, s:s}", "name", o->name, "letter",
                      o->letter != 0 ? letter : NULL, "value", o->value, "help", o->help));
    }
    return list;
}

static int
run_help(struct cli *cli, struct error *err)
{
    const char *topic = cli->operands.count > 0 ? cli->operands.items[0] : NULL;
    const struct cli_command *command = topic != NULL ? cli_find(cli, topic) : NULL;
    BUF_AUTO struct buf text = {0};
    if (cli->given.words) {
        add_words(cli, command, &text);
    } else if (cli->given.json) {
        json_t *commands = json_array();
        for (const struct cli_command *const *c = cli->commands; *c != NULL; c++)
            json_array_append_new(commands,
                json_pack("{s:s, s:s, s:s, s:o}", "name", (*c)->name, "arguments", (*c)->arguments,
                    "summary", (*c)->summary, "options", options_json((*c)->options)));
        json_auto_t *all = json_pack(
            "{s:o, s:o}", "options", options_json(cli_global_options), "commands", commands);
        cli_print_json(all);
        return 0;
    } else if (topic == NULL) {
        help_general(cli, &text);
    } else if (command != NULL) {
        help_command(command, &text);
    } else if (str_equal(topic, "spec")) {
        FREE_AUTO char *reference = spec_reference();
        buf_add(&text, reference);
    } else if (str_equal(topic, "example")) {
        buf_add(&text, spec_builtin_text());
    } else {
        return error_set(err, ERR_NOT_FOUND,
            "there is no help on '%s'; 'airbuild help' lists the commands", topic);
    }
    cli_print(text.data);
    return 0;
}

static const struct cli_option options[] = {
    {"words", 0, NULL, "print the words that may follow, one per line, for shell completion",
        OPTION_FLAG(words)},
    {0},
};

const struct cli_command command_help = {
    .name = "help",
    .arguments = "[COMMAND|spec|example]",
    .summary = "explain a command, or the keys of cluster.yaml",
    .details = "Without an argument it lists the commands; 'spec' explains every key of "
               "cluster.yaml; 'example' prints the built-in cluster.yaml, as a file to start from. "
               "With --json it lists commands and options for programs.\n",
    .options = options,
    .operand = CLI_TOPIC,
    .operands_max = 1,
    .run = run_help,
};
