// secrets.h - what only this cluster knows: passwords, SSH keys, and the identity of every node's
// disk. Kept in FOLDER/secrets.json (0600). It never prints a secret and never puts one on a
// command line.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_SECRETS_H
#define AIRBUILD_SEED_SECRETS_H

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
    bool joins; // its disk was made after the cluster was founded: it is no master before it has
                // been in sync with one
};

struct secrets {
    char *passwords[SECRETS_ACCOUNTS]; // by enum secrets_account; 32 characters of [A-Za-z0-9]
    struct secrets_key client_key;     // what airbuild logs in with
    struct secrets_node
        *nodes; // in the order they were first seen; a node that left the spec stays
    size_t node_count;
};

const char *secrets_account_name(enum secrets_account account); // "app", "admin", "replica", ...

// Read FOLDER/secrets.json. ERR_NOT_FOUND when there is none; ERR_DAMAGED, with the place, when it
// is not one of ours (it is never overwritten then). *ret is the caller's, freed by secrets_free.
int secrets_load(const char *folder, struct secrets **ret, struct error *err);

// Load, or make what lacks: the whole file, or what a node new in the spec needs; what is there is
// kept. Writes the file only when something was added. Needs ssh-keygen then (ERR_MISSING names its
// package). FOLDER must exist.
int secrets_open(
    const char *folder, const struct spec *spec, struct secrets **ret, struct error *err);

// Call when a node gets a fresh disk: a new instance-id for it, so that its cloud-init runs again,
// and whether it joins, for the life of that disk. Stored at once.
int secrets_new_disk(
    struct secrets *secrets, const char *folder, const char *node, bool joins, struct error *err);

const struct secrets_node *secrets_find(
    const struct secrets *secrets, const char *node); // NULL when there is none

// What ssh needs, below FOLDER/ssh (0700): id_ed25519 (0600), id_ed25519.pub, known_hosts (every
// node by name and address) and config (one Host entry a node, for `ssh -F`). Files that are
// already right are not written again.
int secrets_write_ssh(
    const struct secrets *secrets, const char *folder, const struct spec *spec, struct error *err);

void secrets_free(struct secrets *secrets);
void secrets_freep(struct secrets **secrets);
#define SECRETS_AUTO __attribute__((cleanup(secrets_freep)))

#endif
