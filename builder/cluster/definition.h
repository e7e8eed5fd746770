// definition.h - the domain of each node and the network, as libvirt is given them. Pure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_DEFINITION_H
#define AIRBUILD_CLUSTER_DEFINITION_H

#include "base/cleanup.h"
#include "spec/spec.h"
#include "store/store.h"
#include "virt/network.h"
#include "virt/xml.h"

#include <stdbool.h>

// Both are filled in place and must not be moved, as they point at their own members. They borrow
// from their arguments; id is the cluster's, digest that of its spec_canonical.
struct domain_definition {
    struct virt_domain domain;
    struct virt_image disk_chain[3], seed_chain[1];
    struct virt_disk disks[2];
    char *folder, *disk, *seed, *log, *cmdline, *tap;
};
void domain_definition_fill(struct domain_definition *ret, const struct spec *spec, const char *id,
    const char *digest, const struct spec_node *node, const struct image *image, bool kvm);
void domain_definition_free(struct domain_definition *definition);
#define DOMAIN_DEFINITION_AUTO CLEANUP(domain_definition_free)

struct network_definition {
    struct virt_network network;
    struct virt_host_entry *hosts;
    char *folder, *mac, *bridge;
};
void network_definition_fill(
    struct network_definition *ret, const struct spec *spec, const char *id);
void network_definition_free(struct network_definition *definition);
#define NETWORK_DEFINITION_AUTO CLEANUP(network_definition_free)

#endif
