// load.c - a file or a text made into a checked spec, with defaults for what it leaves out.
// SPDX-License-Identifier: Apache-2.0
#include "spec/spec.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "spec/check.h"
#include "spec/keys.h"
#include "spec/validators.h"

#include <ctype.h>
#include <string.h>

#define DEFAULT_FILE "cluster.yaml"
#define BUILTIN_ASSET "images/cluster.yaml"
enum { HAPROXY_MIB = 512, REDIS_MIB = 768, DEFAULT_NODES_PREFIX = 28 };

static void
set_defaults(struct spec *spec)
{
    spec->cluster = str_dup("air");
    spec->ha = true;
    spec->network.subnet = str_dup("172.31.255.0/24");
    spec->uri = str_dup("qemu:///system");
    spec->ssh_user = str_dup("air");
    spec->redis.master_name = str_dup("redis-primary");
    spec->redis.down_after_ms = 2000;
    spec->redis.failover_timeout_ms = 5000;
    spec->redis.auth = true;
    spec->redis.persistence = true;
    spec->redis.min_replicas_max_lag = 2;
}

static void
add_default_nodes(struct spec_draft *draft)
{
    static const char *const names[] = {"head10", "work11", "work12", "work13"};
    struct spec *spec = draft->spec;
    if (draft->subnet_known && draft->subnet.prefix > DEFAULT_NODES_PREFIX) {
        yaml_error(draft->source, yaml_place(draft->root, "network", "subnet"),
            "the default nodes, with numbers 10 to 13, do not fit into this subnet; add 'nodes' "
            "with addresses, or write a subnet from /8 to /28");
        return;
    }
    spec->node_count = sizeof names / sizeof names[0];
    spec->nodes = mem_zero(spec->node_count, sizeof *spec->nodes);
    for (size_t i = 0; i < spec->node_count; i++) {
        spec->nodes[i].name = str_dup(names[i]);
        spec->nodes[i].role = i == 0 ? SPEC_HAPROXY : SPEC_REDIS;
        spec->nodes[i].cpus = 1;
    }
}

static void
derive_address(const struct spec_draft *draft, size_t index)
{
    struct spec_node *node = &draft->spec->nodes[index];
    const char *digits = node->name + strlen(node->name);
    while (digits > node->name && isdigit((unsigned char) digits[-1]))
        digits--;
    uint32_t last = draft->subnet.broadcast - draft->subnet.network - 1;
    unsigned long long number;
    if (str_to_u64(digits, last, &number) && number > 0) {
        node->address = address_write(draft->subnet.network + (uint32_t) number);
        return;
    }
    FREE_AUTO char *quoted = yaml_quote(node->name);
    FREE_AUTO char *example = address_write(draft->subnet.network + 1);
    FREE_AUTO char *subnet = str_format(
        "the number in its name does not fit into the subnet '%s'", draft->spec->network.subnet);
    bool unnumbered = digits[0] == '\0';
    yaml_error(draft->source, spec_draft_place(draft, index, "address"),
        "node %s needs an address, because %s; add one such as 'address: %s'%s", quoted,
        unnumbered ? "its name does not end in a number" : subnet, example,
        unnumbered ? "" : ", or write a larger subnet");
}

// An address or name that is not valid has its error already.
static void
derive_node(const struct spec_draft *draft, size_t index)
{
    struct spec_node *node = &draft->spec->nodes[index];
    const struct yaml_node *nodes = yaml_get(draft->root, "nodes");
    bool given = nodes != NULL && yaml_get(nodes->items[index], "address") != NULL;
    if (node->address == NULL && !given && draft->subnet_known && valid_node_name(node->name))
        derive_address(draft, index);
    uint32_t address;
    for (char *at = node->mac; at != NULL && *at != '\0'; at++)
        *at = (char) tolower((unsigned char) *at);
    if (node->mac == NULL && node->address != NULL && address_read(node->address, &address))
        node->mac = address_mac(address);
    if (node->memory_mib == 0)
        node->memory_mib = node->role == SPEC_HAPROXY ? HAPROXY_MIB : REDIS_MIB;
}

static void
derive_values(struct spec_draft *draft)
{
    struct spec *spec = draft->spec;
    struct spec_network *network = &spec->network;
    const struct yaml_node *subnet = yaml_get(yaml_get(draft->root, "network"), "subnet");
    for (size_t i = 0; i < SPEC_ROLES; i++)
        base_derive(draft->source, draft->root, &spec->bases[i]);
    draft->subnet_known = subnet == NULL || str_equal(subnet->text, network->subnet);
    subnet_read(network->subnet, &draft->subnet);
    network->prefix = draft->subnet.prefix;
    if (network->host == NULL)
        network->host = address_write(draft->subnet.broadcast - 1);
    if (network->name == NULL && network->mode != SPEC_NETWORK_BRIDGE)
        network->name = str_dup(spec->cluster);
    if (yaml_get(draft->root, "nodes") == NULL)
        add_default_nodes(draft);
    for (size_t i = 0; i < spec->node_count; i++)
        derive_node(draft, i);
    draft->workers = spec_worker_count(spec);
    if (spec->redis.quorum == 0)
        spec->redis.quorum = (unsigned) (draft->workers / 2 + 1);
    if (spec->ha && yaml_get(yaml_get(draft->root, "redis"), "min-replicas") == NULL)
        spec->redis.min_replicas = 1;
}

// ---- reading ------------------------------------------------------------------------------------

// Adds the path of each value of the text, such as "redis.quorum".
static void
collect_given(const struct yaml_node *node, const char *path, struct strv *ret)
{
    if (node->kind != YAML_MAP || node->count == 0) {
        strv_add(ret, path);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        FREE_AUTO char *below =
            str_format("%s%s%s", path, path[0] != '\0' ? "." : "", node->keys[i]->text);
        collect_given(node->items[i], below, ret);
    }
}

int
spec_parse(
    const char *origin, const char *text, size_t length, struct spec **ret, struct error *err)
{
    YAML_SOURCE_AUTO struct yaml_source source = {.origin = origin, .text = text, .length = length};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    SPEC_AUTO struct spec *spec = mem_zero(1, sizeof *spec);
    if (root != NULL) {
        struct spec_draft draft = {.source = &source, .root = root, .spec = spec};
        spec->origin = str_dup(origin);
        set_defaults(spec);
        yaml_map(&source, root, "the spec", spec_keys, spec);
        derive_values(&draft);
        spec_check(&draft);
        collect_given(root, "", &spec->given);
        strv_sort(&spec->given);
    }
    if (yaml_result(&source, err) != 0)
        return -1;
    *ret = TAKE(spec);
    return 0;
}

int
spec_load(const char *path, struct spec **ret, struct error *err)
{
    FREE_AUTO char *text = NULL;
    size_t length;
    if (path == NULL && !file_exists(DEFAULT_FILE)) {
        if (asset_read(BUILTIN_ASSET, &text, &length, err) != 0 ||
            spec_parse("built-in", text, length, ret, err) != 0)
            return -1;
        strv_free(&(*ret)->given); // its values are defaults, which the next version may change
        return 0;
    }
    path = path != NULL ? path : DEFAULT_FILE;
    if (file_read(path, YAML_TEXT_MAX, &text, &length, err) == 0)
        return spec_parse(path, text, length, ret, err);
    if (err->code == ERR_NOT_FOUND)
        return error_set(
            err, ERR_NOT_FOUND, "there is no file '%s'; check the path of the spec", path);
    if (err->code == ERR_FAILED)
        err->code = ERR_SPEC; // a folder, or a file that is too large
    return error_context(err, "cannot read the spec");
}

const char *
spec_builtin_text(void)
{
    static char *text; // never freed
    ERROR_AUTO struct error err = {0};
    if (text == NULL && asset_read(BUILTIN_ASSET, &text, NULL, &err) != 0)
        text = str_dup("");
    return text;
}
