// keys.c - the keys of cluster.yaml. The parser, its messages and the reference read these tables.
// SPDX-License-Identifier: Apache-2.0
#include "spec/keys.h"

#include "base/cleanup.h"
#include "spec/validators.h"

#include <string.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)
#define TIB (1ULL << 40)

const char *const spec_roles[] = {"haproxy", "redis", NULL};
const char *const spec_modes[] = {"isolated", "nat", "bridge", NULL};
const char *const spec_accels[] = {"auto", "kvm", "tcg", NULL};
static const char *const only_auto[] = {"auto", NULL};
// The words of redis.conf, maxmemory-policy; the same in valkey.
const char *const spec_policies[] = {"noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", NULL};

#define AT(member) offsetof(struct spec_network, member)
static const struct yaml_key network_keys[] = {
    TEXT("name", name, valid_interface,
        "a name such as air: at most 10 lower-case letters, digits and '-'; in mode bridge "
        "an interface such as br0",
        "the name of the cluster",
        "The libvirt network to make, or in mode bridge the existing bridge of the host."),
    TEXT("subnet", subnet, valid_subnet,
        "an IPv4 network such as 172.31.255.0/24: its first address, and a prefix from 8 "
        "to 29",
        "172.31.255.0/24", "The addresses of the nodes and of the host."),
    TEXT("host", host, valid_address, "an IPv4 address such as 172.31.255.254",
        "the last usable address of the subnet", "The host's own address in the network."),
    WORD("mode", mode, spec_modes, "isolated",
        "isolated: nodes and host reach only each other; nat: the nodes reach what the host "
        "reaches; bridge: the nodes are connected to a bridge of the host."),
    {0},
};
#undef AT

#define AT(member) offsetof(struct spec, member)
static const struct yaml_key ssh_keys[] = {
    TEXT("user", ssh_user, valid_account,
        "a new account such as air: lower-case letters, digits, '_' and '-', and not "
        "an account or group of the base system",
        "air", "The account on the nodes, with login by key and sudo."),
    ROW(STRINGS, "keys", ssh_keys, "only airbuild's own key",
        "Public keys that may log in, besides airbuild's own.", .valid = valid_public_key,
        .form = "the one line of an OpenSSH .pub file (ssh-ed25519 AAAA...)"),
    {0},
};
#undef AT

#define AT(member) offsetof(struct spec_redis, member)
static const struct yaml_key redis_keys[] = {
    DURATION("down-after", down_after_ms, 500, 600000, "2s",
        "How long a node must be silent before sentinels agree that it is down."),
    DURATION("failover-timeout", failover_timeout_ms, 1000, 3600000, "5s",
        "How long one failover may take. After twice that, another is tried."),
    COUNT("quorum", quorum, 1, SPEC_NODE_MAX, "more than half of the redis nodes",
        "How many sentinels must agree that the master is down: more than half of them, and "
        "no more than are left when one machine is lost."),
    SWITCH("auth", auth, "on", "Whether redis and sentinel ask for passwords."),
    SWITCH("persistence", persistence, "on",
        "Whether redis writes an append-only file, so that data survive a power cut."),
    COUNT("min-replicas", min_replicas, 0, SPEC_NODE_MAX, "1, and 0 with ha: off",
        "How many replicas must keep up, or the master refuses writes."),
    ROW(DURATION, "min-replicas-max-lag", min_replicas_max_lag, "2s",
        "How far behind a replica may be and still count for min-replicas.", .unit = 1000,
        .min = 2000, .max = 3600000),
    TEXT("master-name", master_name, valid_master_name,
        "a name such as redis-primary: letters, digits, '.', '_' and '-'", "redis-primary",
        "Sentinel's name of the group; clients ask sentinel for the master of this name."),
    ROW(SIZE, "maxmemory", maxmemory_mib,
        "auto: about two fifths of a node's memory above 192M, so that a copy for a replica or the "
        "disk fits too",
        "How much memory the data may take; auto is computed at each start of the node.",
        .words = only_auto, .unit = MIB, .min = 16 * MIB, .max = TIB),
    WORD("maxmemory-policy", maxmemory_policy, spec_policies, "noeviction",
        "What redis does when maxmemory is reached: noeviction refuses writes; the others "
        "remove keys."),
    {0},
};
#undef AT

#define AT(member) offsetof(struct spec_node, member)
const struct yaml_key node_keys[] = {
    ROW(WORD, "role", role, NULL,
        "haproxy: the one node that clients talk to; redis: a worker, with a sentinel. The first "
        "redis node is the first master.",
        .required = true, .words = spec_roles),
    TEXT("address", address, valid_address, "an IPv4 address such as 172.31.255.11",
        "the number at the end of the node's name, counted from the start of the subnet: "
        "work11 is 172.31.255.11",
        "The node's address in the network."),
    TEXT("mac", mac, valid_mac,
        "six hex pairs such as 52:54:00:1f:ff:0b, neither multicast nor beginning with fe",
        "52:54:00 and the last three numbers of the address",
        "The MAC address of the node's network card."),
    ROW(SIZE, "memory", memory_mib, "512M for haproxy, 768M for redis", "The node's memory.",
        .unit = MIB, .min = 256 * MIB, .max = TIB),
    COUNT("cpus", cpus, 1, 64, "1", "The node's processors."),
    ROW(SIZE, "disk", disk_bytes, "as large as the image", "The size of the node's disk.",
        .min = 2 * GIB, .max = 64 * TIB),
    {0},
};
#undef AT

static void
set_node(struct yaml_source *source, const struct yaml_node *name, const struct yaml_node *value,
    struct spec_node *node)
{
    FREE_AUTO char *quoted = yaml_quote(name->text);
    FREE_AUTO char *what = str_format("node %s", quoted);
    node->name = str_dup(name->text);
    node->cpus = 1;
    if (!valid_node_name(name->text))
        yaml_error(source, name,
            "a node's name must be at most 31 lower-case letters, digits and '-' and begin with a "
            "letter, not %s",
            quoted);
    if (yaml_is_null(value))
        yaml_error(source, name, "%s has no value; write {role: redis} or {role: haproxy}", what);
    else
        yaml_map(source, value, what, node_keys, node);
}

static void
set_nodes(struct yaml_source *source, const struct yaml_node *name, const struct yaml_node *value,
    void *member)
{
    static const struct yaml_key key = {.name = "nodes",
        .type = YAML_CUSTOM,
        .form = "a mapping of names to nodes such as 'work11: {role: redis}'"};
    struct spec *spec = member;
    if (value->kind != YAML_MAP) {
        yaml_error_value(source, value, &key);
        return;
    }
    if (value->count > SPEC_NODE_MAX) {
        yaml_error(source, value->keys[SPEC_NODE_MAX],
            "there are %zu nodes, but at most %d are allowed, as a Linux bridge has only 1023 "
            "ports; "
            "remove some",
            value->count, SPEC_NODE_MAX);
        return;
    }
    if (value->count == 0)
        yaml_error(source, name,
            "'nodes' is empty; add nodes such as 'work11: {role: redis}', or remove the line to "
            "have the default four");
    spec->nodes = mem_zero(value->count, sizeof *spec->nodes);
    spec->node_count = value->count;
    for (size_t i = 0; i < value->count; i++)
        set_node(source, value->keys[i], value->items[i], &spec->nodes[i]);
}

static const struct yaml_key any_node_keys[] = {
    TABLE("NAME", 0, node_keys,
        "A node, with a name of your choice: lower-case letters, digits and '-', at "
        "most 31 characters. It is also the name of its libvirt domain."),
    {0},
};

#define AT(member) offsetof(struct spec, member)
const struct yaml_key spec_keys[] = {
    TEXT("cluster", cluster, valid_short_name,
        "a name such as air: lower-case letters, digits and '-', at most 10 characters", "air",
        "The name of the cluster."),
    SWITCH("ha", ha, "on",
        "on: three or more redis nodes, of which any one may be lost; off: one or two, "
        "and no failover when the master is lost."),
    ROW(CUSTOM, "base", bases, "auto",
        "The base of the images; auto is Arch if one of its mirrors can be reached, else Debian, "
        "and later stays the same. A mapping has one of the keys arch, debian, file, url and "
        "bootstrap, or haproxy and redis with a base for each.",
        .keys = base_keys, .custom = base_set,
        .form = "auto, arch, debian, or a mapping with some of the keys below"),
    TABLE("network", AT(network), network_keys, "The flat network of the nodes."),
    WORD("accel", accel, spec_accels, "auto",
        "kvm: hardware virtualisation; tcg: emulation in software; auto: kvm if a "
        "kernel boots with it, else tcg."),
    TEXT("uri", uri, valid_uri, "a libvirt URI of QEMU such as qemu:///system", "qemu:///system",
        "The libvirt that runs the nodes; it must be on this host, where their disks "
        "are made."),
    TABLE("ssh", 0, ssh_keys, "Who may log in to the nodes."),
    TABLE("redis", AT(redis), redis_keys, "How redis and sentinel behave."),
    {.name = "nodes",
        .type = YAML_CUSTOM,
        .keys = any_node_keys,
        .custom = set_nodes,
        .form = "a mapping of names to nodes",
        .absent = "head10 (haproxy), work11, work12 and work13 (redis)",
        .meaning =
            "The machines: one haproxy and three or more redis nodes, 1000 at most. More than 253 "
            "need a larger network.subnet."},
    {0},
};
#undef AT
