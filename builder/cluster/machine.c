// machine.c - see machine.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/machine.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "cluster/cluster.h"

#include <string.h>

// Top first: the node's own layer, the role image, the base.
static void
fill_disks(struct machine *machine, const struct image *image)
{
    size_t links = 0;
    machine->disk_chain[links++] = (struct virt_image){machine->disk, "qcow2"};
    machine->disk_chain[links++] = (struct virt_image){image->disk, "qcow2"};
    if (image->backing_disk != NULL)
        machine->disk_chain[links++] = (struct virt_image){image->backing_disk, "qcow2"};
    machine->seed_chain[0] = (struct virt_image){machine->seed, "raw"};
    machine->disks[0] =
        (struct virt_disk){.chain = machine->disk_chain, .chain_count = links, .serial = "root"};
    machine->disks[1] = (struct virt_disk){
        .chain = machine->seed_chain, .chain_count = 1, .read_only = true, .serial = "seed"};
}

void
machine_fill(struct machine *ret, const struct spec *spec, const char *id,
    const struct spec_node *node, const struct image *image, bool kvm)
{
    FREE_AUTO char *canonical = spec_canonical(spec);
    char hex[DIGEST_HEX + 1];
    digest_bytes(canonical, strlen(canonical), hex);
    bool bridged = spec->network.mode == SPEC_NETWORK_BRIDGE;
    *ret = (struct machine){
        .folder = cluster_folder(spec),
        .disk = cluster_node_path(spec, node->name, "disk.qcow2"),
        .seed = cluster_node_path(spec, node->name, "seed.iso"),
        .log = cluster_node_path(spec, node->name, "console.log"),
        .cmdline = str_format("%s %s", image->cmdline, virt_cmdline(kvm)),
        .tap = virt_tap_name(spec->cluster, node->address, spec->network.prefix),
        .digest = str_dup(hex),
    };
    fill_disks(ret, image);
    ret->domain = (struct virt_domain){
        .name = node->name,
        .cluster = spec->cluster,
        .id = id,
        .folder = ret->folder,
        .role = spec_role_name(node->role),
        .spec = ret->digest,
        .image = image->key,
        .memory_mib = node->memory_mib,
        .cpus = node->cpus,
        .kvm = kvm,
        .kernel = image->kernel,
        .initrd = image->initrd,
        .cmdline = ret->cmdline,
        .disks = ret->disks,
        .disk_count = 2,
        .network = bridged ? NULL : spec->network.name,
        .bridge = bridged ? spec->network.name : NULL,
        .mac = node->mac,
        .tap = ret->tap,
        .console_log = ret->log,
    };
}

void
machine_free(struct machine *machine)
{
    free(machine->folder);
    free(machine->disk);
    free(machine->seed);
    free(machine->log);
    free(machine->cmdline);
    free(machine->tap);
    free(machine->digest);
    *machine = (struct machine){0};
}
