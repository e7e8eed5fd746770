// main.c - the commands of airbuild, handed to the command line; nothing else.
// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "cli/commands.h"

#include <stddef.h>

static const struct cli_command *const commands[] = {
    &command_doctor,
    &command_images,
    &command_plan,
    &command_launch,
    &command_status,
    &command_ssh,
    &command_console,
    &command_logs,
    &command_env,
    &command_seed,
    &command_drill,
    &command_freeze,
    &command_reset,
    &command_stop,
    &command_destroy,
    &command_help,
    NULL,
};

int
main(int argc, char **argv)
{
    return cli_run(commands, argc, argv);
}
