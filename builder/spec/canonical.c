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
    // Only when they are specified, so that clusters older than these keys still compare equal.
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

// ---- restoring ----------------------------------------------------------------------------------

// Returns the key of a base without the role before it; NULL when the key is not of a base.
static const char *
base_key_of(const char *key)
{
    for (size_t i = 0; i < SPEC_ROLES; i++) {
        FREE_AUTO char *role = str_format("%s.base", spec_role_name((enum spec_role) i));
        if (str_starts(key, role))
            return key + strlen(role) - strlen("base");
    }
    return str_equal(key, "base") || str_starts(key, "base.") ? key : NULL;
}

// "base" is specified by any key of a base; "base.debian.suite" for one role or for both.
static bool
specifies_base(const struct spec *spec, const char *key)
{
    for (size_t i = 0; i < spec->given.count; i++) {
        const char *key_given = spec->given.items[i];
        bool of_base = str_equal(key_given, "base") || str_starts(key_given, "base.");
        if (of_base && (str_equal(key, "base") || str_ends(key_given, key + strlen("base"))))
            return true;
    }
    return false;
}

bool
spec_specifies(const struct spec *spec, const char *key)
{
    const char *base = base_key_of(key);
    return base != NULL ? specifies_base(spec, base) : strv_has(&spec->given, key);
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

// "nodes.work11.memory": names contain no dot.
static const struct yaml_key *
find_node_key(struct spec *spec, const char *path, char **target)
{
    const char *name = path + strlen("nodes.");
    const char *dot = strchr(name, '.');
    for (size_t i = 0; dot != NULL && i < spec->node_count; i++) {
        struct spec_node *node = &spec->nodes[i];
        if (strlen(node->name) == (size_t) (dot - name) &&
            strncmp(node->name, name, (size_t) (dot - name)) == 0) {
            *target = (char *) node;
            return find_key_of_path(node_keys, dot + 1, target);
        }
    }
    return NULL;
}

// Skips lists, custom values, and values that the key no longer allows.
static void
restore_value(struct spec *spec, const char *path, const char *value)
{
    char *target = (char *) spec;
    const struct yaml_key *key = str_starts(path, "nodes.")
                                     ? find_node_key(spec, path, &target)
                                     : find_key_of_path(spec_keys, path, &target);
    if (key == NULL || key->type == YAML_CUSTOM || key->type == YAML_STRINGS ||
        key->type == YAML_TABLE)
        return;
    YAML_SOURCE_AUTO struct yaml_source source = {.origin = "", .text = "", .length = 0};
    FREE_AUTO char *name_text = str_dup(key->name), *text = str_dup(value);
    const struct yaml_node name = {.kind = YAML_SCALAR, .text = name_text, .plain = true};
    const struct yaml_node node = {.kind = YAML_SCALAR, .text = text, .plain = true};
    yaml_map_value(&source, &name, &node, key, target);
}

static bool
is_recalled(const struct spec *spec, const char *key)
{
    return !str_equal(key, "cluster") && !str_starts(key, "network.") && !str_ends(key, ".role") &&
           !str_ends(key, ".address") && !spec_specifies(spec, key);
}

void
spec_restore(struct spec *spec, const char *canonical)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, canonical, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        char *colon = strstr(lines.items[i], ": ");
        if (colon == NULL)
            continue;
        *colon = '\0';
        if (is_recalled(spec, lines.items[i]))
            restore_value(spec, lines.items[i], colon + 2);
    }
}
