// help.h - the texts of `airbuild help`, made from the command and option tables.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_HELP_H
#define AIRBUILD_CLI_HELP_H

#include "base/str.h"
#include "cli/cli.h"

void help_general(const struct cli *cli, struct buf *text);
void help_command(const struct cli_command *command, struct buf *text);
// The letters that the command uses itself: after its name they do not mean a global option.
// command may be NULL; caller frees.
char *help_letters(const struct cli_command *command);
// Append one aligned, wrapped paragraph an option, without the letters in hidden_letters (NULL:
// none).
void help_options(const struct cli_option *table, const char *hidden_letters, struct buf *text);

#endif
