// check.c - checks that the values of a spec fit each other: addresses are in the network and
// differ, there is one head and enough workers, and the quorum survives the loss of a machine.
// Single values are checked by the tables of keys.c.
// SPDX-License-Identifier: Apache-2.0
#include "spec/check.h"

#include "base/cleanup.h"
#include "spec/validators.h"

#include <string.h>

const struct yaml_node *
spec_draft_place(const struct spec_draft *draft, size_t node, const char *key)
{
    const struct yaml_node *nodes = yaml_get(draft->root, "nodes");
    if (nodes == NULL)
        return yaml_place(draft->root, "network", "subnet");
    const struct yaml_node *value = yaml_get(nodes->items[node], key);
    return value != NULL ? value : nodes->keys[node];
}

// ---- addresses ----------------------------------------------------------------------------------

static bool
check_in_subnet(const struct spec_draft *draft, const struct yaml_node *place, const char *text)
{
    uint32_t address, network = draft->subnet.network, broadcast = draft->subnet.broadcast;
    if (!draft->subnet_known || text == NULL || !address_read(text, &address))
        return false;
    if (address > network && address < broadcast)
        return true;
    const char *why = address == network     ? "the network address of the subnet"
                      : address == broadcast ? "the broadcast address of the subnet"
                                             : "outside the subnet";
    FREE_AUTO char *first = address_write(network + 1), *last = address_write(broadcast - 1);
    yaml_error(draft->source, place, "'%s' is %s '%s'; choose one from %s to %s", text, why,
        draft->spec->network.subnet, first, last);
    return false;
}

static void
check_network(const struct spec_draft *draft)
{
    const struct spec_network *network = &draft->spec->network;
    check_in_subnet(draft, yaml_place(draft->root, "network", "host"), network->host);
    if (network->mode == SPEC_NETWORK_BRIDGE &&
        yaml_get(yaml_get(draft->root, "network"), "name") == NULL)
        yaml_error(draft->source, yaml_place(draft->root, "network", "mode"),
            "mode bridge needs the name of the host's bridge; add it, such as 'name: br0'");
    if (network->mode != SPEC_NETWORK_BRIDGE && !valid_short_name(network->name))
        yaml_error(draft->source, yaml_place(draft->root, "network", "name"),
            "the name of a network must be at most 10 lower-case letters, digits and '-', "
            "unless it is a bridge, not '%s'",
            network->name);
}

static void
check_address(const struct spec_draft *draft, size_t index)
{
    const struct spec_node *nodes = draft->spec->nodes, *node = &nodes[index];
    const struct yaml_node *place = spec_draft_place(draft, index, "address");
    if (!check_in_subnet(draft, place, node->address))
        return;
    if (strcmp(node->address, draft->spec->network.host) == 0) {
        yaml_error(draft->source, place,
            "'%s' is the host's own address; choose another, or another 'host' of the network",
            node->address);
        return;
    }
    for (size_t i = 0; i < index; i++) {
        if (!str_equal(nodes[i].address, node->address))
            continue;
        FREE_AUTO char *other = yaml_quote(nodes[i].name);
        yaml_error(draft->source, place, "'%s' is already the address of node %s; choose another",
            node->address, other);
        return;
    }
}

static void
check_mac(const struct spec_draft *draft, size_t index)
{
    const struct spec_node *nodes = draft->spec->nodes, *node = &nodes[index];
    for (size_t i = 0; node->mac != NULL && i < index; i++) {
        // Equal addresses make equal MACs; one error is enough.
        if (!str_equal(nodes[i].mac, node->mac) || str_equal(nodes[i].address, node->address))
            continue;
        FREE_AUTO char *other = yaml_quote(nodes[i].name);
        yaml_error(draft->source, spec_draft_place(draft, index, "mac"),
            "'%s' is already the MAC address of node %s; choose another", node->mac, other);
        return;
    }
}

// ---- roles --------------------------------------------------------------------------------------

static void
check_heads(const struct spec_draft *draft)
{
    const struct spec *spec = draft->spec;
    const struct spec_node *head = NULL;
    for (size_t i = 0; i < spec->node_count; i++) {
        if (spec->nodes[i].role != SPEC_HAPROXY)
            continue;
        if (head != NULL)
            yaml_error(draft->source, spec_draft_place(draft, i, "role"),
                "'%s' is a second haproxy node after '%s', but only one is allowed; make it redis, "
                "or remove it",
                spec->nodes[i].name, head->name);
        else
            head = &spec->nodes[i];
    }
    if (head == NULL)
        yaml_error(draft->source, yaml_get_key(draft->root, "nodes"),
            "no node has the role haproxy; add one such as 'head10: {role: haproxy}'");
}

static void
check_workers(const struct spec_draft *draft)
{
    if (draft->workers == 0)
        yaml_error(draft->source, yaml_get_key(draft->root, "nodes"),
            "no node has the role redis; add three such as 'work11: {role: redis}'");
    else if (draft->workers < 3 && draft->spec->ha)
        yaml_error(draft->source, yaml_get_key(draft->root, "nodes"),
            "%s; add nodes to have three, or write 'ha: off' to accept that",
            draft->workers == 1
                ? "with one redis node there is no replica, so losing it loses service and data"
                : "two redis nodes cannot elect a master when one is lost, so writes stop until "
                  "it is back");
    else if (draft->workers >= 3 && !draft->spec->ha)
        yaml_error(draft->source, yaml_get(draft->root, "ha"),
            "'ha: off' is for one or two redis nodes, but there are %zu; remove the line",
            draft->workers);
}

// ---- agreement ----------------------------------------------------------------------------------

// The quorum is a majority, and is still reached when one machine is lost with its sentinel.
static void
check_quorum(const struct spec_draft *draft)
{
    unsigned quorum = draft->spec->redis.quorum;
    size_t workers = draft->workers, least = workers / 2 + 1, most = workers - 1;
    const struct yaml_node *place = yaml_place(draft->root, "redis", "quorum");
    FREE_AUTO char *choice =
        least == most ? str_format("%zu", least) : str_format("%zu to %zu", least, most);
    if (!draft->spec->ha && quorum > workers)
        yaml_error(draft->source, place,
            "%zu sentinels never reach a quorum of %u; write at most %zu", workers, quorum,
            workers);
    else if (draft->spec->ha && quorum > most)
        yaml_error(draft->source, place,
            "a quorum of %u of %zu sentinels cannot be reached when one machine is lost, so no "
            "replica would take over; write %s",
            quorum, workers, choice);
    else if (draft->spec->ha && quorum < least)
        yaml_error(draft->source, place,
            "a quorum of %u of %zu sentinels is not a majority, so both sides of a split network "
            "could have a master; write %s",
            quorum, workers, choice);
}

static void
check_min_replicas(const struct spec_draft *draft)
{
    size_t spare = draft->spec->ha ? 2 : 1;
    size_t most = draft->workers > spare ? draft->workers - spare : 0;
    if (draft->spec->redis.min_replicas <= most)
        return;
    yaml_error(draft->source, yaml_place(draft->root, "redis", "min-replicas"),
        "%zu redis node%s cannot have %u replica%s%s, so writes would stop; write %s%zu",
        draft->workers, draft->workers == 1 ? "" : "s", draft->spec->redis.min_replicas,
        draft->spec->redis.min_replicas == 1 ? "" : "s",
        draft->spec->ha ? " when one machine is lost" : "", most == 0 ? "" : "at most ", most);
}

// Redis' copies, its clients and the system need the other half.
static void
check_maxmemory(const struct spec_draft *draft)
{
    const struct spec *spec = draft->spec;
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        if (node->role != SPEC_REDIS || spec->redis.maxmemory_mib <= node->memory_mib / 2)
            continue;
        yaml_error(draft->source, yaml_place(draft->root, "redis", "maxmemory"),
            "%uM of data do not fit into '%s', which has %uM and needs half of that for copies, "
            "clients and the system; write at most %uM, or give it more memory",
            spec->redis.maxmemory_mib, node->name, node->memory_mib, node->memory_mib / 2);
        return;
    }
}

// Roles are counted only when every role is valid.
void
spec_check(struct spec_draft *draft)
{
    const struct spec *spec = draft->spec;
    const struct yaml_node *uri = yaml_get(draft->root, "uri");
    // A URI that is not valid has its error already.
    if (uri != NULL && str_equal(uri->text, spec->uri) && !uri_is_local(spec->uri))
        yaml_error(draft->source, uri,
            "'%s' is a libvirt on another host, but the disks of the nodes are made on this host; "
            "write qemu:///system and run airbuild on that host",
            spec->uri);
    check_network(draft);
    for (size_t i = 0; i < spec->node_count; i++) {
        check_address(draft, i);
        check_mac(draft, i);
    }
    if (draft->source->error_total > 0)
        return;
    check_heads(draft);
    check_workers(draft);
    if (draft->source->error_total > 0)
        return;
    check_quorum(draft);
    check_min_replicas(draft);
    check_maxmemory(draft);
}
