// xml.h - what libvirt is to be given, as plain structs, and the XML documents made from them.
// Pure: no connection, no file is looked at; any text is safe in any field (libxml2 escapes; what
// XML cannot carry at all becomes U+FFFD).
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_XML_H
#define AIRBUILD_VIRT_XML_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define VIRT_NAMESPACE "urn:airbuild:1" // of the metadata that marks what is ours

// One link of a disk's chain, top first. Every file must be named: libvirt is told not to look for
// more.
struct virt_image {
    const char *path;   // absolute
    const char *format; // "qcow2", "raw"
};

struct virt_disk {
    const struct virt_image *chain; // chain[0] is the disk itself, the rest what it lies over
    size_t chain_count;             // at least 1
    bool read_only;                 // a seed
    const char *serial;             // /dev/disk/by-id/virtio-SERIAL in the guest; may be NULL
};

// Strings are borrowed. Disks become vda, vdb, ... in their order.
struct virt_domain {
    const char *name;    // of the domain; the node's name
    const char *uuid;    // NULL: libvirt makes one when first defined
    const char *cluster; // metadata: whose it is
    const char *id;      // metadata: of that cluster; NULL: none is written
    const char *folder;  // metadata: that the cluster's state is in, for messages; may be NULL
    const char *role;    // metadata, "redis"; may be NULL
    const char *spec;    // metadata: digest of what the node was made from; may be NULL
    const char *image;   // metadata: key of the role image below its disk; may be NULL
    unsigned memory_mib, cpus;
    bool kvm;             // else TCG
    const char *emulator; // NULL: libvirt's own choice
    const char *arch;     // NULL: "x86_64"
    const char *machine;  // NULL: "q35"
    const char *kernel;   // direct kernel boot; NULL: boot from the first disk by BIOS
    const char *initrd;   // may be NULL
    const char *cmdline;  // may be NULL
    const struct virt_disk *disks;
    size_t disk_count;
    const char *network; // libvirt network, or NULL and
    const char *bridge;  // an existing bridge of the host
    const char *mac;
    const char *tap; // name of the NIC on the host, at most 15 bytes (virt_tap_name); NULL:
                     // libvirt's choice
    // File that keeps what the serial console said, appended to over restarts. Make it beforehand
    // (0644) to own it: libvirt's virtlogd makes it 0600, root's. NULL: not kept.
    const char *console_log;
};

// What to add to the kernel's command line for this machine: its console ("console=ttyS0"), and
// under TCG the clock that serves best. A constant.
const char *virt_cmdline(bool kvm);

// "air_11": host's name of a node's NIC, from the cluster's name and the host part of the node's
// address; at most 15 bytes, and no other node's or bridge's of any cluster. Caller frees.
char *virt_tap_name(const char *cluster, const char *address, unsigned prefix);

char *virt_domain_xml(const struct virt_domain *domain); // caller frees

struct virt_host_entry {
    const char *name, *address;
};

struct virt_network {
    const char *name;                    // "air"
    const char *cluster;                 // metadata: whose it is
    const char *id, *folder;             // metadata: as in struct virt_domain
    const char *bridge;                  // "air0"
    const char *address;                 // the host's own, "172.31.255.254"
    unsigned prefix;                     // 24
    bool nat;                            // else isolated
    const struct virt_host_entry *hosts; // names that the network's resolver answers
    size_t host_count;
};
char *virt_network_xml(const struct virt_network *network); // caller frees

#endif
