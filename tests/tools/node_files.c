// node_files.c - writes what the seed puts into a node's /etc/airbuild, for the fast tests: the
// cluster of seed_fixture.h with as many workers as needed.
//
// usage: node_files FOLDER NODE [NAME=VALUE...] (names: ha, auth, persistence, joins: yes or no;
// workers, quorum, min_replicas, down_after_ms, maxmemory: numbers; first_master: an address;
// maxmemory_policy; password_app; secrets: `other` are all different from the usual ones; iso: path
// of the seed, made in place of the files)
//
// SPDX-License-Identifier: Apache-2.0
#include "../seed_fixture.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "seed/seed.h"

#include <stdio.h>
#include <stdlib.h>

#define WORKERS_MAX 63

static struct fixture fixture;
static struct spec_node nodes[1 + WORKERS_MAX];
static struct secrets_node own[1 + WORKERS_MAX];

// head10, work11, ... with the secrets of the fixture's nodes, but for the sentinels' ids.
static void
add_nodes(size_t workers)
{
    for (size_t i = 0; i <= workers; i++) {
        const size_t like = i == 0 ? 0 : 1;
        unsigned number = 10 + (unsigned) i;
        struct buf id = {0};
        while (id.length < 40)
            buf_printf(&id, "%02u", number);
        nodes[i] = fixture.nodes[like];
        nodes[i].name = str_format("%s%u", i == 0 ? "head" : "work", number);
        nodes[i].address = str_format("172.31.255.%u", number);
        own[i] = fixture.own[like];
        own[i].name = nodes[i].name;
        own[i].sentinel_id = buf_take(&id);
    }
    fixture.spec.nodes = nodes;
    fixture.spec.node_count = workers + 1;
    fixture.secrets.nodes = own;
    fixture.secrets.node_count = workers + 1;
}

// The first of the workers in the spec is the first master.
static void
set_first_master(const char *address)
{
    for (size_t i = 2; i < fixture.spec.node_count; i++)
        if (str_equal(nodes[i].address, address)) {
            struct spec_node first = nodes[i];
            memmove(&nodes[2], &nodes[1], (i - 1) * sizeof *nodes);
            nodes[1] = first;
        }
}

static void
set_policy(const char *name)
{
    unsigned *policy = &fixture.spec.redis.maxmemory_policy;
    while (!str_equal(spec_policies[*policy], name))
        (*policy)++;
}

static const char *iso;

// Passwords with the other case of each letter, and other keys.
static void
set_other_secrets(void)
{
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++) {
        char *password = str_dup(fixture.secrets.passwords[i]);
        for (char *at = password; *at != '\0'; at++)
            *at = (char) (*at ^ 0x20);
        fixture.secrets.passwords[i] = password;
    }
    fixture.secrets.client_key.public = str_dup("ssh-ed25519 AAAAother airbuild@air");
    for (size_t i = 0; i < fixture.secrets.node_count; i++) {
        own[i].host_key.private = str_dup("-----BEGIN\nother\nEND-----\n");
        own[i].host_key.public = str_format("ssh-ed25519 AAAAother %s", own[i].name);
    }
}

static void
set_value(const char *name, const char *value)
{
    struct spec_redis *redis = &fixture.spec.redis;
    bool yes = str_equal(value, "yes");
    unsigned number = (unsigned) atoi(value);
    if (str_equal(name, "ha"))
        fixture.spec.ha = yes;
    else if (str_equal(name, "auth"))
        redis->auth = yes;
    else if (str_equal(name, "persistence"))
        redis->persistence = yes;
    else if (str_equal(name, "quorum"))
        redis->quorum = number;
    else if (str_equal(name, "min_replicas"))
        redis->min_replicas = number;
    else if (str_equal(name, "down_after_ms"))
        redis->down_after_ms = number;
    else if (str_equal(name, "maxmemory"))
        redis->maxmemory_mib = number;
    else if (str_equal(name, "workers") && number >= 1 && number <= WORKERS_MAX)
        add_nodes(number);
    else if (str_equal(name, "first_master"))
        set_first_master(value);
    else if (str_equal(name, "maxmemory_policy"))
        set_policy(value);
    else if (str_equal(name, "password_app"))
        fixture.secrets.passwords[SECRETS_APP] = str_dup(value);
    else if (str_equal(name, "secrets") && str_equal(value, "other"))
        set_other_secrets();
    else if (str_equal(name, "iso"))
        iso = value;
    else if (str_equal(name, "joins"))
        for (size_t i = 0; i < fixture.secrets.node_count; i++)
            own[i].joins = yes;
    else {
        fprintf(stderr, "node_files: bad argument '%s=%s'\n", name, value);
        exit(2);
    }
}

static int
write_files(const struct spec_node *node, const char *folder, struct error *err)
{
    const char *const names[] = {"facts", node->role == SPEC_REDIS ? "redis.conf" : "haproxy.cfg",
        node->role == SPEC_REDIS ? "sentinel.conf" : "haproxy.state"};
    SEED_AUTO struct seed seed = {0};
    if (seed_build(&fixture.spec, node, &fixture.secrets, true, &seed, err) < 0)
        return -1;
    if (iso != NULL)
        return iso_write(&seed, iso, err);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        FREE_AUTO char *path = path_join(folder, names[i]);
        FREE_AUTO char *text = fixture_file(seed.user_data, names[i]);
        if (file_write(path, 0600, text, strlen(text), err) < 0)
            return -1;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    ERROR_AUTO struct error err = {0};
    fixture_make(&fixture);
    fixture.spec.redis.failover_timeout_ms = 5000;
    fixture.spec.redis.min_replicas_max_lag = 2;
    add_nodes(3);
    for (int i = 3; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals != NULL)
            *equals = '\0';
        set_value(argv[i], equals != NULL ? equals + 1 : "");
    }
    for (size_t i = 0; argc >= 3 && i < fixture.spec.node_count; i++)
        if (str_equal(nodes[i].name, argv[2])) {
            if (write_files(&nodes[i], argv[1], &err) == 0)
                return 0;
            fprintf(stderr, "node_files: %s\n", err.message);
            return 1;
        }
    fputs("usage: node_files FOLDER NODE [NAME=VALUE...]\n", stderr);
    return 2;
}
