// spec.h - the cluster that cluster.yaml specifies, checked. Depends only on the text, not on the
// host.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SPEC_SPEC_H
#define AIRBUILD_SPEC_SPEC_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spec_role { SPEC_HAPROXY, SPEC_REDIS };
enum { SPEC_ROLES = 2 };
enum spec_base_kind {
    SPEC_BASE_AUTO,
    SPEC_BASE_DEBIAN, // made from Debian's packages
    SPEC_BASE_ARCH,   // Arch's official cloud image
    // These have the mirror and the snapshot of their packages beside them.
    SPEC_BASE_FILE,      // a disk image of the user
    SPEC_BASE_URL,       // a disk image to download
    SPEC_BASE_BOOTSTRAP, // made from Arch's packages
};
enum spec_network_mode { SPEC_NETWORK_ISOLATED, SPEC_NETWORK_NAT, SPEC_NETWORK_BRIDGE };
enum spec_accel { SPEC_ACCEL_AUTO, SPEC_ACCEL_KVM, SPEC_ACCEL_TCG };

struct spec_node {
    char *name; // host name label; also the libvirt domain's name
    enum spec_role role;
    char *address; // dotted IPv4
    char *mac;     // lowercase, "52:54:00:..."; by default made from the address
    unsigned memory_mib;
    unsigned cpus;
    uint64_t disk_bytes; // 0: as large as its image
};

struct spec_base {
    enum spec_base_kind kind;
    char *file;   // SPEC_BASE_FILE: absolute path of a qcow2
    char *suite;  // SPEC_BASE_DEBIAN, SPEC_BASE_AUTO: "bookworm"
    char *mirror; // URL of a package mirror; SPEC_BASE_DEBIAN, SPEC_BASE_AUTO: Debian's; others:
                  // Arch's, or NULL
    char *image;  // SPEC_BASE_ARCH: "latest" or a version, "20261001.604814"; NULL: the pinned one
    char *snapshot;      // day of the Arch Linux Archive, "2026-11-01", or NULL
    bool snapshot_given; // specified, not made from the image
    char *url;           // SPEC_BASE_URL
    char *sha256;    // SPEC_BASE_URL: 64 lowercase hex digits; NULL: only the signature is checked
    char *signature; // SPEC_BASE_URL: URL of a detached signature, or NULL
    char *keyring;   // SPEC_BASE_URL: absolute path of the signers' public keys; NULL: Arch's
    char *bootstrap; // SPEC_BASE_BOOTSTRAP: "arch"
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
    unsigned maxmemory_mib;        // 0: auto, computed by each node from its memory
    unsigned maxmemory_policy;     // an index of spec_policies; 0: noeviction
};

struct spec {
    char *origin;  // for messages: a path, or "built-in"
    char *cluster; // name: [a-z][a-z0-9-]*, at most 10 characters (the bridge is NAME0)
    bool ha;
    struct spec_base bases[SPEC_ROLES]; // of the images, by role
    struct spec_network network;
    enum spec_accel accel;
    char *uri;            // libvirt URI, "qemu:///system"
    char *ssh_user;       // account on the nodes
    struct strv ssh_keys; // further authorized public keys, one line each
    struct spec_redis redis;
    struct spec_node *nodes; // in the order of the spec
    size_t node_count;
    struct strv given; // sorted keys that the text specifies, "redis.quorum"; empty for the
                       // built-in text
};

// Parses and checks text. origin is its name in messages; paths are relative to the folder of
// origin. ERR_SPEC lists the errors (at most 10), each with FILE:LINE:COLUMN, the line and a caret.
// The caller calls spec_free on *ret.
int spec_parse(
    const char *origin, const char *text, size_t length, struct spec **ret, struct error *err);
// path: of --spec; NULL: ./cluster.yaml if it exists, else the built-in spec of four nodes.
// ERR_NOT_FOUND when the file does not exist; ERR_SPEC also when it is not a regular file, or
// larger than 1 MiB.
int spec_load(const char *path, struct spec **ret, struct error *err);
// Returns the commented text of the built-in spec; "" when the file in AIRBUILD_ASSETS cannot be
// read.
const char *spec_builtin_text(void);

void spec_free(struct spec *spec);
DEFINE_FREEP(struct spec, spec_free)
#define SPEC_AUTO CLEANUP(spec_freep)

const struct spec_node *spec_find(
    const struct spec *spec, const char *name); // NULL when there is no such node
// ERR_NOT_FOUND lists the names of the nodes and suggests the nearest one.
int spec_find_or_error(
    const struct spec *spec, const char *name, const struct spec_node **ret, struct error *err);
const struct spec_node *spec_head(const struct spec *spec);         // the one haproxy node
const struct spec_node *spec_first_master(const struct spec *spec); // the first redis node
size_t spec_worker_count(const struct spec *spec);
// The words of keys, in the order of their enums; each but the kinds ends with NULL.
extern const char *const spec_roles[], *const spec_modes[], *const spec_accels[];
extern const char *const spec_policies[]; // "noeviction", ...: of redis.maxmemory_policy
extern const char *const spec_base_kinds[];
// Returns lines "base.KEY: value" as in spec_canonical, equal for equal bases; the caller frees
// them.
char *spec_base_canonical(const struct spec_base *base);
void spec_base_copy(const struct spec_base *from, struct spec_base *ret); // overwrites *ret
void spec_base_clear(struct spec_base *base);                             // to {0}
// Returns lines "KEY: value", in fixed order, of all that a cluster depends on: specs with equal
// lines make equal clusters. The caller frees them.
char *spec_canonical(const struct spec *spec);
// Whether the text specifies a key of spec_canonical, whose value is not a default then.
bool spec_specifies(const struct spec *spec, const char *key);
// Sets the values that the text does not specify to those of canonical, the lines of the spec that
// a cluster was launched with; except nodes, their roles and addresses, network, lists and bases.
void spec_restore(struct spec *spec, const char *canonical);
// Addresses in host byte order.
bool address_read(const char *text, uint32_t *ret); // dotted IPv4
char *address_mac(uint32_t address);                // a MAC address that ends like it; caller frees
char *address_write(uint32_t address);              // caller frees
struct subnet {
    uint32_t network, broadcast;
    unsigned prefix;
};
// Returns false unless a cluster can have the subnet, such as 172.31.255.0/24.
bool subnet_read(const char *text, struct subnet *ret);
// Returns the reference page, every key with its meaning, values and default; the caller frees it.
char *spec_reference(void);

#endif
