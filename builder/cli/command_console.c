// command_console.c - `airbuild console NODE`: connect the terminal to a node's serial console.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "cli/commands.h"
#include "cluster/cluster.h"
#include "virt/console.h"
#include "virt/virt.h"

#include <stdio.h>

static int
run_console(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    const struct spec_node *node = NULL;
    VIRT_AUTO struct virt *virt = NULL;
    if (cli_spec_node(cli, &spec, &node, err) != 0 || cluster_connect(spec, &virt, err) != 0)
        return -1;
    if (!cli->given.quiet)
        fprintf(stderr, "connected to the console of %s; ^] disconnects\n", node->name);
    return virt_console(virt, spec->cluster, node->name, cli->given.force, err);
}

static const struct cli_option options[] = {
    {"force", 0, NULL, "take the console over from another user of it", OPTION_FLAG(force)},
    {0},
};

const struct cli_command command_console = {
    .name = "console",
    .arguments = "NODE",
    .summary = "connect to the serial console of a node",
    .details = "Connects this terminal to the serial console of a running node until ^] is typed. "
               "No account has a password to log in with there: use it to watch, and 'airbuild "
               "ssh' to work.\n",
    .options = options,
    .operand = CLI_NODE,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_console,
};
