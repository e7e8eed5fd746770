// seed.c - the facts about a node, the files that are made from them, and its three cloud-init
// documents. Facts are checked, not quoted: a POSIX shell reads them.
// SPDX-License-Identifier: Apache-2.0
#include "seed/seed.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "seed/template.h"
#include "yaml/writer.h"

#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
#define VALUE_CHARACTERS NAME_CHARACTERS " /=_:"

void
seed_free(struct seed *seed)
{
    free(seed->meta_data);
    free(seed->user_data);
    free(seed->network_config);
    free(seed->network);
    free(seed->link);
    *seed = (struct seed){0};
}

// Rows of other workers in a sentinel's configuration. A sentinel learns of further ones from what
// all sentinels publish on the redis servers that it knows. So seeds grow with the number of nodes,
// not with its square.
#define KNOWN_MAX 63

struct seed_maker {
    const struct spec *spec;
    const struct secrets *secrets; // NULL: there are none yet
    bool reveal;
    const struct secrets_node **own; // by node; NULL without secrets
    char *workers, *hosts;           // texts that are the same on all nodes
};

// The node whose documents are made, their sources, and the facts about it.
struct subject {
    const struct seed_maker *maker;
    const struct spec *spec; // these three are the maker's
    const struct secrets *secrets;
    bool reveal;
    const struct spec_node *node;
    const struct secrets_node *own; // NULL without secrets
    struct template_value *facts;   // their names, texts and rows of cells are owned, too
    size_t count, capacity;
    size_t public_count; // /etc/airbuild/facts holds the first ones; only templates use the rest
};

static void
subject_clear(struct subject *subject)
{
    for (size_t i = 0; i < subject->count; i++) {
        const struct template_value *fact = &subject->facts[i];
        free((char *) fact->name);
        free((char *) fact->text);
        free((struct template_value *) fact->cells);
    }
    free(subject->facts);
}
#define SUBJECT_AUTO CLEANUP(subject_clear)

// ---- facts --------------------------------------------------------------------------------------

// Takes text. The result is valid until the next fact.
static struct template_value *
add_fact(struct subject *subject, const char *name, char *text)
{
    mem_grow(&subject->facts, &subject->capacity, subject->count + 1, sizeof *subject->facts);
    struct template_value *fact = &subject->facts[subject->count++];
    *fact = (struct template_value){.name = str_dup(name), .text = text};
    return fact;
}

static void
add_truth(struct subject *subject, const char *name, bool truth)
{
    add_fact(subject, name, str_dup(truth ? "yes" : "no"));
}

static const char *
password(const struct subject *subject, enum secrets_account account)
{
    bool shown = subject->reveal && subject->secrets != NULL;
    return shown ? subject->secrets->passwords[account] : SEED_HIDDEN;
}

static const char *
sentinel_id(const struct seed_maker *maker, size_t node)
{
    return maker->own == NULL ? SEED_LATER : maker->own[node]->sentinel_id;
}

static void
add_public_facts(struct subject *subject)
{
    const struct spec *spec = subject->spec;
    const struct spec_redis *redis = &spec->redis;
    const struct spec_node *node = subject->node;
    add_fact(subject, "node", str_dup(node->name));
    add_fact(subject, "role", str_dup(spec_roles[node->role]));
    add_fact(subject, "cluster", str_dup(spec->cluster));
    add_fact(subject, "address", str_dup(node->address));
    add_fact(subject, "subnet", str_dup(spec->network.subnet));
    add_fact(subject, "head", str_dup(spec_head(spec)->address));
    add_fact(subject, "workers", str_dup(subject->maker->workers));
    add_fact(subject, "first_master", str_dup(spec_first_master(spec)->address));
    add_fact(subject, "master_name", str_dup(redis->master_name));
    add_fact(subject, "quorum", str_format("%u", redis->quorum));
    add_fact(subject, "down_after_ms", str_format("%u", redis->down_after_ms));
    add_fact(subject, "failover_timeout_ms", str_format("%u", redis->failover_timeout_ms));
    add_fact(subject, "min_replicas", str_format("%u", redis->min_replicas));
    add_fact(subject, "min_replicas_max_lag", str_format("%u", redis->min_replicas_max_lag));
    add_fact(subject, "maxmemory",
        redis->maxmemory_mib == 0 ? str_dup("auto") : str_format("%u", redis->maxmemory_mib));
    add_fact(subject, "maxmemory_policy", str_dup(spec_policies[redis->maxmemory_policy]));
    add_truth(subject, "persistence", redis->persistence);
    add_truth(subject, "auth", redis->auth);
    // A head needs no password but that of its health checks.
    for (enum secrets_account account = SECRETS_APP; account < SECRETS_ACCOUNTS; account++) {
        FREE_AUTO char *name = str_format("password_%s", secrets_accounts[account]);
        if (node->role == SPEC_REDIS || account == SECRETS_CHECK)
            add_fact(subject, name, str_dup(password(subject, account)));
    }
    add_truth(subject, "ha", spec->ha);
    add_truth(subject, "joins", subject->own != NULL && subject->own->joins);
    subject->public_count = subject->count;
}

// For @each name@: the workers but the one of address `without` (NULL: all). At most `most`, and
// always the node itself.
static void
add_rows(struct subject *subject, const char *name, const char *without, size_t most)
{
    static const char *const columns[] = {"worker_name", "worker_address", "worker_id"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    const struct spec *spec = subject->spec;
    size_t capacity = most < spec->node_count ? most + 1 : spec->node_count, others = 0;
    struct template_value *cells = mem_zero(capacity * COLUMNS, sizeof *cells);
    struct template_value *fact = add_fact(subject, name, NULL);
    fact->kind = TEMPLATE_ROWS;
    fact->cells = cells;
    fact->column_count = COLUMNS;
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        if (node->role != SPEC_REDIS || str_equal(node->address, without) ||
            (node != subject->node && others++ >= most))
            continue;
        const char *texts[COLUMNS] = {node->name, node->address, sentinel_id(subject->maker, i)};
        for (size_t k = 0; k < COLUMNS; k++, cells++)
            *cells = (struct template_value){.name = columns[k], .text = texts[k]};
        fact->row_count++;
    }
}

static int
check_fact(const char *name, const char *value, struct error *err)
{
    if (value[strspn(value, VALUE_CHARACTERS)] == '\0')
        return 0;
    return error_set(err, ERR_SPEC,
        "'%s' is not a valid value of the node fact '%s'; use letters, digits, spaces and "
        "'./=_:-' only",
        value, name);
}

static int
make_facts(struct subject *subject, struct error *err)
{
    const struct spec *spec = subject->spec;
    const struct spec_node *node = subject->node;
    add_public_facts(subject);
    // From here on values that only templates use; all of them follow from the facts.
    const char *first = spec_first_master(spec)->address;
    if (node->role == SPEC_HAPROXY) {
        add_rows(subject, "worker", NULL, spec->node_count);
    } else {
        add_rows(subject, "peer", node->address, KNOWN_MAX);
        add_rows(subject, "replica", first, KNOWN_MAX);
        add_truth(subject, "first", str_equal(node->address, first));
        add_fact(subject, "sentinel_id",
            str_dup(sentinel_id(subject->maker, (size_t) (node - spec->nodes))));
        add_fact(subject, "app_login",
            spec->redis.auth ? str_format(">%s", password(subject, SECRETS_APP))
                             : str_dup("nopass"));
    }
    for (size_t i = 0; i < subject->public_count; i++) {
        const struct template_value *fact = &subject->facts[i];
        bool checked = str_equal(fact->text, SEED_HIDDEN) || str_equal(fact->name, "workers");
        if (!checked && check_fact(fact->name, fact->text, err) < 0)
            return -1;
    }
    return 0;
}

// The text of /etc/airbuild/facts: lines NAME='value' that a POSIX shell can source.
static char *
facts_text(const struct subject *subject)
{
    struct buf text = {0};
    for (size_t i = 0; i < subject->public_count; i++)
        buf_printf(&text, "%s='%s'\n", subject->facts[i].name, subject->facts[i].text);
    return buf_take(&text);
}

// ---- files --------------------------------------------------------------------------------------

// Fill in the template cloud-init/ROLE/NAME, or cloud-init/NAME if there is none.
static int
fill_file(const struct spec_node *node, const char *name, const char *head,
    const struct template_value *values, size_t count, char **ret, struct error *err)
{
    FREE_AUTO char *own = str_format("cloud-init/%s/%s", spec_roles[node->role], name);
    FREE_AUTO char *common = str_format("cloud-init/%s", name), *template = NULL;
    const char *asset = own;
    size_t length;
    int answer = asset_read(own, &template, &length, err);
    if (answer < 0 && err->code == ERR_NOT_FOUND) {
        error_clear(err);
        asset = common;
        answer = asset_read(common, &template, &length, err);
    }
    return answer < 0 ? -1 : template_fill(asset, template, length, head, values, count, ret, err);
}

// The configurations of each role; user-data contains them by value.
static const struct {
    enum spec_role role;
    const char *name, *value;
} configurations[] = {
    {SPEC_REDIS, "redis.conf", "redis_conf"},
    {SPEC_REDIS, "sentinel.conf", "sentinel_conf"},
    {SPEC_HAPROXY, "haproxy.cfg", "haproxy_cfg"},
    {SPEC_HAPROXY, "haproxy.state", "haproxy_state"},
};

static int
make_user_data(struct subject *subject, char **ret, struct error *err)
{
    const struct spec *spec = subject->spec;
    const struct spec_node *node = subject->node;
    const struct secrets *secrets = subject->secrets;
    size_t count = subject->count; // of the facts that configurations are made of
    for (size_t i = 0; i < sizeof configurations / sizeof *configurations; i++) {
        char *text = NULL; // stays NULL for those of the other role
        if (configurations[i].role == node->role &&
            fill_file(node, configurations[i].name, NULL, subject->facts, count, &text, err) < 0)
            return -1;
        add_fact(subject, configurations[i].value, text)->required = text != NULL;
    }
    const struct template_value *files = subject->facts + count;
    FREE_AUTO char *fqdn = str_format("%s.%s", node->name, spec->cluster);
    FREE_AUTO char *facts = facts_text(subject);
    STRV_AUTO struct strv keys = {0};
    strv_add(&keys, secrets == NULL ? SEED_LATER : secrets->client_key.public);
    for (size_t i = 0; i < spec->ssh_keys.count; i++)
        strv_add(&keys, spec->ssh_keys.items[i]);
    const struct secrets_key *key = subject->own == NULL ? NULL : &subject->own->host_key;
    bool grow = node->disk_bytes != 0;
    const struct template_value values[] = {
        {"name", .text = node->name, .required = true},
        {"fqdn", .text = fqdn},
        {"cluster", .text = spec->cluster},
        {"address", .text = node->address},
        {"user", .text = spec->ssh_user, .required = true},
        {"authorized_keys", TEMPLATE_LIST, .list = &keys, .required = true},
        {"host_key_private", .text = subject->reveal && key != NULL ? key->private : SEED_HIDDEN,
            .required = true},
        {"host_key_public", .text = key == NULL ? SEED_LATER : key->public, .required = true},
        {"growpart", .text = grow ? "auto" : "off"},
        {"grow", TEMPLATE_TRUTH, .truth = grow},
        {"hosts", .text = subject->maker->hosts},
        {"facts", .text = facts, .required = true},
        files[0],
        files[1],
        files[2],
        files[3],
    };
    count = sizeof values / sizeof *values;
    return fill_file(node, "user-data.yaml", "#cloud-config\n", values, count, ret, err);
}

// Whether the user has a template of that name.
static bool
has_own(const struct spec_node *node, const char *name)
{
    FREE_AUTO char *role = str_format("cloud-init/%s/%s", spec_roles[node->role], name);
    FREE_AUTO char *common = str_format("cloud-init/%s", name);
    return asset_is_own(role) || asset_is_own(common);
}

// What cloud-init makes of the built-in network-config.
static char *
make_network(const struct spec_node *node, const char *prefix, const char *host)
{
    struct buf text = {0};
    buf_printf(&text, "[Match]\nMACAddress=%s\n[Network]\nAddress=%s/%s\n", node->mac,
        node->address, prefix);
    if (host != NULL)
        buf_printf(&text, "Gateway=%s\nDNS=%s\n", host, host);
    return buf_take(&text);
}

int
seed_make(const struct seed_maker *maker, const struct spec_node *node, struct seed *ret,
    struct error *err)
{
    const struct spec *spec = maker->spec;
    const struct secrets_node *own = maker->own == NULL ? NULL : maker->own[node - spec->nodes];
    SUBJECT_AUTO struct subject subject = {
        maker, spec, maker->secrets, maker->reveal, node, own, .facts = NULL};
    // Only in mode nat is the host a router and a name server; NULL leaves both out.
    const char *host = spec->network.mode == SPEC_NETWORK_NAT ? spec->network.host : NULL;
    FREE_AUTO char *prefix = str_format("%u", spec->network.prefix);
    const struct template_value network[] = {
        {"mac", .text = node->mac, .required = true},
        {"address", .text = node->address, .required = true},
        {"prefix", .text = prefix, .required = true},
        {"gateway", .text = host},
        {"nameserver", .text = host},
    };
    SEED_AUTO struct seed seed = {0};
    json_auto_t *meta_data = json_pack("{s:s, s:s}", "instance-id",
        own == NULL ? SEED_LATER : own->instance_id, "local-hostname", node->name);
    if (make_facts(&subject, err) < 0 || make_user_data(&subject, &seed.user_data, err) < 0 ||
        fill_file(node, "network-config.yaml", NULL, network, sizeof network / sizeof *network,
            &seed.network_config, err) < 0 ||
        yaml_write(NULL, meta_data, &seed.meta_data, err) < 0)
        return error_context(err, "cannot make the seed of node '%s'", node->name);
    if (!has_own(node, "user-data.yaml") && !has_own(node, "network-config.yaml")) {
        seed.network = make_network(node, prefix, host);
        seed.link = host == NULL ? str_format("%s/%s", node->address, prefix) : NULL;
    }
    *ret = seed;
    seed = (struct seed){0};
    return 0;
}

// ---- what all nodes share -----------------------------------------------------------------------

// The text of /etc/hosts on every node: all nodes by name.
static int
make_hosts(const struct spec *spec, char **ret, struct error *err)
{
    BUF_AUTO struct buf text = {0};
    buf_add(&text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        FREE_AUTO char *fqdn = str_format("%s.%s", node->name, spec->cluster);
        const char *const texts[] = {node->address, fqdn};
        for (size_t k = 0; k < 2; k++)
            if (texts[k][0] == '\0' || texts[k][strspn(texts[k], NAME_CHARACTERS)] != '\0')
                return error_set(err, ERR_SPEC,
                    "'%s' is not valid in /etc/hosts; use letters, digits, '.' and '-' only",
                    texts[k]);
        buf_printf(&text, "%s %s %s\n", node->address, fqdn, node->name);
    }
    *ret = buf_take(&text);
    return 0;
}

// Secrets have the order of the spec, unless nodes were added to it.
static int
find_own(struct seed_maker *maker, struct error *err)
{
    const struct spec *spec = maker->spec;
    const struct secrets *secrets = maker->secrets;
    if (secrets == NULL)
        return 0;
    maker->own = mem_zero(spec->node_count, sizeof(*maker->own));
    for (size_t i = 0; i < spec->node_count; i++) {
        const char *name = spec->nodes[i].name;
        bool ordered = i < secrets->node_count && str_equal(secrets->nodes[i].name, name);
        maker->own[i] = ordered ? &secrets->nodes[i] : secrets_find(secrets, name);
        if (maker->own[i] == NULL)
            return error_set(err, ERR_FAILED,
                "the cluster's secrets lack node '%s'; run 'airbuild launch' to add it", name);
    }
    return 0;
}

int
seed_maker_new(const struct spec *spec, const struct secrets *secrets, bool reveal,
    struct seed_maker **ret, struct error *err)
{
    SEED_MAKER_AUTO struct seed_maker *maker = mem_zero(1, sizeof *maker);
    BUF_AUTO struct buf workers = {0}; // NAME=ADDRESS=SENTINEL-ID of every worker
    *maker = (struct seed_maker){.spec = spec, .secrets = secrets, .reveal = reveal};
    if (find_own(maker, err) < 0 || make_hosts(spec, &maker->hosts, err) < 0)
        return error_context(err, "cannot make the seeds");
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *worker = &spec->nodes[i];
        if (worker->role == SPEC_REDIS)
            buf_printf(&workers, "%s%s=%s=%s", workers.length > 0 ? " " : "", worker->name,
                worker->address, sentinel_id(maker, i));
    }
    maker->workers = buf_take(&workers);
    if (secrets != NULL && check_fact("workers", maker->workers, err) < 0)
        return error_context(err, "cannot make the seeds");
    *ret = TAKE(maker);
    return 0;
}

void
seed_maker_free(struct seed_maker *maker)
{
    if (maker == NULL)
        return;
    free(maker->own);
    free(maker->workers);
    free(maker->hosts);
    free(maker);
}

int
seed_build(const struct spec *spec, const struct spec_node *node, const struct secrets *secrets,
    bool reveal, struct seed *ret, struct error *err)
{
    SEED_MAKER_AUTO struct seed_maker *maker = NULL;
    return seed_maker_new(spec, secrets, reveal, &maker, err) < 0
               ? -1
               : seed_make(maker, node, ret, err);
}
