// canonical.c - a spec as plain lines, to compare two of them and to restore values from them.
// SPDX-License-Identifier: Apache-2.0
#include "spec/spec.h"

#include "base/cleanup.h"
#include "spec/keys.h"

#include <inttypes.h>
#include <string.h>

static const char *
on_off(bool truth)
{
    return truth ? "on" : "off";
}

// One set of lines when both roles have the same base.
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
            buf_printf(out, "%s.%s\n", spec_roles[i], lines.items[j]);
    }
}

char *
spec_canonical(const struct spec *spec)
{
    struct buf out = {0};
    const struct spec_network *network = &spec->network;
    const struct spec_redis *redis = &spec->redis;
    FREE_AUTO char *keys = strv_join(&spec->ssh_keys, ", ");
    buf_printf(&out, "cluster: %s\n", spec->cluster);
    buf_printf(&out, "ha: %s\n", on_off(spec->ha));
    add_bases(&out, spec);
    buf_printf(&out, "network.name: %s\n", network->name);
    buf_printf(&out, "network.subnet: %s\n", network->subnet);
    buf_printf(&out, "network.host: %s\n", network->host);
    buf_printf(&out, "network.mode: %s\n", spec_modes[network->mode]);
    buf_printf(&out, "accel: %s\n", spec_accels[spec->accel]);
    buf_printf(&out, "uri: %s\n", spec->uri);
    buf_printf(&out, "ssh.user: %s\n", spec->ssh_user);
    buf_printf(&out, "ssh.keys: %s\n", keys);
    buf_printf(&out, "redis.down-after: %ums\n", redis->down_after_ms);
    buf_printf(&out, "redis.failover-timeout: %ums\n", redis->failover_timeout_ms);
    buf_printf(&out, "redis.quorum: %u\n", redis->quorum);
    buf_printf(&out, "redis.auth: %s\n", on_off(redis->auth));
    buf_printf(&out, "redis.persistence: %s\n", on_off(redis->persistence));
    buf_printf(&out, "redis.min-replicas: %u\n", redis->min_replicas);
    buf_printf(&out, "redis.min-replicas-max-lag: %us\n", redis->min_replicas_max_lag);
    buf_printf(&out, "redis.master-name: %s\n", redis->master_name);
    // Only when they are specified, so that clusters older than these keys still compare equal.
    if (redis->maxmemory_mib != 0)
        buf_printf(&out, "redis.maxmemory: %uM\n", redis->maxmemory_mib);
    if (redis->maxmemory_policy != 0)
        buf_printf(&out, "redis.maxmemory-policy: %s\n", spec_policies[redis->maxmemory_policy]);
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        const char *name = node->name;
        buf_printf(&out, "nodes.%s.role: %s\n", name, spec_roles[node->role]);
        buf_printf(&out, "nodes.%s.address: %s\n", name, node->address);
        buf_printf(&out, "nodes.%s.mac: %s\n", name, node->mac);
        buf_printf(&out, "nodes.%s.memory: %uM\n", name, node->memory_mib);
        buf_printf(&out, "nodes.%s.cpus: %u\n", name, node->cpus);
        if (node->disk_bytes == 0)
            buf_printf(&out, "nodes.%s.disk: as its image\n", name);
        else
            buf_printf(&out, "nodes.%s.disk: %" PRIu64 "\n", name, node->disk_bytes);
    }
    return buf_take(&out);
}

// ---- restoring ----------------------------------------------------------------------------------

// "base" is specified by any key of a base; "base.debian.suite" for one role or for both.
bool
spec_specifies(const struct spec *spec, const char *key)
{
    for (size_t i = 0; i < SPEC_ROLES; i++) { // the key of a base without the role before it
        const char *role = spec_roles[i];
        size_t length = strlen(role);
        if (str_starts(key, role) && str_starts(key + length, ".base"))
            key += length + 1;
    }
    if (!str_equal(key, "base") && !str_starts(key, "base."))
        return strv_find(&spec->given, key);
    for (size_t i = 0; i < spec->given.count; i++) {
        const char *given = spec->given.items[i];
        bool of_base = str_equal(given, "base") || str_starts(given, "base.");
        if (of_base && (str_equal(key, "base") || str_ends(given, key + strlen("base"))))
            return true;
    }
    return false;
}

// Returns the key's row in the tables, or NULL; moves *target to the struct of its member.
static const struct yaml_key *
find_key_of_path(const struct yaml_key *keys, const char *path, char **target)
{
    for (; keys->name != NULL; keys++) {
        size_t length = strlen(keys->name);
        if (keys->type == YAML_TABLE && str_starts(path, keys->name) && path[length] == '.') {
            *target += keys->offset;
            return find_key_of_path(keys->keys, path + length + 1, target);
        }
        if (str_equal(path, keys->name))
            return keys;
    }
    return NULL;
}

// Skips lists, custom values, and values that the key no longer allows.
static void
restore_value(struct spec *spec, const char *path, char *value)
{
    char *target = (char *) spec;
    const struct yaml_key *key = find_key_of_path(spec_keys, path, &target);
    if (str_starts(path, "nodes.")) { // "nodes.work11.memory"
        const char *begin = path + strlen("nodes.");
        FREE_AUTO char *name = str_ndup(begin, strcspn(begin, "."));
        const struct spec_node *node = spec_find(spec, name);
        if (node == NULL)
            return;
        target = (char *) &spec->nodes[node - spec->nodes];
        begin += strlen(name);
        key = find_key_of_path(node_keys, *begin == '.' ? begin + 1 : begin, &target);
    }
    if (key == NULL || key->type == YAML_CUSTOM || key->type == YAML_STRINGS ||
        key->type == YAML_TABLE)
        return;
    YAML_SOURCE_AUTO struct yaml_source source = {.origin = "", .text = "", .length = 0};
    const struct yaml_node node = {.kind = YAML_SCALAR, .text = value, .plain = true};
    yaml_map_value(&source, &node, &node, key, target);
}

void
spec_restore(struct spec *spec, const char *canonical)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, canonical, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        char *key = lines.items[i], *colon = strstr(key, ": ");
        if (colon == NULL)
            continue;
        *colon = '\0';
        if (!str_equal(key, "cluster") && !str_starts(key, "network.") && !str_ends(key, ".role") &&
            !str_ends(key, ".address") && !spec_specifies(spec, key))
            restore_value(spec, key, colon + 2);
    }
}
