// facts.c - the facts about a node. Values are checked, not quoted: a POSIX shell reads them.
// SPDX-License-Identifier: Apache-2.0
#include "seed/facts.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "seed/seed.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.- /=_:"

// A node, and where its facts come from and go to.
struct maker {
    const struct spec *spec;
    const struct spec_node *node;
    const struct secrets *secrets; // NULL: none yet
    bool reveal;
    struct facts *facts;
};

void
facts_free(struct facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct template_value *value = &facts->values[i];
        free((char *) value->text);
        for (size_t k = 0; k < value->row_count * value->column_count; k++)
            free((char *) value->cells[k].text);
        free((struct template_value *) value->cells);
    }
    free(facts->values);
    *facts = (struct facts){0};
}

// Valid until the next one.
static struct template_value *
new_value(const struct maker *maker, const char *name)
{
    struct facts *facts = maker->facts;
    mem_grow(&facts->values, &facts->capacity, facts->count + 1, sizeof *facts->values);
    struct template_value *value = &facts->values[facts->count++];
    *value = (struct template_value){.name = name};
    return value;
}

static void
add_fact(const struct maker *maker, const char *name, const char *text)
{
    new_value(maker, name)->text = str_dup(text);
}

static void
add_number(const struct maker *maker, const char *name, unsigned number)
{
    new_value(maker, name)->text = str_format("%u", number);
}

static void
add_truth(const struct maker *maker, const char *name, bool truth)
{
    add_fact(maker, name, truth ? "yes" : "no");
}

static const char *
password(const struct maker *maker, enum secrets_account account)
{
    bool shown = maker->reveal && maker->secrets != NULL;
    return shown ? maker->secrets->passwords[account] : SEED_HIDDEN;
}

static const char *
sentinel_id(const struct maker *maker, const struct spec_node *node)
{
    return maker->secrets == NULL ? SEED_LATER
                                  : secrets_find(maker->secrets, node->name)->sentinel_id;
}

static void
add_public_facts(const struct maker *maker)
{
    static const char *const passwords[SECRETS_ACCOUNTS] = {
        [SECRETS_APP] = "password_app",
        [SECRETS_ADMIN] = "password_admin",
        [SECRETS_REPLICA] = "password_replica",
        [SECRETS_SENTINEL] = "password_sentinel",
        [SECRETS_CHECK] = "password_check",
        [SECRETS_STATUS] = "password_status",
    };
    const struct spec *spec = maker->spec;
    const struct spec_redis *redis = &spec->redis;
    const struct spec_node *node = maker->node;
    add_fact(maker, "node", node->name);
    add_fact(maker, "role", spec_role_name(node->role));
    add_fact(maker, "cluster", spec->cluster);
    add_fact(maker, "address", node->address);
    add_fact(maker, "subnet", spec->network.subnet);
    add_fact(maker, "head", spec_head(spec)->address);
    STRV_AUTO struct strv workers = {0}; // NAME=ADDRESS=SENTINEL-ID of every worker
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *worker = &spec->nodes[i];
        if (worker->role == SPEC_REDIS)
            strv_addf(
                &workers, "%s=%s=%s", worker->name, worker->address, sentinel_id(maker, worker));
    }
    new_value(maker, "workers")->text = strv_join(&workers, " ");
    add_fact(maker, "first_master", spec_first_master(spec)->address);
    add_fact(maker, "master_name", redis->master_name);
    add_number(maker, "quorum", redis->quorum);
    add_number(maker, "down_after_ms", redis->down_after_ms);
    add_number(maker, "failover_timeout_ms", redis->failover_timeout_ms);
    add_number(maker, "min_replicas", redis->min_replicas);
    add_number(maker, "min_replicas_max_lag", redis->min_replicas_max_lag);
    if (redis->maxmemory_mib == 0)
        add_fact(maker, "maxmemory", "auto");
    else
        add_number(maker, "maxmemory", redis->maxmemory_mib);
    add_fact(maker, "maxmemory_policy", spec_policy_name(redis->maxmemory_policy));
    add_truth(maker, "persistence", redis->persistence);
    add_truth(maker, "auth", redis->auth);
    // A head needs no password but that of its health checks.
    for (enum secrets_account account = SECRETS_APP; account < SECRETS_ACCOUNTS; account++)
        if (node->role == SPEC_REDIS || account == SECRETS_CHECK)
            add_fact(maker, passwords[account], password(maker, account));
}

// For @each name@: the workers but the one of address `without` (NULL: all).
static void
add_rows(const struct maker *maker, const char *name, const char *without)
{
    static const char *const columns[] = {"worker_name", "worker_address", "worker_id"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    const struct spec *spec = maker->spec;
    struct template_value *cells = mem_zero(spec->node_count * COLUMNS, sizeof *cells);
    struct template_value *value = new_value(maker, name);
    value->kind = TEMPLATE_ROWS;
    value->cells = cells;
    value->column_count = COLUMNS;
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        if (node->role != SPEC_REDIS || str_equal(node->address, without))
            continue;
        const char *texts[COLUMNS] = {node->name, node->address, sentinel_id(maker, node)};
        for (size_t k = 0; k < COLUMNS; k++, cells++)
            *cells = (struct template_value){.name = columns[k], .text = str_dup(texts[k])};
        value->row_count++;
    }
}

int
facts_make(const struct spec *spec, const struct spec_node *node, const struct secrets *secrets,
    bool reveal, struct facts *ret, struct error *err)
{
    const struct maker maker = {spec, node, secrets, reveal, ret};
    for (size_t i = 0; secrets != NULL && i < spec->node_count; i++)
        if (secrets_find(secrets, spec->nodes[i].name) == NULL)
            return error_set(err, ERR_FAILED,
                "the cluster's secrets lack node '%s'; run 'airbuild launch' to add it",
                spec->nodes[i].name);
    add_public_facts(&maker);
    add_truth(&maker, "ha", spec->ha);
    add_truth(&maker, "joins", secrets != NULL && secrets_find(secrets, node->name)->joins);
    ret->public_count = ret->count;
    // From here on values that only templates use; all of them follow from the facts.
    const char *first = spec_first_master(spec)->address;
    add_rows(&maker, "worker", NULL);
    if (node->role == SPEC_REDIS) {
        add_rows(&maker, "peer", node->address);
        add_rows(&maker, "replica", first);
        add_truth(&maker, "first", str_equal(node->address, first));
        add_fact(&maker, "sentinel_id", sentinel_id(&maker, node));
        FREE_AUTO char *login = str_format(">%s", password(&maker, SECRETS_APP));
        add_fact(&maker, "app_login", spec->redis.auth ? login : "nopass");
    }
    for (size_t i = 0; i < ret->public_count; i++) {
        const struct template_value *value = &ret->values[i];
        bool placeholder = str_equal(value->text, SEED_HIDDEN) ||
                           (secrets == NULL && str_equal(value->name, "workers"));
        if (!placeholder && value->text[strspn(value->text, VALUE_CHARACTERS)] != '\0')
            return error_set(err, ERR_SPEC,
                "'%s' is not a valid value of the node fact '%s'; use letters, digits, spaces and "
                "'./=_:-' only",
                value->text, value->name);
    }
    return 0;
}

char *
facts_text(const struct facts *facts)
{
    struct buf text = {0};
    for (size_t i = 0; i < facts->public_count; i++)
        buf_printf(&text, "%s='%s'\n", facts->values[i].name, facts->values[i].text);
    return buf_take(&text);
}
