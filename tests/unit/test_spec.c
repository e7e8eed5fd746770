// test_spec.c - valid specs: defaults, derived values, loading, the reference page. tests/errors
// has the invalid ones.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "spec/keys.h"
#include "spec/spec.h"
#include "spec/validators.h"

#include <sys/stat.h>

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFJ8LSNi0PaBYRfwSjlrXJAl3Nyr2PrnO0X9wDRr8HMa"

static struct spec *
parsed_from(const char *origin, const char *text)
{
    ERROR_AUTO struct error err = {0};
    struct spec *spec = NULL;
    assert_ok(spec_parse(origin, text, strlen(text), &spec, &err), &err);
    return spec;
}

static struct spec *
parsed(const char *text)
{
    return parsed_from("cluster.yaml", text);
}

static void
assert_node(const struct spec_node *node, const char *name, enum spec_role role,
    const char *address, const char *mac, unsigned mib)
{
    assert_string_equal(node->name, name);
    assert_int_equal(node->role, role);
    assert_string_equal(node->address, address);
    assert_string_equal(node->mac, mac);
    assert_int_equal(node->memory_mib, mib);
    assert_int_equal(node->cpus, 1);
    assert_int_equal(node->disk_bytes, 0);
}

static void
assert_default_nodes(const struct spec *spec)
{
    const struct spec_node *nodes = spec->nodes;
    assert_int_equal(spec->node_count, 4);
    assert_node(&nodes[0], "head10", SPEC_HAPROXY, "172.31.255.10", "52:54:00:1f:ff:0a", 512);
    assert_node(&nodes[1], "work11", SPEC_REDIS, "172.31.255.11", "52:54:00:1f:ff:0b", 768);
    assert_node(&nodes[2], "work12", SPEC_REDIS, "172.31.255.12", "52:54:00:1f:ff:0c", 768);
    assert_node(&nodes[3], "work13", SPEC_REDIS, "172.31.255.13", "52:54:00:1f:ff:0d", 768);
}

static void
assert_defaults(const struct spec *spec)
{
    assert_string_equal(spec->cluster, "air");
    assert_true(spec->ha);
    assert_int_equal(spec->bases[0].kind, SPEC_BASE_AUTO);
    assert_string_equal(spec->bases[0].suite, "bookworm");
    assert_string_equal(spec->bases[0].mirror, "http://deb.debian.org/debian");
    assert_null(spec->bases[0].file);
    assert_string_equal(spec->network.name, "air");
    assert_string_equal(spec->network.subnet, "172.31.255.0/24");
    assert_string_equal(spec->network.host, "172.31.255.254");
    assert_int_equal(spec->network.prefix, 24);
    assert_int_equal(spec->network.mode, SPEC_NETWORK_ISOLATED);
    assert_int_equal(spec->accel, SPEC_ACCEL_AUTO);
    assert_string_equal(spec->uri, "qemu:///system");
    assert_string_equal(spec->ssh_user, "air");
    assert_int_equal(spec->ssh_keys.count, 0);
    assert_string_equal(spec->redis.master_name, "redis-primary");
    assert_int_equal(spec->redis.down_after_ms, 2000);
    assert_int_equal(spec->redis.failover_timeout_ms, 5000);
    assert_int_equal(spec->redis.quorum, 2);
    assert_true(spec->redis.auth);
    assert_true(spec->redis.persistence);
    assert_int_equal(spec->redis.min_replicas, 1);
    assert_int_equal(spec->redis.min_replicas_max_lag, 2);
    assert_int_equal(spec->redis.maxmemory_mib, 0);
    assert_string_equal(spec_policies[spec->redis.maxmemory_policy], "noeviction");
    assert_default_nodes(spec);
}

static void
test_builtin(void **state)
{
    SPEC_AUTO struct spec *spec = parsed(spec_builtin_text());
    assert_defaults(spec);
    assert_string_equal(spec->origin, "cluster.yaml");
    assert_ptr_equal(spec_builtin_text(), spec_builtin_text());
}

// So the built-in text shows the defaults.
static void
test_defaults_are_the_builtin(void **state)
{
    SPEC_AUTO struct spec *builtin = parsed(spec_builtin_text());
    SPEC_AUTO struct spec *defaults = parsed("ha: on\nbase:\n  debian:\nssh:\nnetwork:\nredis:\n");
    SPEC_AUTO struct spec *least = parsed("cluster: air\n");
    assert_defaults(least);
    FREE_AUTO char *a = spec_canonical(builtin), *b = spec_canonical(least);
    assert_string_equal(a, b);
    assert_int_equal(defaults->bases[1].kind, SPEC_BASE_DEBIAN);
}

static const char full[] =
    "cluster: sea-1\n"
    "base: {debian: {suite: trixie, mirror: 'file:///srv/debian'}}\n"
    "network: {name: wave, subnet: 10.0.0.0/8, host: 10.255.0.1, mode: nat}\n"
    "accel: tcg\n"
    "uri: qemu+unix:///system?socket=/run/air/libvirt-sock\n"
    "ssh: {user: captain, keys: [" KEY ", '" KEY " me@home, too']}\n"
    "redis:\n"
    "  down-after: 1500ms\n"
    "  failover-timeout: 1m\n"
    "  quorum: 4\n"
    "  auth: off\n"
    "  persistence: no\n"
    "  min-replicas: 3\n"
    "  min-replicas-max-lag: 10s\n"
    "  master-name: Sea.Master_1\n"
    "  maxmemory: 384M\n"
    "  maxmemory-policy: allkeys-lru\n"
    "nodes:\n"
    "  a: {role: redis, address: 10.1.2.3, mac: '0A:00:00:00:00:FF',"
    " memory: 2G, cpus: 64, disk: 10G}\n"
    "  b70000: {role: redis}\n"
    "  c3: {role: redis}\n"
    "  d4: {role: redis}\n"
    "  lighthouse0005: {role: haproxy}\n"
    "  f6: {role: redis}\n";

static void
test_every_key(void **state)
{
    SPEC_AUTO struct spec *spec = parsed(full);
    FREE_AUTO char *canonical = spec_canonical(spec);
    assert_string_equal(canonical,
        "cluster: sea-1\nha: on\nbase: debian\nbase.debian.suite: trixie\n"
        "base.debian.mirror: file:///srv/debian\nnetwork.name: wave\nnetwork.subnet: 10.0.0.0/8\n"
        "network.host: 10.255.0.1\nnetwork.mode: nat\naccel: tcg\n"
        "uri: qemu+unix:///system?socket=/run/air/libvirt-sock\nssh.user: captain\n"
        "ssh.keys: " KEY ", " KEY " me@home, too\n"
        "redis.down-after: 1500ms\nredis.failover-timeout: 60000ms\nredis.quorum: 4\n"
        "redis.auth: off\nredis.persistence: off\nredis.min-replicas: 3\n"
        "redis.min-replicas-max-lag: 10s\nredis.master-name: Sea.Master_1\n"
        "redis.maxmemory: 384M\nredis.maxmemory-policy: allkeys-lru\n"
        "nodes.a.role: redis\nnodes.a.address: 10.1.2.3\nnodes.a.mac: 0a:00:00:00:00:ff\n"
        "nodes.a.memory: 2048M\nnodes.a.cpus: 64\nnodes.a.disk: 10737418240\n"
        "nodes.b70000.role: redis\nnodes.b70000.address: 10.1.17.112\n"
        "nodes.b70000.mac: 52:54:00:01:11:70\nnodes.b70000.memory: 768M\nnodes.b70000.cpus: 1\n"
        "nodes.b70000.disk: as its image\n"
        "nodes.c3.role: redis\nnodes.c3.address: 10.0.0.3\nnodes.c3.mac: 52:54:00:00:00:03\n"
        "nodes.c3.memory: 768M\nnodes.c3.cpus: 1\nnodes.c3.disk: as its image\n"
        "nodes.d4.role: redis\nnodes.d4.address: 10.0.0.4\nnodes.d4.mac: 52:54:00:00:00:04\n"
        "nodes.d4.memory: 768M\nnodes.d4.cpus: 1\nnodes.d4.disk: as its image\n"
        "nodes.lighthouse0005.role: haproxy\nnodes.lighthouse0005.address: 10.0.0.5\n"
        "nodes.lighthouse0005.mac: 52:54:00:00:00:05\nnodes.lighthouse0005.memory: 512M\n"
        "nodes.lighthouse0005.cpus: 1\nnodes.lighthouse0005.disk: as its image\n"
        "nodes.f6.role: redis\nnodes.f6.address: 10.0.0.6\nnodes.f6.mac: 52:54:00:00:00:06\n"
        "nodes.f6.memory: 768M\nnodes.f6.cpus: 1\nnodes.f6.disk: as its image\n");
    assert_string_equal(spec_head(spec)->name, "lighthouse0005");
    assert_string_equal(spec_first_master(spec)->name, "a");
    assert_int_equal(spec_worker_count(spec), 5);
    assert_int_equal(spec->network.prefix, 8);
}

static void
test_without_ha(void **state)
{
    SPEC_AUTO struct spec *one =
        parsed("ha: off\nnodes: {head1: {role: haproxy}, work2: {role: redis}}");
    assert_int_equal(one->redis.quorum, 1);
    assert_int_equal(one->redis.min_replicas, 0);
    SPEC_AUTO struct spec *two = parsed("ha: off\nredis: {min-replicas: 1}\nnodes: {head1: {role: "
                                        "haproxy}, work2: {role: redis}, work3: {role: redis}}");
    assert_int_equal(two->redis.quorum, 2);
    assert_int_equal(two->redis.min_replicas, 1);
}

static void
test_quorum_of_many(void **state)
{
    static const unsigned quorums[] = {2, 3, 3, 4, 4, 5};
    for (unsigned workers = 3; workers <= 8; workers++) {
        BUF_AUTO struct buf text = {0};
        buf_add(&text, "nodes:\n  head1: {role: haproxy}\n");
        for (unsigned i = 0; i < workers; i++)
            buf_printf(&text, "  work%u: {role: redis}\n", i + 2);
        SPEC_AUTO struct spec *spec = parsed(text.data);
        assert_int_equal(spec->redis.quorum, quorums[workers - 3]);
    }
}

static void
test_most_nodes(void **state)
{
    BUF_AUTO struct buf text = {0};
    ERROR_AUTO struct error err = {0};
    struct spec *refused = NULL;
    buf_add(&text, "network: {subnet: 172.30.0.0/16}\nnodes:\n  head1: {role: haproxy}\n");
    for (unsigned i = 2; i <= SPEC_NODE_MAX; i++)
        buf_printf(&text, "  work%u: {role: redis}\n", i);
    SPEC_AUTO struct spec *spec = parsed(text.data);
    assert_int_equal(spec->node_count, SPEC_NODE_MAX);
    assert_int_equal(spec->redis.quorum, SPEC_NODE_MAX / 2);
    assert_string_equal(spec->nodes[SPEC_NODE_MAX - 1].address, "172.30.3.232");
    buf_printf(&text, "  work%u: {role: redis}\n", SPEC_NODE_MAX + 1);
    assert_error(spec_parse("cluster.yaml", text.data, text.length, &refused, &err), &err, ERR_SPEC,
        "cluster.yaml:1003:3: there are 1001 nodes, but at most 1000 are allowed");
}

static void
test_small_subnet(void **state)
{
    SPEC_AUTO struct spec *spec =
        parsed("network: {subnet: 192.168.7.8/29}\nnodes: {h1: {role: haproxy}, w2: {role: redis}, "
               "w3: {role: redis}, w4: {role: redis, address: 192.168.7.13}}");
    assert_string_equal(spec->network.host, "192.168.7.14");
    assert_string_equal(spec->nodes[0].address, "192.168.7.9");
    assert_string_equal(spec->nodes[3].address, "192.168.7.13");
    SPEC_AUTO struct spec *four = parsed("network: {subnet: 192.168.7.16/28}");
    assert_string_equal(four->network.host, "192.168.7.30");
    assert_string_equal(four->nodes[3].address, "192.168.7.29");
}

static void
test_bridge(void **state)
{
    SPEC_AUTO struct spec *spec = parsed("network: {mode: bridge, name: Br0.virtual-lan}");
    assert_int_equal(spec->network.mode, SPEC_NETWORK_BRIDGE);
    assert_string_equal(spec->network.name, "Br0.virtual-lan");
}

static void
test_base_file(void **state)
{
    FREE_AUTO char *here = getcwd(NULL, 0);
    FREE_AUTO char *beside = str_format("%s/disk.qcow2", here);
    FREE_AUTO char *below = str_format("%s/specs/../disk.qcow2", here);
    const struct {
        const char *origin, *text, *file;
    } cases[] = {
        {"cluster.yaml", "base: {file: disk.qcow2}", beside},
        {"specs/cluster.yaml", "base: {file: ../disk.qcow2}", below},
        {"/etc/cluster.yaml", "base: {file: disk.qcow2}", "/etc/disk.qcow2"},
        {"/cluster.yaml", "base: {file: disk.qcow2}", "/disk.qcow2"},
        {"specs/cluster.yaml", "base: {file: /srv/a b.qcow2}", "/srv/a b.qcow2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SPEC_AUTO struct spec *spec = parsed_from(cases[i].origin, cases[i].text);
        assert_int_equal(spec->bases[0].kind, SPEC_BASE_FILE);
        assert_string_equal(spec->bases[0].file, cases[i].file);
    }
}

static void
test_public_keys(void **state)
{
    static const char *const good[] = {KEY, KEY " comment with blanks",
        "sk-ssh-ed25519@openssh.com "
        "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIMpRz1tzQ0lSZzhNZzQyTnNwQWpKZTRlWm14YQ==",
        "ecdsa-sha2-nistp256 "
        "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7"
        "opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg= me"};
    static const char *const bad[] = {"", "ssh-ed25519", KEY "\n", KEY "=", "ssh-dss " KEY,
        "ssh-ed25519  AAAAC3NzaC1lZDI1NTE5", "SSH-ED25519 AAAA", " " KEY};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(valid_public_key(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(valid_public_key(bad[i]));
}

static void
test_uris(void **state)
{
    static const char *const local[] = {"qemu:///system", "qemu:///session", "test:///default",
        "qemu+unix:///system?socket=/run/a/sock", "test+unix:///default?socket=/run/a/sock",
        "test:///home/me/host.xml"};
    static const char *const other[] = {"qemu+ssh://air/system", "qemu://air/system",
        "qemu+tls:///system", "qemu+ext:///system?command=/bin/x", "test+tcp://localhost/default",
        "qemu+unix://air/system"};
    static const char *const bad[] = {
        "qemu", "qemu://", "qemux:///system", "xen:///", "testing:///default", "QEMU:///system"};
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        assert_true(valid_uri(local[i]) && uri_is_local(local[i]));
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_true(valid_uri(other[i]) && !uri_is_local(other[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(valid_uri(bad[i]));
}

// Names in a passwd or group file ("NAME:...") or in a sysusers.d one ("u NAME ...").
static void
assert_taken_in(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[512], name[64];
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%*1[ug]%*1[!]%*[ \t]%63[a-z0-9_-]", name) == 1 ||
            sscanf(line, "%*1[ug]%*[ \t]%63[a-z0-9_-]", name) == 1 ||
            (strchr(line, ':') != NULL && sscanf(line, "%63[a-z0-9_-]:", name) == 1))
            if (!account_is_taken(name))
                fail_msg("'%s' of %s may be an account", name, path);
    if (file != NULL)
        fclose(file);
}

static void
test_accounts(void **state)
{
    static const char *const free_ones[] = {"air", "captain", "debian", "arch", "ops-1", "r2_d2"};
    for (size_t i = 0; i < sizeof free_ones / sizeof free_ones[0]; i++)
        assert_true(valid_account(free_ones[i]));
    assert_false(valid_account("root"));
    // What the system has that this runs on: Debian's files, or Arch's.
    assert_taken_in("/usr/share/base-passwd/passwd.master");
    assert_taken_in("/usr/share/base-passwd/group.master");
    assert_taken_in("/usr/lib/sysusers.d/basic.conf");
    assert_taken_in("/usr/lib/sysusers.d/arch.conf");
}

static void
test_find(void **state)
{
    SPEC_AUTO struct spec *spec = parsed("cluster: air");
    ERROR_AUTO struct error err = {0};
    const struct spec_node *node = NULL;
    assert_ok(spec_find_or_error(spec, "work12", &node, &err), &err);
    assert_ptr_equal(node, &spec->nodes[2]);
    assert_null(spec_find(spec, "work1"));
    assert_error(spec_find_or_error(spec, "wrok12", &node, &err), &err, ERR_NOT_FOUND,
        "there is no node 'wrok12'; did you mean 'work12'?");
    assert_error(spec_find_or_error(spec, "x\x1b", &node, &err), &err, ERR_NOT_FOUND,
        "there is no node 'x\\x1b'; the nodes are head10, work11, work12, work13");
    FREE_AUTO char *long_name = mem_zero(1, 1 << 20);
    memset(long_name, 'w', (1 << 20) - 1);
    assert_error(spec_find_or_error(spec, long_name, &node, &err), &err, ERR_NOT_FOUND,
        "the nodes are head10, work11, work12, work13");
    assert_string_equal(spec_roles[SPEC_REDIS], "redis");
    assert_string_equal(spec_accels[SPEC_ACCEL_TCG], "tcg");
    assert_string_equal(spec_base_kinds[SPEC_BASE_FILE], "file");
    spec_free(NULL);
}

// ---- loading ------------------------------------------------------------------------------------

static void
test_load_refuses_what_is_no_spec(void **state)
{
    struct spec *spec = NULL;
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *large = path_join(*state, "large"), *pipe = path_join(*state, "pipe");
    FREE_AUTO char *binary = path_join(*state, "binary"), *empty = path_join(*state, "empty");
    FREE_AUTO char *absent = path_join(*state, "absent");
    assert_ok(file_write(large, 0644, "a", 1, &err), &err);
    assert_int_equal(truncate(large, 1LL << 30), 0); // 1 GiB that takes no space
    assert_int_equal(mkfifo(pipe, 0644), 0);
    assert_ok(file_write(binary, 0644,
                  "\x7f"
                  "ELF\0\0",
                  6, &err),
        &err);
    assert_ok(file_write(empty, 0644, "", 0, &err), &err);
    assert_error(spec_load(*state, &spec, &err), &err, ERR_SPEC, "is not a regular file");
    assert_error(spec_load(large, &spec, &err), &err, ERR_SPEC, "is larger than 1");
    assert_error(spec_load(pipe, &spec, &err), &err, ERR_SPEC, "is not a regular file");
    assert_error(spec_load("/dev/zero", &spec, &err), &err, ERR_SPEC, "is not a regular file");
    assert_error(spec_load(binary, &spec, &err), &err, ERR_SPEC, "binary:1:1: this is");
    assert_error(spec_load(empty, &spec, &err), &err, ERR_SPEC, "empty: the text is empty");
    assert_error(spec_load(absent, &spec, &err), &err, ERR_NOT_FOUND, "there is no file");
    assert_null(spec);
}

static void
test_load_looks_here_first(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *here = getcwd(NULL, 0);
    SPEC_AUTO struct spec *builtin = NULL;
    SPEC_AUTO struct spec *own = NULL;
    SPEC_AUTO struct spec *named = NULL;
    assert_int_equal(chdir(*state), 0);
    assert_ok(spec_load(NULL, &builtin, &err), &err);
    assert_string_equal(builtin->origin, "built-in");
    assert_ok(file_write("cluster.yaml", 0644, "cluster: own", 12, &err), &err);
    assert_ok(file_write("other.yaml", 0644, "cluster: other", 14, &err), &err);
    assert_ok(spec_load(NULL, &own, &err), &err);
    assert_string_equal(own->cluster, "own");
    assert_string_equal(own->origin, "cluster.yaml");
    assert_ok(spec_load("other.yaml", &named, &err), &err);
    assert_string_equal(named->cluster, "other");
    assert_int_equal(chdir(here), 0);
}

// ---- reference ----------------------------------------------------------------------------------

static void
assert_documented(const char *page, const struct yaml_key *keys, const char *above)
{
    for (; keys->name != NULL; keys++) {
        if (keys->name[0] == '\0') {
            assert_documented(page, keys->keys, above);
            continue;
        }
        FREE_AUTO char *path = str_format("%s%s", above, keys->name);
        FREE_AUTO char *line = str_format("\n%s\n    ", path), *below = str_format("%s.", path);
        assert_contains(page, line);
        assert_non_null(keys->meaning);
        assert_true((keys->absent == NULL) == (keys->required || keys->type == YAML_TABLE));
        assert_true(str_ends(keys->meaning, "."));
        if (keys->keys != NULL)
            assert_documented(page, keys->keys, below);
    }
}

static void
test_reference(void **state)
{
    FREE_AUTO char *page = spec_reference();
    assert_documented(page, spec_keys, "");
    assert_contains(page, "\nredis.quorum\n");
    assert_contains(page, "\nnodes.NAME.memory\n");
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, page, '\n');
    for (size_t i = 0; i < lines.count; i++)
        assert_true(strlen(lines.items[i]) <= 78 && !str_ends(lines.items[i], " "));
}

static void
assert_shown(const struct yaml_key *keys)
{
    for (; keys->name != NULL; keys++) {
        assert_contains(spec_builtin_text(), keys->name);
        if (keys->keys != NULL && strcmp(keys->name, "nodes") != 0)
            assert_shown(keys->keys);
    }
}

// Every key of the tables is shown in the built-in text, in effect or in a comment.
static void
test_builtin_shows_every_key(void **state)
{
    (void) state;
    assert_shown(spec_keys);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_defaults_are_the_builtin),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_without_ha),
        cmocka_unit_test(test_quorum_of_many),
        cmocka_unit_test(test_most_nodes),
        cmocka_unit_test(test_small_subnet),
        cmocka_unit_test(test_bridge),
        cmocka_unit_test(test_base_file),
        cmocka_unit_test(test_public_keys),
        cmocka_unit_test(test_uris),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_find),
        scratch_test(test_load_refuses_what_is_no_spec),
        scratch_test(test_load_looks_here_first),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_builtin_shows_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
