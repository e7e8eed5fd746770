// facts.c - /etc/airbuild/facts, what a node makes its live configurations from, and /etc/hosts.
// Values are checked, not quoted: a POSIX shell sources the facts.
// SPDX-License-Identifier: Apache-2.0
#include "seed/facts.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "seed/seed.h"

#include <string.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
#define VALUE_CHARACTERS NAME_CHARACTERS " /=_:"

struct facts {
    const struct spec *spec;
    const struct secrets *secrets; // NULL: there are none yet
    bool reveal;
    struct buf text;
    struct error *err;
    bool failed; // err is set; nothing is added from there on
};

static void
add_fact(struct facts *facts, const char *name, const char *value)
{
    if (facts->failed)
        return;
    if (value[strspn(value, VALUE_CHARACTERS)] != '\0') {
        facts->failed = true;
        error_set(facts->err, ERR_SPEC,
            "'%s' cannot be told to a node as '%s'; use letters, digits, spaces and './=_:-' only",
            value, name);
        return;
    }
    buf_printf(&facts->text, "%s='%s'\n", name, value);
}

static void
add_number(struct facts *facts, const char *name, unsigned number)
{
    FREE_AUTO char *text = str_format("%u", number);
    add_fact(facts, name, text);
}

static void
add_truth(struct facts *facts, const char *name, bool truth)
{
    add_fact(facts, name, truth ? "yes" : "no");
}

static void
add_password(struct facts *facts, enum secrets_account account)
{
    FREE_AUTO char *name = str_format("password_%s", secrets_account_name(account));
    if (facts->reveal && facts->secrets != NULL)
        add_fact(facts, name, facts->secrets->passwords[account]);
    else if (!facts->failed)
        buf_printf(&facts->text, "%s='%s'\n", name, SEED_HIDDEN);
}

static void
add_node_facts(struct facts *facts, const struct spec_node *node)
{
    const struct spec *spec = facts->spec;
    add_fact(facts, "node", node->name);
    add_fact(facts, "role", spec_role_name(node->role));
    add_fact(facts, "cluster", spec->cluster);
    add_fact(facts, "address", node->address);
    add_fact(facts, "subnet", spec->network.subnet);
    add_fact(facts, "head", spec_head(spec)->address);
}

// NAME=ADDRESS=SENTINEL-ID for every worker.
static void
add_workers(struct facts *facts)
{
    STRV_AUTO struct strv workers = {0};
    for (size_t i = 0; i < facts->spec->node_count; i++) {
        const struct spec_node *node = &facts->spec->nodes[i];
        if (node->role != SPEC_REDIS)
            continue;
        const struct secrets_node *own =
            facts->secrets == NULL ? NULL : secrets_find(facts->secrets, node->name);
        strv_addf(&workers, "%s=%s=%s", node->name, node->address,
            own == NULL ? SEED_LATER : own->sentinel_id);
    }
    FREE_AUTO char *text = strv_join(&workers, " ");
    if (facts->secrets != NULL)
        add_fact(facts, "workers", text);
    else if (!facts->failed)
        buf_printf(&facts->text, "workers='%s'\n", text);
}

static void
add_redis_facts(struct facts *facts)
{
    const struct spec_redis *redis = &facts->spec->redis;
    add_fact(facts, "first_master", spec_first_master(facts->spec)->address);
    add_fact(facts, "master_name", redis->master_name);
    add_number(facts, "quorum", redis->quorum);
    add_number(facts, "down_after_ms", redis->down_after_ms);
    add_number(facts, "failover_timeout_ms", redis->failover_timeout_ms);
    add_number(facts, "min_replicas", redis->min_replicas);
    add_number(facts, "min_replicas_max_lag", redis->min_replicas_max_lag);
    FREE_AUTO char *maxmemory =
        redis->maxmemory_mib == 0 ? str_dup("auto") : str_format("%u", redis->maxmemory_mib);
    add_fact(facts, "maxmemory", maxmemory);
    add_fact(facts, "maxmemory_policy", spec_policy_name(redis->maxmemory_policy));
    add_truth(facts, "persistence", redis->persistence);
    add_truth(facts, "auth", redis->auth);
}

// A head needs no password but that of its health checks.
static void
add_passwords(struct facts *facts, enum spec_role role)
{
    if (role == SPEC_HAPROXY) {
        add_password(facts, SECRETS_CHECK);
        return;
    }
    for (enum secrets_account account = SECRETS_APP; account < SECRETS_ACCOUNTS; account++)
        add_password(facts, account);
}

static bool
does_join(const struct secrets *secrets, const struct spec_node *node)
{
    const struct secrets_node *own = secrets == NULL ? NULL : secrets_find(secrets, node->name);
    return own != NULL && own->joins;
}

static int
check_secrets(const struct spec *spec, const struct secrets *secrets, struct error *err)
{
    for (size_t i = 0; secrets != NULL && i < spec->node_count; i++)
        if (secrets_find(secrets, spec->nodes[i].name) == NULL)
            return error_set(err, ERR_FAILED,
                "the cluster's secrets know no node '%s'; run 'airbuild launch' to add it",
                spec->nodes[i].name);
    return 0;
}

int
seed_facts(const struct spec *spec, const struct spec_node *node, const struct secrets *secrets,
    bool reveal, char **ret, struct error *err)
{
    if (check_secrets(spec, secrets, err) < 0)
        return -1;
    struct facts facts = {.spec = spec, .secrets = secrets, .reveal = reveal, .err = err};
    add_node_facts(&facts, node);
    add_workers(&facts);
    add_redis_facts(&facts);
    add_passwords(&facts, node->role);
    add_truth(&facts, "ha", spec->ha);
    add_truth(&facts, "joins", does_join(secrets, node));
    if (facts.failed) {
        buf_free(&facts.text);
        return -1;
    }
    *ret = buf_take(&facts.text);
    return 0;
}

char *
facts_fqdn(const struct spec *spec, const struct spec_node *node)
{
    return str_format("%s.%s", node->name, spec->cluster);
}

static int
check_name(const char *text, struct error *err)
{
    if (text[0] != '\0' && text[strspn(text, NAME_CHARACTERS)] == '\0')
        return 0;
    return error_set(err, ERR_SPEC,
        "'%s' cannot stand in /etc/hosts; use letters, digits, '.' and '-' only", text);
}

int
facts_hosts(const struct spec *spec, char **ret, struct error *err)
{
    BUF_AUTO struct buf text = {0};
    buf_add(&text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        FREE_AUTO char *fqdn = facts_fqdn(spec, node);
        if (check_name(node->address, err) < 0 || check_name(fqdn, err) < 0)
            return -1;
        buf_printf(&text, "%s %s %s\n", node->address, fqdn, node->name);
    }
    *ret = buf_take(&text);
    return 0;
}
