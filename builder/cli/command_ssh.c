// command_ssh.c - `airbuild ssh NODE`: ssh with the cluster's own key and known host keys.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "base/proc.h"
#include "cli/commands.h"
#include "cluster/cluster.h"

#include <signal.h>
#include <stdint.h>

static int
run_ssh(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    const struct spec_node *node = NULL;
    if (cli_spec_node(cli, &spec, &node, err) != 0 || cli_launched(spec, err) != 0)
        return -1;
    FREE_AUTO char *folder = cluster_folder(spec);
    FREE_AUTO char *config = path_join(folder, "ssh/config");
    STRV_AUTO struct strv argv = {0};
    strv_add(&argv, "ssh");
    strv_add(&argv, "-F");
    strv_add(&argv, config);
    strv_add(&argv, "--");
    strv_add(&argv, node->name);
    size_t first = cli->operands.count > 1 && str_equal(cli->operands.items[1], "--") ? 2 : 1;
    for (size_t i = first; i < cli->operands.count; i++)
        strv_add(&argv, cli->operands.items[i]);
    signal(SIGPIPE, SIG_DFL);
    return proc_exec((const char *const *) argv.items, err);
}

const struct cli_command command_ssh = {
    .name = "ssh",
    .arguments = "NODE [COMMAND...]",
    .summary = "run a shell or a command on a node",
    .details =
        "Runs ssh with the cluster's key and the host keys that airbuild created, so it never "
        "asks about a host key. The words after NODE are the command; the exit status is "
        "that of ssh.\n",
    .operand = CLI_NODE,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .stop_early = true,
    .run = run_ssh,
};
