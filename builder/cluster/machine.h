// machine.h - a node of the spec as the domain that libvirt is to be given.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLUSTER_MACHINE_H
#define AIRBUILD_CLUSTER_MACHINE_H

#include "spec/spec.h"
#include "store/store.h"
#include "virt/xml.h"

#include <stdbool.h>

// A domain and what its borrowed strings point at.
struct machine {
    struct virt_domain domain;
    struct virt_image disk_chain[3], seed_chain[1];
    struct virt_disk disks[2];
    char *folder, *disk, *seed, *log, *cmdline, *tap, *digest;
};

// Pure. ret is filled in place and must not be moved afterwards; image and id, the cluster's, are
// borrowed.
void machine_fill(struct machine *ret, const struct spec *spec, const char *id,
    const struct spec_node *node, const struct image *image, bool kvm);
void machine_free(struct machine *machine);
#define MACHINE_AUTO __attribute__((cleanup(machine_free)))

#endif
