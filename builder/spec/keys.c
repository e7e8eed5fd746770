// keys.c - every key of cluster.yaml: its form, its member and its documentation. The parser, the
// complaints and the reference page all read these tables.
// SPDX-License-Identifier: Apache-2.0
#include "spec/parts.h"

#include "base/cleanup.h"

#include <string.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)
#define TIB (1ULL << 40)

const char *const spec_roles[] = {"haproxy", "redis", NULL};
const char *const spec_modes[] = {"isolated", "nat", "bridge", NULL};
const char *const spec_accels[] = {"auto", "kvm", "tcg", NULL};
static const char *const by_itself[] = {"auto", NULL};
// redis' own words (redis.conf, maxmemory-policy), the same in valkey.
const char *const spec_policies[] = {"noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", NULL};

#define AT(member) offsetof(struct spec_network, member)
static const struct yaml_key network_keys[] = {
    {.name = "name",
        .type = YAML_STRING,
        .offset = AT(name),
        .fits = form_interface,
        .form = "a name such as air: at most 10 lower-case letters, digits and '-'; in mode bridge "
                "an interface such as br0",
        .absent = "the name of the cluster",
        .meaning = "The libvirt network that is made, or in mode bridge the bridge that the host "
                   "has already."},
    {.name = "subnet",
        .type = YAML_STRING,
        .offset = AT(subnet),
        .fits = form_subnet,
        .form = "an IPv4 network such as 172.31.255.0/24: its first address, and a prefix from 8 "
                "to 29",
        .absent = "172.31.255.0/24",
        .meaning = "The addresses of the nodes and of the host."},
    {.name = "host",
        .type = YAML_STRING,
        .offset = AT(host),
        .fits = form_address,
        .form = "an IPv4 address such as 172.31.255.254",
        .absent = "the last usable address of the subnet",
        .meaning = "The host's own address in the network."},
    {.name = "mode",
        .type = YAML_WORD,
        .offset = AT(mode),
        .words = spec_modes,
        .absent = "isolated",
        .meaning = "isolated: nodes and host see each other and nothing else; nat: the nodes reach "
                   "what the host reaches; bridge: the nodes hang on a bridge of the host."},
    {0},
};
#undef AT

#define AT(member) offsetof(struct spec, member)
static const struct yaml_key ssh_keys[] = {
    {.name = "user",
        .type = YAML_STRING,
        .offset = AT(ssh_user),
        .fits = form_account,
        .form = "a new account such as air: lower-case letters, digits, '_' and '-', and no "
                "account or group that a system has already",
        .absent = "air",
        .meaning = "The account on the nodes; it logs in by key and may use sudo."},
    {.name = "keys",
        .type = YAML_STRINGS,
        .offset = AT(ssh_keys),
        .fits = form_public_key,
        .form = "the one line of an OpenSSH .pub file (ssh-ed25519 AAAA...)",
        .absent = "only airbuild's own key",
        .meaning = "Public keys that may log in besides airbuild's own."},
    {0},
};
#undef AT

#define AT(member) offsetof(struct spec_redis, member)
static const struct yaml_key redis_keys[] = {
    {.name = "down-after",
        .type = YAML_DURATION,
        .offset = AT(down_after_ms),
        .min = 500,
        .max = 600000,
        .absent = "2s",
        .meaning = "How long a node must be silent before sentinels agree that it is down."},
    {.name = "failover-timeout",
        .type = YAML_DURATION,
        .offset = AT(failover_timeout_ms),
        .min = 1000,
        .max = 3600000,
        .absent = "5s",
        .meaning = "How long one failover may take. After twice that another is tried."},
    {.name = "quorum",
        .type = YAML_UNSIGNED,
        .offset = AT(quorum),
        .min = 1,
        .max = SPEC_NODE_MAX,
        .absent = "more than half of the redis nodes",
        .meaning = "How many sentinels must agree that the master is down, and who it is: more "
                   "than half of them, and no more than are left when one machine is lost."},
    {.name = "auth",
        .type = YAML_BOOL,
        .offset = AT(auth),
        .absent = "on",
        .meaning = "Whether redis and sentinel ask for passwords."},
    {.name = "persistence",
        .type = YAML_BOOL,
        .offset = AT(persistence),
        .absent = "on",
        .meaning = "Whether redis writes an append-only file, so that data outlive a power cut."},
    {.name = "min-replicas",
        .type = YAML_UNSIGNED,
        .offset = AT(min_replicas),
        .max = SPEC_NODE_MAX,
        .absent = "1, and 0 with ha: off",
        .meaning = "How many replicas must follow closely, else the master takes no writes."},
    {.name = "min-replicas-max-lag",
        .type = YAML_DURATION,
        .offset = AT(min_replicas_max_lag),
        .unit = 1000,
        .min = 2000,
        .max = 3600000,
        .absent = "2s",
        .meaning = "How far behind a replica may be and still count for min-replicas."},
    {.name = "master-name",
        .type = YAML_STRING,
        .offset = AT(master_name),
        .fits = form_master_name,
        .form = "a name such as redis-primary: letters, digits, '.', '_' and '-'",
        .absent = "redis-primary",
        .meaning = "What sentinel calls the group; clients ask it for the master of this name."},
    {.name = "maxmemory",
        .type = YAML_SIZE,
        .offset = AT(maxmemory_mib),
        .words = by_itself,
        .unit = MIB,
        .min = 16 * MIB,
        .max = TIB,
        .absent = "auto: about two fifths of what a node has beyond 192M, so that a copy for a "
                  "replica or the disk fits beside the data",
        .meaning = "How much memory the data may take; at each start the node looks at it anew."},
    {.name = "maxmemory-policy",
        .type = YAML_WORD,
        .offset = AT(maxmemory_policy),
        .words = spec_policies,
        .absent = "noeviction",
        .meaning = "What redis does when the data take as much: noeviction refuses writes; the "
                   "others remove keys."},
    {0},
};
#undef AT

#define AT(member) offsetof(struct spec_node, member)
const struct yaml_key node_keys[] = {
    {.name = "role",
        .type = YAML_WORD,
        .required = true,
        .offset = AT(role),
        .words = spec_roles,
        .meaning = "haproxy: the one node that clients talk to; redis: a worker, with a sentinel. "
                   "The first redis node is the first master."},
    {.name = "address",
        .type = YAML_STRING,
        .offset = AT(address),
        .fits = form_address,
        .form = "an IPv4 address such as 172.31.255.11",
        .absent = "the number at the end of the node's name, counted from the start of the subnet: "
                  "work11 is 172.31.255.11",
        .meaning = "The node's address in the network."},
    {.name = "mac",
        .type = YAML_STRING,
        .offset = AT(mac),
        .fits = form_mac,
        .form = "six hex pairs such as 52:54:00:1f:ff:0b, neither multicast nor beginning with fe",
        .absent = "52:54:00 and the last three numbers of the address",
        .meaning = "The MAC address of the node's network card."},
    {.name = "memory",
        .type = YAML_SIZE,
        .offset = AT(memory_mib),
        .unit = MIB,
        .min = 256 * MIB,
        .max = TIB,
        .absent = "512M for haproxy, 768M for redis",
        .meaning = "The node's memory."},
    {.name = "cpus",
        .type = YAML_UNSIGNED,
        .offset = AT(cpus),
        .min = 1,
        .max = 64,
        .absent = "1",
        .meaning = "The node's processors."},
    {.name = "disk",
        .type = YAML_SIZE,
        .offset = AT(disk_bytes),
        .min = 2 * GIB,
        .max = 64 * TIB,
        .absent = "as large as the image",
        .meaning = "The size of the node's disk."},
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
    if (!form_node_name(name->text))
        yaml_complain(source, name,
            "a node's name must be lower-case letters, digits and '-', begin with a letter and "
            "have at most 31 characters, not %s",
            quoted);
    if (yaml_is_nothing(value))
        yaml_complain(
            source, name, "%s has no value; write {role: redis} or {role: haproxy}", what);
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
        yaml_complain_wrong(source, value, &key);
        return;
    }
    if (value->count > SPEC_NODE_MAX) {
        yaml_complain(source, value->keys[SPEC_NODE_MAX],
            "these are %zu nodes, at most %d are allowed; remove some", value->count,
            SPEC_NODE_MAX);
        return;
    }
    if (value->count == 0)
        yaml_complain(source, name,
            "'nodes' is empty; add nodes such as 'work11: {role: redis}', "
            "or remove the line for the default four");
    spec->nodes = mem_zero(value->count, sizeof *spec->nodes);
    spec->node_count = value->count;
    for (size_t i = 0; i < value->count; i++)
        set_node(source, value->keys[i], value->items[i], &spec->nodes[i]);
}

static const struct yaml_key any_node_keys[] = {
    {.name = "NAME",
        .type = YAML_TABLE,
        .keys = node_keys,
        .meaning =
            "A node, called by a name of your choice: lower-case letters, digits and '-', at "
            "most 31 characters. It is also the name of its libvirt domain."},
    {0},
};

#define AT(member) offsetof(struct spec, member)
const struct yaml_key spec_keys[] = {
    {.name = "cluster",
        .type = YAML_STRING,
        .offset = AT(cluster),
        .fits = form_short_name,
        .form = "a name such as air: lower-case letters, digits and '-', at most 10 characters",
        .absent = "air",
        .meaning = "The name of the cluster."},
    {.name = "ha",
        .type = YAML_BOOL,
        .offset = AT(ha),
        .absent = "on",
        .meaning = "on: three or more redis nodes, of which any one may be lost; off: one or two, "
                   "and nobody takes over when the master is lost."},
    {.name = "base",
        .type = YAML_CUSTOM,
        .offset = AT(bases),
        .keys = base_keys,
        .custom = base_set,
        .form = "auto, arch, debian, or a mapping with keys of those below",
        .absent = "auto",
        .meaning = "What the images are made over; auto is Arch where a mirror of it answers, else "
                   "Debian, and stays what it was the first time. One of arch, debian, file, url "
                   "and bootstrap in a mapping says more, or haproxy and redis, for each its own."},
    {.name = "network",
        .type = YAML_TABLE,
        .offset = AT(network),
        .keys = network_keys,
        .meaning = "The flat network of the nodes."},
    {.name = "accel",
        .type = YAML_WORD,
        .offset = AT(accel),
        .words = spec_accels,
        .absent = "auto",
        .meaning = "kvm: hardware virtualisation; tcg: emulation in software; auto: kvm where a "
                   "kernel was seen to boot under it, else tcg."},
    {.name = "uri",
        .type = YAML_STRING,
        .offset = AT(uri),
        .fits = form_uri,
        .form = "a libvirt URI of QEMU such as qemu:///system",
        .absent = "qemu:///system",
        .meaning = "The libvirt that runs the nodes; it must be of this host, where their disks "
                   "are made."},
    {.name = "ssh",
        .type = YAML_TABLE,
        .offset = 0,
        .keys = ssh_keys,
        .meaning = "Who may log in to the nodes."},
    {.name = "redis",
        .type = YAML_TABLE,
        .offset = AT(redis),
        .keys = redis_keys,
        .meaning = "How redis and sentinel behave."},
    {.name = "nodes",
        .type = YAML_CUSTOM,
        .offset = 0,
        .keys = any_node_keys,
        .custom = set_nodes,
        .form = "a mapping of names to nodes",
        .absent = "head10 (haproxy), work11, work12 and work13 (redis)",
        .meaning = "The machines: one haproxy and three or more redis nodes, 64 at most."},
    {0},
};
#undef AT
