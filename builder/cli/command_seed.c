// command_seed.c - `airbuild seed NODE`: print the documents for a node's cloud-init.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cluster/cluster.h"
#include "seed/secrets.h"
#include "seed/seed.h"

static int
run_seed(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    SECRETS_AUTO struct secrets *secrets = NULL;
    SEED_AUTO struct seed seed = {0};
    const struct spec_node *node = NULL;
    if (cli_spec_node(cli, &spec, &node, err) != 0 ||
        (cli->given.reveal && cli_launched(spec, err) != 0))
        return -1;
    FREE_AUTO char *folder = cluster_folder(spec);
    if ((cluster_exists(spec) && secrets_load(folder, &secrets, err) != 0) ||
        seed_build(spec, node, secrets, cli->given.reveal, &seed, err) != 0)
        return -1;
    const struct {
        const char *name, *key, *text;
    } documents[] = {
        {"meta-data", "meta_data", seed.meta_data},
        {"user-data", "user_data", seed.user_data},
        {"network-config", "network_config", seed.network_config},
    };
    BUF_AUTO struct buf text = {0};
    json_auto_t *value = json_pack("{s:o}", "node", text_to_json(node->name));
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        FREE_AUTO char *clean = text_clean(TEXT_LINES, documents[i].text);
        json_object_set_new(value, documents[i].key, text_to_json(documents[i].text));
        buf_printf(&text, "%s# ---- %s ----\n%s%s", i > 0 ? "\n" : "", documents[i].name, clean,
            str_ends(clean, "\n") ? "" : "\n");
    }
    cli_print_result(cli, text.data, value);
    return 0;
}

static const struct cli_option options[] = {
    {"reveal", 0, NULL, "print passwords and private keys too", OPTION_FLAG(reveal)},
    {0},
};

const struct cli_command command_seed = {
    .name = "seed",
    .arguments = "NODE",
    .summary = "print the cloud-init documents of a node",
    .details =
        "Prints the meta-data, user-data and network-config of the node's seed disk. Passwords "
        "and private keys are shown as (hidden) unless --reveal is given, which needs a "
        "launched cluster.\n",
    .options = options,
    .operand = CLI_NODE,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_seed,
};
