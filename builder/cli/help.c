// help.c - see help.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include "base/cleanup.h"

#include <string.h>

#define HELP_WIDTH 80
#define HELP_COLUMN 26

// Bytes of the last line.
static size_t
help_column(const struct buf *text)
{
    const char *newline = text->data != NULL ? strrchr(text->data, '\n') : NULL;
    return newline != NULL ? strlen(newline + 1) : text->length;
}

// Append a paragraph in lines of at most HELP_WIDTH columns, all but the first indented.
static void
help_wrap(struct buf *text, size_t indent, const char *paragraph)
{
    const char *space = "";
    for (const char *at = paragraph; *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (space[0] != '\0' && help_column(text) + 1 + length > HELP_WIDTH) {
            buf_printf(text, "\n%*s", (int) indent, "");
            space = "";
        }
        buf_printf(text, "%s%.*s", space, (int) length, at);
        space = " ";
        at += length;
    }
    buf_add(text, "\n");
}

bool
help_has_letter(const struct cli_option *table, char letter)
{
    for (const struct cli_option *o = table; o != NULL && o->name != NULL; o++)
        if (o->letter == letter)
            return true;
    return false;
}

void
help_options(const struct cli_option *table, const struct cli_option *hiding, struct buf *text)
{
    for (const struct cli_option *o = table; o != NULL && o->name != NULL; o++) {
        if (o->letter != 0 && !help_has_letter(hiding, o->letter))
            buf_printf(text, "  -%c, --%s", o->letter, o->name);
        else
            buf_printf(text, "      --%s", o->name);
        if (o->value != NULL)
            buf_printf(text, " %s", o->value);
        if (help_column(text) + 2 > HELP_COLUMN)
            buf_add(text, "\n");
        buf_printf(text, "%*s", HELP_COLUMN - (int) help_column(text), "");
        help_wrap(text, HELP_COLUMN, o->help);
    }
}

void
help_general(const struct cli *cli, struct buf *text)
{
    buf_add(text, "Usage: airbuild [OPTION...] COMMAND [ARGUMENT...]\n\n");
    help_wrap(text, 0,
        "Bakes the disk images of a small Redis cluster with libguestfs and boots it on libvirt, "
        "where it converges on its own and survives the loss of a machine.");
    buf_add(text, "\nCommands:\n");
    for (const struct cli_command *const *c = cli->commands; *c != NULL; c++) {
        buf_printf(text, "  %-10s", (*c)->name);
        help_wrap(text, 12, (*c)->summary);
    }
    buf_add(text, "\nOptions of every command:\n");
    help_options(cli_global_options, NULL, text);
    buf_add(text, "\n");
    help_wrap(text, 0,
        "'airbuild help COMMAND' explains a command, 'airbuild help spec' every key of "
        "cluster.yaml; 'airbuild help example > cluster.yaml' writes a file to start from.");
}

void
help_command(const struct cli_command *command, struct buf *text)
{
    FREE_AUTO char *usage =
        str_format("Usage: airbuild %s [OPTION...] %s", command->name, command->arguments);
    STRV_AUTO struct strv paragraphs = {0};
    strv_split(&paragraphs, command->details, '\n');
    help_wrap(text, 4, usage);
    buf_add(text, "\n");
    for (size_t i = 0; i < paragraphs.count; i++)
        if (paragraphs.items[i][0] != '\0')
            help_wrap(text, 0, paragraphs.items[i]);
    if (command->options != NULL) {
        buf_add(text, "\nOptions:\n");
        help_options(command->options, NULL, text);
    }
    buf_add(text, "\nOptions of every command:\n");
    help_options(cli_global_options, command->options, text);
}
