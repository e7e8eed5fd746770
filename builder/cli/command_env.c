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

// The shell's variables; null unsets one. Caller frees.
static json_t *
variables_json(const struct spec *spec, const char *password)
{
    const char *head = spec_head(spec)->address;
    STRV_AUTO struct strv sentinels = {0};
    for (size_t i = 0; i < spec->node_count; i++)
        if (spec->nodes[i].role == SPEC_REDIS)
            strv_addf(&sentinels, "%s:%d", spec->nodes[i].address, PROBE_SENTINEL_PORT);
    FREE_AUTO char *joined = strv_join(&sentinels, ",");
    json_t *value = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "REDISCLI_AUTH",
        text_to_json(password), "AIRBUILD_CLUSTER", text_to_json(spec->cluster), "AIRBUILD_WRITE",
        json_sprintf("%s:%d", head, PROBE_WRITE_PORT), "AIRBUILD_READ",
        json_sprintf("%s:%d", head, PROBE_READ_PORT), "AIRBUILD_SENTINELS", text_to_json(joined),
        "AIRBUILD_MASTER_NAME", text_to_json(spec->redis.master_name));
    for (size_t i = 0; i < spec->node_count; i++) {
        // "work11" is AIRBUILD_NODE_WORK11; the prefix keeps node names apart from airbuild's own
        // variables.
        FREE_AUTO char *name = str_format("AIRBUILD_NODE_%s", spec->nodes[i].name);
        for (char *c = name; *c != '\0'; c++)
            *c = isalnum((unsigned char) *c) ? (char) toupper((unsigned char) *c) : '_';
        json_object_set_new(value, name, text_to_json(spec->nodes[i].address));
    }
    return value;
}

static int
run_env(struct cli *cli, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    SECRETS_AUTO struct secrets *secrets = NULL;
    json_auto_t *value = NULL;
    BUF_AUTO struct buf text = {0};
    if (cli_spec(cli, &spec, err) != 0)
        return -1;
    FREE_AUTO char *folder = cluster_folder(spec);
    if (cli->given.hosts) {
        value = json_object();
        for (size_t i = 0; i < spec->node_count; i++)
            json_object_set_new(value, spec->nodes[i].name, text_to_json(spec->nodes[i].address));
    } else {
        if (cli_launched(spec, err) != 0 || secrets_load(folder, &secrets, err) != 0)
            return -1;
        value = variables_json(spec, spec->redis.auth ? secrets->passwords[SECRETS_APP] : NULL);
    }
    const char *name;
    json_t *item;
    json_object_foreach(value, name, item)
    {
        const char *word = json_string_value(item);
        if (cli->given.hosts) {
            buf_printf(&text, "%s %s\n", word, name);
        } else if (word == NULL) {
            buf_printf(&text, "unset %s\n", name);
        } else {
            buf_printf(&text, "export %s=", name);
            message_quote(&text, word);
            buf_add(&text, "\n");
        }
    }
    cli_print_result(cli, text.data, value);
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
