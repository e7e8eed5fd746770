// seed_fixture.h - a fixed cluster and its secrets, for the tests of seed/.
// The spec is a plain value: do not free it. The secrets look real and open nothing.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_SEED_FIXTURE_H
#define AIRBUILD_TESTS_SEED_FIXTURE_H

#include "seed/secrets.h"
#include "spec/spec.h"
#include "yaml/yaml.h"

#include <stdint.h>
#include <string.h>

struct fixture {
    struct spec spec;
    struct spec_node nodes[4];
    char *ssh_keys[2];
    struct secrets secrets;
    struct secrets_node own[4];
};

// The structs have no const, as they own their texts; these are never written to.
#define FIXTURE_TEXT(text) ((char *) (uintptr_t) (text))
#define FIXTURE_PRIVATE(word) \
    "-----BEGIN OPENSSH PRIVATE KEY-----\n" word "\n-----END OPENSSH PRIVATE KEY-----\n"

static inline void
fixture_nodes(struct fixture *fixture)
{
    static const struct spec_node nodes[4] = {
        {FIXTURE_TEXT("head10"), SPEC_HAPROXY, FIXTURE_TEXT("172.31.255.10"),
            FIXTURE_TEXT("52:54:00:1f:ff:0a"), 512, 1, 0},
        {FIXTURE_TEXT("work11"), SPEC_REDIS, FIXTURE_TEXT("172.31.255.11"),
            FIXTURE_TEXT("52:54:00:1f:ff:0b"), 640, 1, 0},
        {FIXTURE_TEXT("work12"), SPEC_REDIS, FIXTURE_TEXT("172.31.255.12"),
            FIXTURE_TEXT("52:54:00:1f:ff:0c"), 640, 1, 0},
        {FIXTURE_TEXT("work13"), SPEC_REDIS, FIXTURE_TEXT("172.31.255.13"),
            FIXTURE_TEXT("52:54:00:1f:ff:0d"), 640, 1, 0},
    };
    memcpy(fixture->nodes, nodes, sizeof nodes);
    fixture->spec.nodes = fixture->nodes;
    fixture->spec.node_count = 4;
}

static inline void
fixture_spec(struct fixture *fixture)
{
    fixture->spec = (struct spec){
        .origin = FIXTURE_TEXT("fixture"),
        .cluster = FIXTURE_TEXT("air"),
        .ha = true,
        .network = {FIXTURE_TEXT("air"), FIXTURE_TEXT("172.31.255.0/24"),
            FIXTURE_TEXT("172.31.255.254"), 24, SPEC_NETWORK_ISOLATED},
        .uri = FIXTURE_TEXT("qemu:///system"),
        .ssh_user = FIXTURE_TEXT("air"),
        .redis = {FIXTURE_TEXT("redis-primary"), 2000, 10000, 2, true, true, 1, 3, 0, 0},
    };
    fixture_nodes(fixture);
}

static inline void
fixture_secrets(struct fixture *fixture)
{
    static const struct secrets secrets = {
        .passwords = {FIXTURE_TEXT("AppAppAppAppAppAppAppAppAppAppAp"),
            FIXTURE_TEXT("AdminAdminAdminAdminAdminAdminAd"),
            FIXTURE_TEXT("ReplicaReplicaReplicaReplicaRepl"),
            FIXTURE_TEXT("SentinelSentinelSentinelSentinel"),
            FIXTURE_TEXT("CheckCheckCheckCheckCheckCheckCh"),
            FIXTURE_TEXT("StatusStatusStatusStatusStatusSt")},
        .client_key = {FIXTURE_TEXT(FIXTURE_PRIVATE("client")),
            FIXTURE_TEXT("ssh-ed25519 AAAAclient airbuild@air")},
    };
    static const struct secrets_node own[4] = {
        {FIXTURE_TEXT("head10"), FIXTURE_TEXT("10101010-1010-4010-8010-101010101010"),
            FIXTURE_TEXT("1010101010101010101010101010101010101010"),
            {FIXTURE_TEXT(FIXTURE_PRIVATE("host10")),
                FIXTURE_TEXT("ssh-ed25519 AAAAhost10 head10")},
            false},
        {FIXTURE_TEXT("work11"), FIXTURE_TEXT("11111111-1111-4111-8111-111111111111"),
            FIXTURE_TEXT("1111111111111111111111111111111111111111"),
            {FIXTURE_TEXT(FIXTURE_PRIVATE("host11")),
                FIXTURE_TEXT("ssh-ed25519 AAAAhost11 work11")},
            false},
        {FIXTURE_TEXT("work12"), FIXTURE_TEXT("12121212-1212-4212-8212-121212121212"),
            FIXTURE_TEXT("1212121212121212121212121212121212121212"),
            {FIXTURE_TEXT(FIXTURE_PRIVATE("host12")),
                FIXTURE_TEXT("ssh-ed25519 AAAAhost12 work12")},
            false},
        {FIXTURE_TEXT("work13"), FIXTURE_TEXT("13131313-1313-4313-8313-131313131313"),
            FIXTURE_TEXT("1313131313131313131313131313131313131313"),
            {FIXTURE_TEXT(FIXTURE_PRIVATE("host13")),
                FIXTURE_TEXT("ssh-ed25519 AAAAhost13 work13")},
            false},
    };
    fixture->secrets = secrets;
    memcpy(fixture->own, own, sizeof own);
    fixture->secrets.nodes = fixture->own;
    fixture->secrets.node_count = 4;
}

static inline void
fixture_make(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    fixture_spec(fixture);
    fixture_secrets(fixture);
}

// The file of that name in a node's /etc/airbuild, of its user-data. Caller frees; NULL: none.
static inline char *
fixture_file(const char *user_data, const char *name)
{
    FREE_AUTO char *path = str_format("/etc/airbuild/%s", name);
    YAML_SOURCE_AUTO struct yaml_source source = {
        .origin = "user-data", .text = user_data, .length = strlen(user_data)};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    const struct yaml_node *files = yaml_get(root, "write_files");
    for (size_t i = 0; files != NULL && i < files->count; i++)
        if (str_equal(yaml_get(files->items[i], "path")->text, path))
            return str_dup(yaml_get(files->items[i], "content")->text);
    return NULL;
}

#endif
