// seed.c - a node's three cloud-init documents: values gathered, templates filled in. It writes no
// file.
// SPDX-License-Identifier: Apache-2.0
#include "seed/seed.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "seed/facts.h"
#include "seed/template.h"
#include "yaml/writer.h"

#include <stdlib.h>

void
seed_free(struct seed *seed)
{
    free(seed->meta_data);
    free(seed->user_data);
    free(seed->network_config);
    *seed = (struct seed){0};
}

// A node, and what its documents are made from.
struct subject {
    const struct spec *spec;
    const struct spec_node *node;
    const struct secrets *secrets;  // NULL: there are none yet
    const struct secrets_node *own; // of the node; NULL likewise
    bool reveal;
};

static int
make_meta_data(const struct subject *subject, char **ret, struct error *err)
{
    YAML_WRITER_AUTO struct yaml_writer *writer = yaml_writer_new(NULL);
    yaml_write_map(writer);
    yaml_put_string(
        writer, "instance-id", subject->own == NULL ? SEED_LATER : subject->own->instance_id);
    yaml_put_string(writer, "local-hostname", subject->node->name);
    yaml_write_end(writer);
    return yaml_writer_finish(writer, ret, err);
}

static int
fill_document(const struct subject *subject, const char *document, const char *head,
    const struct template_value *values, size_t count, char **ret, struct error *err)
{
    FREE_AUTO char *name =
        str_format("cloud-init/%s/%s.yaml", spec_role_name(subject->node->role), document);
    FREE_AUTO char *template = NULL;
    size_t length;
    if (asset_read(name, &template, &length, err) < 0)
        return -1;
    return template_fill(name, template, length, head, values, count, ret, err);
}

static void
list_keys(const struct subject *subject, struct strv *ret)
{
    strv_add(ret, subject->secrets == NULL ? SEED_LATER : subject->secrets->client_key.public);
    for (size_t i = 0; i < subject->spec->ssh_keys.count; i++)
        strv_add(ret, subject->spec->ssh_keys.items[i]);
}

static const char *
host_key_private(const struct subject *subject)
{
    return subject->reveal && subject->own != NULL ? subject->own->host_key.private : SEED_HIDDEN;
}

static int
make_user_data(const struct subject *subject, char **ret, struct error *err)
{
    const struct spec *spec = subject->spec;
    const struct spec_node *node = subject->node;
    FREE_AUTO char *fqdn = facts_fqdn(spec, node), *facts = NULL, *hosts = NULL;
    STRV_AUTO struct strv keys = {0};
    list_keys(subject, &keys);
    if (seed_facts(spec, node, subject->secrets, subject->reveal, &facts, err) < 0 ||
        facts_hosts(spec, &hosts, err) < 0)
        return -1;
    const char *host_key = subject->own == NULL ? SEED_LATER : subject->own->host_key.public;
    bool grow = node->disk_bytes != 0;
    const struct template_value values[] = {
        {"name", .text = node->name, .required = true},
        {"fqdn", .text = fqdn},
        {"cluster", .text = spec->cluster},
        {"address", .text = node->address},
        {"user", .text = spec->ssh_user, .required = true},
        {"authorized_keys", TEMPLATE_LIST, .list = &keys, .required = true},
        {"host_key_private", .text = host_key_private(subject), .required = true},
        {"host_key_public", .text = host_key, .required = true},
        {"growpart", .text = grow ? "auto" : "off"},
        {"grow", TEMPLATE_TRUTH, .truth = grow},
        {"hosts", .text = hosts},
        {"facts", .text = facts, .required = true},
    };
    size_t count = sizeof values / sizeof *values;
    return fill_document(subject, "user-data", "#cloud-config\n", values, count, ret, err);
}

static int
make_network_config(const struct subject *subject, char **ret, struct error *err)
{
    const struct spec_network *network = &subject->spec->network;
    const struct spec_node *node = subject->node;
    // Only in mode nat does the host route and answer names; elsewhere these are left out.
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
    return fill_document(subject, "network-config", NULL, values, count, ret, err);
}

int
seed_build(const struct spec *spec, const struct spec_node *node, const struct secrets *secrets,
    bool reveal, struct seed *ret, struct error *err)
{
    struct subject subject = {.spec = spec, .node = node, .secrets = secrets, .reveal = reveal};
    subject.own = secrets == NULL ? NULL : secrets_find(secrets, node->name);
    SEED_AUTO struct seed seed = {0};
    if (make_user_data(&subject, &seed.user_data, err) < 0 ||
        make_network_config(&subject, &seed.network_config, err) < 0 ||
        make_meta_data(&subject, &seed.meta_data, err) < 0)
        return error_context(err, "cannot make the seed of node '%s'", node->name);
    *ret = seed;
    seed = (struct seed){0};
    return 0;
}
