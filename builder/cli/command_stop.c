// command_stop.c - `airbuild stop [NODE...]`: powers nodes off, gracefully.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "cli/commands.h"
#include "cluster/cluster.h"

#include <stdint.h>

static int
run_stop(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0 ||
        cluster_stop(spec, &cli->operands, cli_progress(cli), err) != 0)
        return -1;
    STRV_AUTO struct strv names = {0};
    for (size_t i = 0; i < spec->node_count; i++)
        if (cli->operands.count == 0 || strv_has(&cli->operands, spec->nodes[i].name))
            strv_add(&names, spec->nodes[i].name);
    FREE_AUTO char *joined = strv_join(&names, ", ");
    FREE_AUTO char *line = str_format("off: %s; 'airbuild launch' starts what is off\n", joined);
    json_auto_t *value = json_pack("{s:o}", "stopped", cli_list_json(&names));
    cli_print_result(cli, line, value);
    return 0;
}

const struct cli_command command_stop = {
    .name = "stop",
    .arguments = "[NODE...]",
    .summary = "power nodes off gracefully; all of them without a name",
    .details = "Presses the power button of the nodes and waits until they are off; pulls the "
               "power of a node that is not off in time, and reports that. Disks and secrets stay; "
               "'airbuild launch' starts the nodes again.\n",
    .operand = CLI_NODE,
    .operands_max = SIZE_MAX,
    .run = run_stop,
};
