// help.c - see help.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include "base/cleanup.h"

#include <string.h>

#define HELP_WIDTH 80
#define HELP_COLUMN 26

static void
pad_help(struct buf *buf, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_add(buf, " ");
}

static void
help_wrap(struct buf *buf, size_t column, size_t indent, const char *text)
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
help_options(const struct cli_option *table, const char *hidden_letters, struct buf *text)
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
        help_wrap(text, HELP_COLUMN, HELP_COLUMN, o->help);
    }
}

static void
add_paragraphs(struct buf *text, const char *paragraphs)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, paragraphs, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (lines.items[i][0] != '\0')
            help_wrap(text, 0, 0, lines.items[i]);
}

void
help_general(const struct cli *cli, struct buf *text)
{
    buf_add(text, "Usage: airbuild [OPTION...] COMMAND [ARGUMENT...]\n\n");
    help_wrap(text, 0, 0,
        "Bakes the disk images of a small Redis cluster with libguestfs and boots it on libvirt, "
        "where it converges, and survives, on its own.");
    buf_add(text, "\nCommands:\n");
    for (const struct cli_command *const *c = cli->commands; *c != NULL; c++) {
        buf_printf(text, "  %-10s", (*c)->name);
        help_wrap(text, 12, 12, (*c)->summary);
    }
    buf_add(text, "\nOptions of every command:\n");
    help_options(cli_global_options, NULL, text);
    buf_add(text, "\n");
    help_wrap(text, 0, 0,
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
    help_wrap(text, 0, 4, usage);
    buf_add(text, "\n");
    add_paragraphs(text, command->details);
    if (command->options != NULL) {
        buf_add(text, "\nOptions:\n");
        help_options(command->options, NULL, text);
    }
    FREE_AUTO char *hidden = help_letters(command);
    buf_add(text, "\nOptions of every command:\n");
    help_options(cli_global_options, hidden, text);
}
