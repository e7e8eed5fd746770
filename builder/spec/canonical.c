// canonical.c - a spec as plain lines, for comparing two of them.
// SPDX-License-Identifier: Apache-2.0
#include "spec/spec.h"

#include "base/cleanup.h"

#include <inttypes.h>

static const char *
on_off(bool truth)
{
    return truth ? "on" : "off";
}

// Roles over the same base are told once.
static void
add_bases(struct buf *out, const struct spec *spec)
{
    FREE_AUTO char *first = spec_base_canonical(&spec->bases[0]);
    FREE_AUTO char *second = spec_base_canonical(&spec->bases[1]);
    if (str_equal(first, second)) {
        buf_add(out, first);
        return;
    }
    for (size_t i = 0; i < SPEC_ROLES; i++) {
        STRV_AUTO struct strv lines = {0};
        strv_split(&lines, i == 0 ? first : second, '\n');
        for (size_t j = 0; j + 1 < lines.count; j++)
            buf_printf(out, "%s.%s\n", spec_role_name((enum spec_role) i), lines.items[j]);
    }
}

static void
add_network(struct buf *out, const struct spec_network *network)
{
    buf_printf(out, "network.name: %s\n", network->name);
    buf_printf(out, "network.subnet: %s\n", network->subnet);
    buf_printf(out, "network.host: %s\n", network->host);
    buf_printf(out, "network.mode: %s\n", spec_mode_name(network->mode));
}

static void
add_canonical_redis(struct buf *out, const struct spec_redis *redis)
{
    buf_printf(out, "redis.down-after: %ums\n", redis->down_after_ms);
    buf_printf(out, "redis.failover-timeout: %ums\n", redis->failover_timeout_ms);
    buf_printf(out, "redis.quorum: %u\n", redis->quorum);
    buf_printf(out, "redis.auth: %s\n", on_off(redis->auth));
    buf_printf(out, "redis.persistence: %s\n", on_off(redis->persistence));
    buf_printf(out, "redis.min-replicas: %u\n", redis->min_replicas);
    buf_printf(out, "redis.min-replicas-max-lag: %us\n", redis->min_replicas_max_lag);
    buf_printf(out, "redis.master-name: %s\n", redis->master_name);
    // Told when they are said, so that clusters from before these keys are still the same.
    if (redis->maxmemory_mib != 0)
        buf_printf(out, "redis.maxmemory: %uM\n", redis->maxmemory_mib);
    if (redis->maxmemory_policy != 0)
        buf_printf(out, "redis.maxmemory-policy: %s\n", spec_policy_name(redis->maxmemory_policy));
}

static void
add_canonical_node(struct buf *out, const struct spec_node *node)
{
    const char *name = node->name;
    buf_printf(out, "nodes.%s.role: %s\n", name, spec_role_name(node->role));
    buf_printf(out, "nodes.%s.address: %s\n", name, node->address);
    buf_printf(out, "nodes.%s.mac: %s\n", name, node->mac);
    buf_printf(out, "nodes.%s.memory: %uM\n", name, node->memory_mib);
    buf_printf(out, "nodes.%s.cpus: %u\n", name, node->cpus);
    if (node->disk_bytes == 0)
        buf_printf(out, "nodes.%s.disk: as its image\n", name);
    else
        buf_printf(out, "nodes.%s.disk: %" PRIu64 "\n", name, node->disk_bytes);
}

char *
spec_canonical(const struct spec *spec)
{
    struct buf out = {0};
    FREE_AUTO char *keys = strv_join(&spec->ssh_keys, ", ");
    buf_printf(&out, "cluster: %s\n", spec->cluster);
    buf_printf(&out, "ha: %s\n", on_off(spec->ha));
    add_bases(&out, spec);
    add_network(&out, &spec->network);
    buf_printf(&out, "accel: %s\n", spec_accel_name(spec->accel));
    buf_printf(&out, "uri: %s\n", spec->uri);
    buf_printf(&out, "ssh.user: %s\n", spec->ssh_user);
    buf_printf(&out, "ssh.keys: %s\n", keys);
    add_canonical_redis(&out, &spec->redis);
    for (size_t i = 0; i < spec->node_count; i++)
        add_canonical_node(&out, &spec->nodes[i]);
    return buf_take(&out);
}
