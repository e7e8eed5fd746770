// secrets.h - the passwords and SSH keys of a cluster, and the identity of every node's disk, kept
// in FOLDER/secrets.json (0600). Secrets are never printed or put on a command line.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_SECRETS_H
#define AIRBUILD_SEED_SECRETS_H

#include "base/cleanup.h"
#include "base/error.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stddef.h>

// The accounts of redis and sentinel; each has its own password.
enum secrets_account {
    SECRETS_APP,      // the ACL user `default`: the application
    SECRETS_ADMIN,    // `admin`
    SECRETS_REPLICA,  // `replica`: replication
    SECRETS_SENTINEL, // `sentinel`
    SECRETS_CHECK,    // `check`: haproxy's health checks
    SECRETS_STATUS,   // `status`: airbuild's own probing
};
#define SECRETS_ACCOUNTS 6

struct secrets_key {
    char *private; // OpenSSH format, with the final newline
    char *public;  // one line without newline: "ssh-ed25519 AAAA... COMMENT"
};

struct secrets_node {
    char *name;
    char *instance_id;           // a UUID; stable for the life of the node's disk
    char *sentinel_id;           // 40 hex digits, sentinel's `myid`
    struct secrets_key host_key; // the node's SSH host key
    // Its disk was made after the cluster was founded: it cannot be master before it has been in
    // sync with one.
    bool joins;
};

struct secrets {
    char *passwords[SECRETS_ACCOUNTS]; // by enum secrets_account; 32 characters of [A-Za-z0-9]
    struct secrets_key client_key;     // for airbuild's own logins
    // In the order they were first seen; a node that left the spec stays.
    struct secrets_node *nodes;
    size_t node_count;
};

extern const char *const secrets_accounts[SECRETS_ACCOUNTS]; // "app", "admin", "replica", ...

// Read FOLDER/secrets.json. ERR_NOT_FOUND when there is none; ERR_DAMAGED when a part is missing or
// malformed (it is not overwritten). The caller frees *ret with secrets_free.
int secrets_load(const char *folder, struct secrets **ret, struct error *err);

// Load the secrets, and make what is missing: all of them, or those of a node new in the spec. The
// file is written only when something was added, which needs ssh-keygen (ERR_MISSING names its
// package). FOLDER must exist.
int secrets_open(
    const char *folder, const struct spec *spec, struct secrets **ret, struct error *err);

// Call when a node gets a new disk: stores a new instance-id for it, so that its cloud-init runs
// again, and whether the node joins.
int secrets_new_disk(
    struct secrets *secrets, const char *folder, const char *node, bool joins, struct error *err);

// Makes new passwords and SSH keys, of the client and of all hosts, and stores them. The identities
// of the nodes and their disks stay. Needs ssh-keygen, as secrets_open.
int secrets_renew(
    struct secrets *secrets, const char *folder, const struct spec *spec, struct error *err);

const struct secrets_node *secrets_find(
    const struct secrets *secrets, const char *node); // NULL when there is none

// Write the files for ssh to FOLDER/ssh (0700): id_ed25519 (0600), id_ed25519.pub, known_hosts
// (every node by name and address) and config (one Host entry a node, for `ssh -F`). Files that are
// up to date are left alone.
int secrets_write_ssh(
    const struct secrets *secrets, const char *folder, const struct spec *spec, struct error *err);

void secrets_free(struct secrets *secrets);
DEFINE_FREEP(struct secrets, secrets_free)
#define SECRETS_AUTO CLEANUP(secrets_freep)

#endif
