// command_env.c - `airbuild env`: the variables that a shell or a client needs to use the cluster,
// for `eval "$(airbuild env)"`. No node is queried.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cluster/cluster.h"
#include "probe/probe.h"
#include "seed/secrets.h"

#include <ctype.h>

// The same values for people and shells, and for programs.
struct env_output {
    struct buf text;
    json_t *json;
};

// value: NULL unsets the variable.
static void
add_variable(struct env_output *output, const char *name, const char *value)
{
    json_object_set_new(output->json, name, text_to_json(value));
    if (value == NULL) {
        buf_printf(&output->text, "unset %s\n", name);
        return;
    }
    buf_printf(&output->text, "export %s=", name);
    message_quote(&output->text, value);
    buf_add(&output->text, "\n");
}

static void
add_port(struct env_output *output, const char *name, const char *address, int port)
{
    FREE_AUTO char *value = str_format("%s:%d", address, port);
    add_variable(output, name, value);
}

static void
add_variables(struct env_output *output, const struct spec *spec, const char *password)
{
    const char *head = spec_head(spec)->address;
    STRV_AUTO struct strv sentinels = {0};
    for (size_t i = 0; i < spec->node_count; i++)
        if (spec->nodes[i].role == SPEC_REDIS)
            strv_addf(&sentinels, "%s:%d", spec->nodes[i].address, PROBE_SENTINEL_PORT);
    FREE_AUTO char *joined = strv_join(&sentinels, ",");
    add_variable(output, "REDISCLI_AUTH", password);
    add_variable(output, "AIRBUILD_CLUSTER", spec->cluster);
    add_port(output, "AIRBUILD_WRITE", head, PROBE_WRITE_PORT);
    add_port(output, "AIRBUILD_READ", head, PROBE_READ_PORT);
    add_variable(output, "AIRBUILD_SENTINELS", joined);
    add_variable(output, "AIRBUILD_MASTER_NAME", spec->redis.master_name);
    for (size_t i = 0; i < spec->node_count; i++) {
        // "work11" is AIRBUILD_NODE_WORK11; the prefix keeps node names apart from airbuild's own
        // variables.
        FREE_AUTO char *name = str_format("AIRBUILD_NODE_%s", spec->nodes[i].name);
        for (char *c = name; *c != '\0'; c++)
            *c = isalnum((unsigned char) *c) ? (char) toupper((unsigned char) *c) : '_';
        add_variable(output, name, spec->nodes[i].address);
    }
}

static int
run_env(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    SECRETS_AUTO struct secrets *secrets = NULL;
    if (cli_spec(cli, &spec, err) != 0)
        return -1;
    FREE_AUTO char *folder = cluster_folder(spec);
    if (!cli->given.hosts &&
        (cli_launched(spec, err) != 0 || secrets_load(folder, &secrets, err) != 0))
        return -1;
    struct env_output output = {.json = json_object()};
    if (!cli->given.hosts)
        add_variables(&output, spec, spec->redis.auth ? secrets->passwords[SECRETS_APP] : NULL);
    for (size_t i = 0; cli->given.hosts && i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        json_object_set_new(output.json, node->name, text_to_json(node->address));
        buf_printf(&output.text, "%s %s\n", node->address, node->name);
    }
    cli_print_result(cli, output.text.data, output.json);
    buf_free(&output.text);
    json_decref(output.json);
    return 0;
}

static const struct cli_option options[] = {
    {"hosts", 0, NULL, "print the lines for /etc/hosts instead", OPTION_FLAG(hosts)},
    {0},
};

const struct cli_command command_env = {
    .name = "env",
    .arguments = "",
    .summary = "print shell variables for clients: eval \"$(airbuild env)\"",
    .details =
        "Prints variables for a POSIX shell: REDISCLI_AUTH, the application's password, which "
        "redis-cli reads by itself; AIRBUILD_WRITE and AIRBUILD_READ, the addresses for writes and "
        "reads; AIRBUILD_SENTINELS and AIRBUILD_MASTER_NAME, for clients in sentinel mode; "
        "AIRBUILD_NODE_NAME, the address of each node; AIRBUILD_CLUSTER. Redis and the sentinels "
        "take the same password, of user default, and use no TLS.\n"
        "--hosts works before the cluster is launched, too.\n",
    .options = options,
    .run = run_env,
};
