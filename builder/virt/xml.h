// xml.h - domains and networks as plain structs, and the XML that libvirt gets for them. Pure: uses
// no connection and no file. Any text is safe in any field: libxml2 escapes it, and what XML cannot
// carry becomes U+FFFD.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_XML_H
#define AIRBUILD_VIRT_XML_H

#include <stdbool.h>
#include <stddef.h>

#define VIRT_NAMESPACE "urn:airbuild:1" // of the metadata that marks what is ours

// One link of a disk's chain, top first. Name every file: libvirt does not search for more.
struct virt_image {
    const char *path;   // absolute
    const char *format; // "qcow2", "raw"
};

struct virt_disk {
    const struct virt_image *chain; // chain[0] is the disk itself, the rest its backing files
    size_t chain_count;             // at least 1
    bool read_only;                 // a seed
    const char *serial;             // /dev/disk/by-id/virtio-SERIAL in the guest; may be NULL
};

// Strings are borrowed. Disks become vda, vdb, ... in their order.
struct virt_domain {
    const char *name;    // of the domain; the node's name
    const char *uuid;    // NULL: libvirt makes one when first defined
    const char *cluster; // metadata: its owner
    const char *id;      // metadata: of that cluster; NULL: none is written
    const char *folder;  // metadata: of the cluster's state; may be NULL
    const char *role;    // metadata, "redis"; may be NULL
    const char *spec;    // metadata: digest of the node's part of the spec; may be NULL
    const char *image;   // metadata: key of the role image that backs its disk; may be NULL
    unsigned memory_mib, cpus;
    bool kvm;            // else TCG
    const char *kernel;  // direct kernel boot; NULL: boot from the first disk by BIOS
    const char *initrd;  // may be NULL
    const char *cmdline; // may be NULL
    const struct virt_disk *disks;
    size_t disk_count;
    const char *network; // libvirt network, or NULL and
    const char *bridge;  // an existing bridge of the host
    const char *mac;
    const char *tap; // name of the NIC on the host, at most 15 bytes (virt_tap_name); NULL:
                     // libvirt's choice
    // Log of the serial console, appended to over restarts. Create it beforehand (0644) to own it:
    // libvirt's virtlogd creates it as root with 0600. NULL: no log.
    const char *console_log;
};

// Returns what the kernel's command line needs on this hypervisor: the console ("console=ttyS0"),
// and under TCG what keeps it fast and its clock right. A constant.
const char *virt_cmdline(bool kvm);

// Returns "air_11", the name of a node's NIC on the host, from the cluster's name and the host part
// of the node's address: at most 15 bytes, unique among the nodes and bridges of all clusters.
// Caller frees.
char *virt_tap_name(const char *cluster, const char *address, unsigned prefix);

char *virt_domain_xml(const struct virt_domain *domain); // caller frees

struct virt_host_entry {
    const char *name, *address;
};

struct virt_network {
    const char *name;                    // "air"
    const char *cluster;                 // metadata: its owner
    const char *id, *folder;             // metadata: as in struct virt_domain
    const char *bridge;                  // "air0"
    const char *mac;                     // of the bridge
    const char *address;                 // the host's own, "172.31.255.254"
    unsigned prefix;                     // 24
    bool nat;                            // else isolated
    const struct virt_host_entry *hosts; // names that the network's DNS resolves
    size_t host_count;
};
char *virt_network_xml(const struct virt_network *network); // caller frees

#endif
