// commands.h - all commands of airbuild, each of which is in command_NAME.c (reset:
// command_launch.c).
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_COMMANDS_H
#define AIRBUILD_CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct cli_command command_console;
extern const struct cli_command command_destroy;
extern const struct cli_command command_doctor;
extern const struct cli_command command_drill;
extern const struct cli_command command_env;
extern const struct cli_command command_freeze;
extern const struct cli_command command_help;
extern const struct cli_command command_images;
extern const struct cli_command command_launch;
extern const struct cli_command command_logs;
extern const struct cli_command command_plan;
extern const struct cli_command command_reset;
extern const struct cli_command command_seed;
extern const struct cli_command command_ssh;
extern const struct cli_command command_status;
extern const struct cli_command command_stop;

#endif
