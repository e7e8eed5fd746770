// command_stop.c - `airbuild stop [NODE...]`: powers nodes off, gracefully.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cluster/cluster.h"

#include <stdint.h>

static void
print_stopped(const struct cli *cli, const struct spec *spec)
{
    STRV_AUTO struct strv names = {0};
    json_auto_t *value = json_object();
    json_t *list = json_array();
    json_object_set_new(value, "stopped", list);
    for (size_t i = 0; i < spec->node_count; i++) {
        const char *name = spec->nodes[i].name;
        if (cli->operands.count > 0 && !strv_has(&cli->operands, name))
            continue;
        json_array_append_new(list, text_to_json(name));
        strv_add(&names, name);
    }
    if (cli->globals.json) {
        cli_print_json(value);
        return;
    }
    FREE_AUTO char *joined = strv_join(&names, ", ");
    FREE_AUTO char *line = str_format("off: %s; 'airbuild launch' starts what is off\n", joined);
    cli_print(line);
}

static int
run_stop(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    if (cli_spec(cli, &spec, err) != 0 || interrupt_install(err) != 0)
        return -1;
    PROGRESS_AUTO struct progress *progress = cli_progress(cli);
    int status = cluster_stop(spec, &cli->operands, progress, err);
    progress_clear(progress);
    if (status == 0)
        print_stopped(cli, spec);
    return status;
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
