// help.c - see help.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include "base/cleanup.h"

#include <string.h>

static void
add_paragraphs(struct buf *text, const char *paragraphs)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, paragraphs, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (lines.items[i][0] != '\0')
            options_wrap(text, 0, 0, lines.items[i]);
}

void
help_general(const struct cli *cli, struct buf *text)
{
    buf_add(text, "Usage: airbuild [OPTION...] COMMAND [ARGUMENT...]\n\n");
    options_wrap(text, 0, 0,
        "Bakes the disk images of a small Redis cluster with libguestfs and boots it on libvirt, "
        "where it converges, and survives, on its own.");
    buf_add(text, "\nCommands:\n");
    for (const struct cli_command *const *c = cli->commands; *c != NULL; c++) {
        buf_printf(text, "  %-10s", (*c)->name);
        options_wrap(text, 12, 12, (*c)->summary);
    }
    buf_add(text, "\nOptions of every command:\n");
    options_explain(cli_global_options, NULL, text);
    buf_add(text, "\n");
    options_wrap(text, 0, 0,
        "'airbuild help COMMAND' explains a command, 'airbuild help spec' every key of "
        "cluster.yaml; 'airbuild help example > cluster.yaml' writes one to start from.");
}

char *
help_letters(const struct cli_command *command)
{
    struct buf letters = {0};
    const struct cli_option *table = command != NULL ? command->options : NULL;
    for (const struct cli_option *o = table; o != NULL && o->name != NULL; o++)
        if (o->letter != 0)
            buf_add_bytes(&letters, &o->letter, 1);
    return buf_take(&letters);
}

void
help_command(const struct cli_command *command, struct buf *text)
{
    FREE_AUTO char *usage =
        str_format("Usage: airbuild %s [OPTION...] %s", command->name, command->arguments);
    options_wrap(text, 0, 4, usage);
    buf_add(text, "\n");
    add_paragraphs(text, command->details);
    if (command->options != NULL) {
        buf_add(text, "\nOptions:\n");
        options_explain(command->options, NULL, text);
    }
    FREE_AUTO char *hidden = help_letters(command);
    buf_add(text, "\nOptions of every command:\n");
    options_explain(cli_global_options, hidden, text);
}

static struct jv *
options_json(const struct cli_option *table)
{
    struct jv *list = jv_array();
    for (const struct cli_option *o = table; o != NULL && o->name != NULL; o++) {
        struct jv *option = jv_object();
        char letter[2] = {o->letter, '\0'};
        jv_set_string(option, "name", o->name);
        jv_set_string(option, "letter", o->letter != 0 ? letter : NULL);
        jv_set_string(option, "value", o->value);
        jv_set_string(option, "help", o->help);
        jv_push(list, option);
    }
    return list;
}

struct jv *
help_json(const struct cli *cli)
{
    struct jv *commands = jv_array();
    for (const struct cli_command *const *c = cli->commands; *c != NULL; c++) {
        struct jv *command = jv_object();
        jv_set_string(command, "name", (*c)->name);
        jv_set_string(command, "arguments", (*c)->arguments);
        jv_set_string(command, "summary", (*c)->summary);
        jv_set(command, "options", options_json((*c)->options));
        jv_push(commands, command);
    }
    struct jv *all = jv_object();
    jv_set(all, "options", options_json(cli_global_options));
    jv_set(all, "commands", commands);
    return all;
}
