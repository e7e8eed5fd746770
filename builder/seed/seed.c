// seed.c - a node's three cloud-init documents and the files inside, from their templates.
// SPDX-License-Identifier: Apache-2.0
#include "seed/seed.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "seed/facts.h"
#include "seed/template.h"
#include "yaml/writer.h"

#include <stdlib.h>
#include <string.h>

void
seed_free(struct seed *seed)
{
    free(seed->meta_data);
    free(seed->user_data);
    free(seed->network_config);
    *seed = (struct seed){0};
}

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"

// The node whose documents are made, and their sources.
struct subject {
    const struct spec *spec;
    const struct spec_node *node;
    const struct secrets *secrets;  // NULL: there are none yet
    const struct secrets_node *own; // of the node; NULL likewise
    bool reveal;
};

// Fill in the template cloud-init/ROLE/NAME, or cloud-init/NAME if there is none.
static int
fill_file(const struct spec_node *node, const char *name, const char *head,
    const struct template_value *values, size_t count, char **ret, struct error *err)
{
    FREE_AUTO char *own = str_format("cloud-init/%s/%s", spec_role_name(node->role), name);
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

int
seed_file(const struct spec *spec, const struct spec_node *node, const struct secrets *secrets,
    bool reveal, const char *name, char **ret, struct error *err)
{
    FACTS_AUTO struct facts facts = {0};
    if (facts_make(spec, node, secrets, reveal, &facts, err) < 0)
        return -1;
    if (!str_equal(name, "facts"))
        return fill_file(node, name, NULL, facts.values, facts.count, ret, err);
    *ret = facts_text(&facts);
    return 0;
}

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
#define CONFIGURATIONS (sizeof configurations / sizeof *configurations)

static int
fill_user_data(const struct subject *subject, const struct template_value *files, char **ret,
    struct error *err)
{
    const struct spec *spec = subject->spec;
    const struct spec_node *node = subject->node;
    FREE_AUTO char *fqdn = str_format("%s.%s", node->name, spec->cluster), *hosts = NULL,
                   *facts = NULL;
    STRV_AUTO struct strv keys = {0};
    strv_add(&keys, subject->secrets == NULL ? SEED_LATER : subject->secrets->client_key.public);
    for (size_t i = 0; i < spec->ssh_keys.count; i++)
        strv_add(&keys, spec->ssh_keys.items[i]);
    if (seed_file(spec, node, subject->secrets, subject->reveal, "facts", &facts, err) < 0 ||
        make_hosts(spec, &hosts, err) < 0)
        return -1;
    const struct secrets_node *own = subject->own;
    const char *private = subject->reveal && own != NULL ? own->host_key.private : SEED_HIDDEN;
    const char *public = own == NULL ? SEED_LATER : own->host_key.public;
    bool grow = node->disk_bytes != 0;
    const struct template_value values[] = {
        {"name", .text = node->name, .required = true},
        {"fqdn", .text = fqdn},
        {"cluster", .text = spec->cluster},
        {"address", .text = node->address},
        {"user", .text = spec->ssh_user, .required = true},
        {"authorized_keys", TEMPLATE_LIST, .list = &keys, .required = true},
        {"host_key_private", .text = private, .required = true},
        {"host_key_public", .text = public, .required = true},
        {"growpart", .text = grow ? "auto" : "off"},
        {"grow", TEMPLATE_TRUTH, .truth = grow},
        {"hosts", .text = hosts},
        {"facts", .text = facts, .required = true},
        files[0],
        files[1],
        files[2],
        files[3],
    };
    size_t count = sizeof values / sizeof *values;
    return fill_file(node, "user-data.yaml", "#cloud-config\n", values, count, ret, err);
}

static int
make_user_data(const struct subject *subject, char **ret, struct error *err)
{
    struct template_value files[CONFIGURATIONS] = {{0}};
    int answer = 0;
    for (size_t i = 0; i < CONFIGURATIONS && answer == 0; i++) {
        char *text = NULL; // stays NULL for those of the other role
        if (configurations[i].role == subject->node->role)
            answer = seed_file(subject->spec, subject->node, subject->secrets, subject->reveal,
                configurations[i].name, &text, err);
        files[i] = (struct template_value){
            configurations[i].value, .text = text, .required = text != NULL};
    }
    if (answer == 0)
        answer = fill_user_data(subject, files, ret, err);
    for (size_t i = 0; i < CONFIGURATIONS; i++)
        free((char *) files[i].text);
    return answer;
}

static int
make_network_config(const struct subject *subject, char **ret, struct error *err)
{
    const struct spec_network *network = &subject->spec->network;
    const struct spec_node *node = subject->node;
    // Only in mode nat is the host a router and a name server; NULL leaves both out.
    const char *host = network->mode == SPEC_NETWORK_NAT ? network->host : NULL;
    FREE_AUTO char *prefix = str_format("%u", network->prefix);
    const struct template_value values[] = {
        {"mac", .text = node->mac, .required = true},
        {"address", .text = node->address, .required = true},
        {"prefix", .text = prefix, .required = true},
        {"gateway", .text = host},
        {"nameserver", .text = host},
    };
    size_t count = sizeof values / sizeof *values;
    return fill_file(node, "network-config.yaml", NULL, values, count, ret, err);
}

int
seed_build(const struct spec *spec, const struct spec_node *node, const struct secrets *secrets,
    bool reveal, struct seed *ret, struct error *err)
{
    struct subject subject = {.spec = spec, .node = node, .secrets = secrets, .reveal = reveal};
    subject.own = secrets == NULL ? NULL : secrets_find(secrets, node->name);
    SEED_AUTO struct seed seed = {0};
    json_auto_t *meta_data = json_pack("{s:s, s:s}", "instance-id",
        subject.own == NULL ? SEED_LATER : subject.own->instance_id, "local-hostname", node->name);
    if (make_user_data(&subject, &seed.user_data, err) < 0 ||
        make_network_config(&subject, &seed.network_config, err) < 0 ||
        yaml_write(NULL, meta_data, &seed.meta_data, err) < 0)
        return error_context(err, "cannot make the seed of node '%s'", node->name);
    *ret = seed;
    seed = (struct seed){0};
    return 0;
}
