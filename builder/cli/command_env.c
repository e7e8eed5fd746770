// command_env.c - `airbuild env`: what a shell or a client needs to talk to the cluster. Prints for
// `eval "$(airbuild env)"`; nothing is asked of the nodes.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cluster/cluster.h"
#include "probe/probe.h"
#include "seed/secrets.h"

#include <ctype.h>

struct env_values {
    bool hosts;
};

// One variable a line as they come; value NULL: to be unset.
struct variable {
    char *name, *value;
};
struct variables {
    struct variable *items;
    size_t count, capacity;
};

static void
variables_free(struct variables *variables)
{
    for (size_t i = 0; i < variables->count; i++) {
        free(variables->items[i].name);
        free(variables->items[i].value);
    }
    free(variables->items);
}

// Takes both.
static void
add_variable(struct variables *variables, char *name, char *value)
{
    mem_grow(
        &variables->items, &variables->capacity, variables->count + 1, sizeof(*variables->items));
    variables->items[variables->count++] = (struct variable){name, value};
}

// "work11" is AIRBUILD_NODE_WORK11; the prefix keeps any node name apart from our own variables.
static char *
node_variable(const char *node)
{
    char *name = str_format("AIRBUILD_NODE_%s", node);
    for (char *c = name; *c != '\0'; c++)
        *c = isalnum((unsigned char) *c) ? (char) toupper((unsigned char) *c) : '_';
    return name;
}

static char *
sentinel_list(const struct spec *spec)
{
    STRV_AUTO struct strv list = {0};
    for (size_t i = 0; i < spec->node_count; i++)
        if (spec->nodes[i].role == SPEC_REDIS)
            strv_addf(&list, "%s:%d", spec->nodes[i].address, PROBE_SENTINEL_PORT);
    return strv_join(&list, ",");
}

static void
collect_variables(const struct spec *spec, const char *password, struct variables *variables)
{
    const char *head = spec_head(spec)->address;
    add_variable(variables, str_dup("REDISCLI_AUTH"), str_dup(password));
    add_variable(variables, str_dup("AIRBUILD_CLUSTER"), str_dup(spec->cluster));
    add_variable(variables, str_dup("AIRBUILD_WRITE"), str_format("%s:%d", head, PROBE_WRITE_PORT));
    add_variable(variables, str_dup("AIRBUILD_READ"), str_format("%s:%d", head, PROBE_READ_PORT));
    add_variable(variables, str_dup("AIRBUILD_SENTINELS"), sentinel_list(spec));
    add_variable(variables, str_dup("AIRBUILD_MASTER_NAME"), str_dup(spec->redis.master_name));
    for (size_t i = 0; i < spec->node_count; i++)
        add_variable(
            variables, node_variable(spec->nodes[i].name), str_dup(spec->nodes[i].address));
}

static void
print_shell(const struct variables *variables)
{
    BUF_AUTO struct buf text = {0};
    for (size_t i = 0; i < variables->count; i++) {
        const struct variable *v = &variables->items[i];
        if (v->value == NULL) {
            buf_printf(&text, "unset %s\n", v->name);
            continue;
        }
        buf_printf(&text, "export %s=", v->name);
        message_quote(&text, v->value);
        buf_add(&text, "\n");
    }
    cli_print(text.data);
}

static void
print_env_json(const struct variables *variables)
{
    JV_AUTO struct jv *value = jv_object();
    for (size_t i = 0; i < variables->count; i++)
        jv_set_string(value, variables->items[i].name, variables->items[i].value);
    cli_print_json(value);
}

static int
print_hosts(const struct cli *cli, const struct spec *spec)
{
    BUF_AUTO struct buf text = {0};
    JV_AUTO struct jv *value = jv_object();
    for (size_t i = 0; i < spec->node_count; i++) {
        jv_set_string(value, spec->nodes[i].name, spec->nodes[i].address);
        buf_printf(&text, "%s %s\n", spec->nodes[i].address, spec->nodes[i].name);
    }
    if (cli->globals.json)
        cli_print_json(value);
    else
        cli_print(text.data);
    return 0;
}

static int
run_env(struct cli *cli, struct error *err)
{
    const struct env_values *values = cli->values;
    SPEC_AUTO struct spec *spec = NULL;
    if (cli_spec(cli, &spec, err) != 0)
        return -1;
    if (values->hosts)
        return print_hosts(cli, spec);
    if (cli_launched(spec, err) != 0)
        return -1;
    FREE_AUTO char *folder = cluster_folder(spec);
    SECRETS_AUTO struct secrets *secrets = NULL;
    if (secrets_load(folder, &secrets, err) != 0)
        return -1;
    struct variables variables = {0};
    collect_variables(spec, spec->redis.auth ? secrets->passwords[SECRETS_APP] : NULL, &variables);
    if (cli->globals.json)
        print_env_json(&variables);
    else
        print_shell(&variables);
    variables_free(&variables);
    return 0;
}

static const struct cli_option options[] = {
    {"hosts", 0, NULL, "print the lines for /etc/hosts in its place",
        OPTION_FLAG(struct env_values, hosts)},
    {0},
};

const struct cli_command command_env = {
    .name = "env",
    .arguments = "",
    .summary = "what a shell needs to talk to the cluster: eval \"$(airbuild env)\"",
    .details = "Prints variables for a POSIX shell: REDISCLI_AUTH with the application's password, "
               "which redis-cli reads by itself; AIRBUILD_WRITE and AIRBUILD_READ, the addresses "
               "to write to and to read from; AIRBUILD_SENTINELS and AIRBUILD_MASTER_NAME, what "
               "a client in sentinel mode asks for; AIRBUILD_NODE_NAME, the address of each node; "
               "AIRBUILD_CLUSTER. Redis and sentinels take the same password, of the user default, "
               "and speak no TLS.\n"
               "With --hosts no cluster need be launched.\n",
    .options = options,
    .values_size = sizeof(struct env_values),
    .run = run_env,
};
