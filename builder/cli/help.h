// help.h - the texts of `airbuild help`, built from the command and option tables.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_HELP_H
#define AIRBUILD_CLI_HELP_H

#include "base/str.h"
#include "cli/cli.h"

void help_general(const struct cli *cli, struct buf *text);
void help_command(const struct cli_command *command, struct buf *text);
// One aligned, wrapped paragraph per option. Letters that hiding (may be NULL) has, too, are left
// out: they do not mean an option of this table.
void help_options(
    const struct cli_option *table, const struct cli_option *hiding, struct buf *text);
bool help_has_letter(const struct cli_option *table, char letter); // table may be NULL

#endif
