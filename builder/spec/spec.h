// spec.h - the cluster a user asks for: cluster.yaml made into a checked value. Pure: no host is
// looked at.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SPEC_SPEC_H
#define AIRBUILD_SPEC_SPEC_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spec_role { SPEC_HAPROXY, SPEC_REDIS };
enum { SPEC_ROLES = 2 };
enum spec_base_kind {
    SPEC_BASE_AUTO,
    SPEC_BASE_ARCH,      // Arch's official cloud image
    SPEC_BASE_DEBIAN,    // made from Debian's packages
    SPEC_BASE_FILE,      // a disk image of the user
    SPEC_BASE_URL,       // a disk image to be downloaded
    SPEC_BASE_BOOTSTRAP, // made from Arch's packages
};
enum spec_network_mode { SPEC_NETWORK_ISOLATED, SPEC_NETWORK_NAT, SPEC_NETWORK_BRIDGE };
enum spec_accel { SPEC_ACCEL_AUTO, SPEC_ACCEL_KVM, SPEC_ACCEL_TCG };

struct spec_node {
    char *name; // host name label; also the libvirt domain's name
    enum spec_role role;
    char *address; // dotted IPv4
    char *mac;     // lowercase, "52:54:00:..."; derived from the address when the spec does not say
    unsigned memory_mib;
    unsigned cpus;
    uint64_t disk_bytes; // 0: as large as its image
};

struct spec_base {
    enum spec_base_kind kind;
    char *file;   // SPEC_BASE_FILE: absolute path of a qcow2
    char *suite;  // SPEC_BASE_DEBIAN, SPEC_BASE_AUTO: "bookworm"
    char *mirror; // package mirror URL; SPEC_BASE_DEBIAN, SPEC_BASE_AUTO: Debian's; the others:
                  // Arch's, NULL where the spec says none
    char *image;  // SPEC_BASE_ARCH: "latest" or a version, "20261001.604814"; NULL: the pinned one
    char *snapshot;     // day of the Arch Linux Archive, "2026-11-01"; NULL: no day
    bool snapshot_said; // by the spec, not derived from the image
    char *url;          // SPEC_BASE_URL
    char *sha256;       // SPEC_BASE_URL: 64 lowercase hex digits; NULL: the signature is to vouch
    char *signature;    // SPEC_BASE_URL: URL of a detached signature; NULL: none
    char *keyring;      // SPEC_BASE_URL: absolute path of the signers' public keys; NULL: Arch's
    char *bootstrap;    // SPEC_BASE_BOOTSTRAP: "arch"
};

struct spec_network {
    char *name;   // the libvirt network (isolated, nat) or the host's bridge (bridge)
    char *subnet; // "172.31.255.0/24"
    char *host;   // the host's own address in it, "172.31.255.254"
    unsigned prefix;
    enum spec_network_mode mode;
};

struct spec_redis {
    char *master_name; // sentinel's name of the group
    unsigned down_after_ms;
    unsigned failover_timeout_ms;
    unsigned quorum;
    bool auth;
    bool persistence;              // append-only file
    unsigned min_replicas;         // min-replicas-to-write
    unsigned min_replicas_max_lag; // seconds
    unsigned maxmemory_mib;        // 0: auto, each node from its own memory
    unsigned maxmemory_policy;     // an index of spec_policies; 0: noeviction
};

struct spec {
    char *origin;  // where it came from, for messages: a path, or "built-in"
    char *cluster; // name: [a-z][a-z0-9-]*, at most 10 characters (the bridge is NAME0)
    bool ha;
    struct spec_base bases[SPEC_ROLES]; // by role, see spec_base_for
    struct spec_network network;
    enum spec_accel accel;
    char *uri;            // libvirt URI, "qemu:///system"
    char *ssh_user;       // account on the nodes
    struct strv ssh_keys; // further authorized public keys, one line each
    struct spec_redis redis;
    struct spec_node *nodes; // in the order of the spec
    size_t node_count;
    struct strv said; // keys that the text says itself, "redis.quorum"; none of the built-in text
};

// Parse and check text. origin names it in messages, and its folder is where a relative 'file:' is
// seen from. Complaints are all of what is wrong (at most 10), each as FILE:LINE:COLUMN, the source
// line and a caret, joined in one ERR_SPEC message. Caller frees with spec_free.
int spec_parse(
    const char *origin, const char *text, size_t length, struct spec **ret, struct error *err);
// path: --spec, or NULL for ./cluster.yaml if there is one, else the built-in four nodes. At most 1
// MiB is read. ERR_NOT_FOUND when there is no such file; ERR_SPEC when it is no regular file or too
// large.
int spec_load(const char *path, struct spec **ret, struct error *err);
// The text of the built-in spec, commented, valid YAML; constant. "" only when the folder of
// AIRBUILD_ASSETS holds a broken one.
const char *spec_builtin_text(void);

void spec_free(struct spec *spec);
void spec_freep(struct spec **spec);
#define SPEC_AUTO __attribute__((cleanup(spec_freep)))

const struct spec_node *spec_find(
    const struct spec *spec, const char *name); // NULL when there is none
// ERR_NOT_FOUND with the known names and the nearest one.
int spec_find_or_error(
    const struct spec *spec, const char *name, const struct spec_node **ret, struct error *err);
const struct spec_node *spec_head(const struct spec *spec);         // the one haproxy node
const struct spec_node *spec_first_master(const struct spec *spec); // the first redis node
size_t spec_worker_count(const struct spec *spec);
const char *spec_role_name(enum spec_role role);         // "haproxy", "redis"
const char *spec_mode_name(enum spec_network_mode mode); // "isolated", "nat", "bridge"
const char *spec_accel_name(enum spec_accel accel);
const char *spec_policy_name(unsigned policy); // of redis.maxmemory_policy: "noeviction", ...
// "auto", "arch", "debian", "file", "url", "bootstrap"
const char *spec_base_name(enum spec_base_kind kind);
// What the image of a role is made over.
const struct spec_base *spec_base_for(const struct spec *spec, enum spec_role role);
// One "base.KEY: value" a line, as in spec_canonical: equal texts are equal bases. Caller frees.
char *spec_base_canonical(const struct spec_base *base);
void spec_base_copy(const struct spec_base *from, struct spec_base *ret); // *ret is overwritten
void spec_base_clear(struct spec_base *base);                             // to {0}
// One "KEY: value" a line of everything the cluster's nodes are made from, in fixed order: two
// specs with equal text make equal clusters. Caller frees. Used to tell the user what differs from
// the running cluster.
char *spec_canonical(const struct spec *spec);
// Whether the text says the value of a key of spec_canonical, or it is a default or derived.
bool spec_says(const struct spec *spec, const char *key);
// Take the values that the text does not say from a canonical one: of what a cluster was launched
// with. Not its nodes, their roles and addresses, its network, lists and bases.
void spec_recall(struct spec *spec, const char *canonical);
// Addresses in host byte order.
bool address_read(const char *text, uint32_t *ret); // dotted IPv4
char *address_write(uint32_t address);              // caller frees
struct subnet {
    uint32_t network, broadcast;
    unsigned prefix;
};
// False unless text is a subnet that a cluster may have, such as 172.31.255.0/24.
bool subnet_read(const char *text, struct subnet *ret);
// The reference page: every key with its meaning, form and default, as plain text. Caller frees.
char *spec_reference(void);

#endif
