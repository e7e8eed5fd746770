// command_destroy.c - `airbuild destroy`: removes the cluster, all but the images.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cluster/cluster.h"

static int
agree_to_destroy(const struct cli *cli, const struct spec *spec, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    for (size_t i = 0; i < spec->node_count; i++)
        strv_add(&names, spec->nodes[i].name);
    FREE_AUTO char *joined = strv_join(&names, ", ");
    FREE_AUTO char *question = str_format(
        "This destroys cluster '%s' with all its data: the machines %s, their disks, the network "
        "and the secrets.\nThe images stay. Destroy it?",
        spec->cluster, joined);
    FREE_AUTO char *refusal = str_format("destroying cluster '%s' needs --yes without a terminal; "
                                         "see 'airbuild destroy --help'",
        spec->cluster);
    return cli_agree(cli, question, refusal, "destroyed", err);
}

static int
run_destroy(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    bool found = false;
    // Until interrupt_install Ctrl-C, at the question, ends the program.
    if (cli_spec(cli, &spec, err) != 0 || agree_to_destroy(cli, spec, err) != 0 ||
        interrupt_install(err) != 0 || cluster_destroy(spec, cli_progress(cli), &found, err) != 0)
        return -1;
    FREE_AUTO char *line =
        found ? str_format("cluster '%s' is destroyed; the images stay\n", spec->cluster)
              : str_format("there is no cluster '%s'; nothing to destroy\n", spec->cluster);
    json_auto_t *value =
        json_pack("{s:o, s:b}", "cluster", text_to_json(spec->cluster), "destroyed", found);
    cli_print_result(cli, line, value);
    return 0;
}

static const struct cli_option options[] = {
    {"yes", 'y', NULL, "do not ask", OPTION_FLAG(yes)},
    {0},
};

const struct cli_command command_destroy = {
    .name = "destroy",
    .arguments = "",
    .summary = "remove the cluster and its data, all but the images",
    .details =
        "Removes the machines, their disks, seeds and secrets, and the network, and nothing that "
        "airbuild did not make for this cluster. It asks first; without a terminal it needs "
        "--yes.\n",
    .options = options,
    .run = run_destroy,
};
