// definition.c - see definition.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/definition.h"

#include "base/cleanup.h"
#include "cluster/cluster.h"

void
domain_definition_fill(struct domain_definition *ret, const struct spec *spec, const char *id,
    const char *digest, const struct spec_node *node, const struct image *image, bool kvm)
{
    bool bridged = spec->network.mode == SPEC_NETWORK_BRIDGE;
    *ret = (struct domain_definition){
        .folder = cluster_folder(spec),
        .disk = cluster_node_path(spec, node->name, "disk.qcow2"),
        .seed = cluster_node_path(spec, node->name, "seed.iso"),
        .log = cluster_node_path(spec, node->name, "console.log"),
        .cmdline = str_format("%s %s", image->cmdline, virt_cmdline(kvm)),
        .tap = virt_tap_name(spec->cluster, node->address, spec->network.prefix),
    };
    ret->disk_chain[0] = (struct virt_image){ret->disk, "qcow2"};
    ret->disk_chain[1] = (struct virt_image){image->disk, "qcow2"};
    ret->disk_chain[2] = (struct virt_image){image->backing_disk, "qcow2"}; // of a role image
    ret->seed_chain[0] = (struct virt_image){ret->seed, "raw"};
    ret->disks[0] = (struct virt_disk){.chain = ret->disk_chain,
        .chain_count = image->backing_disk != NULL ? 3 : 2,
        .serial = "root"};
    ret->disks[1] = (struct virt_disk){
        .chain = ret->seed_chain, .chain_count = 1, .read_only = true, .serial = "seed"};
    ret->domain = (struct virt_domain){
        .name = node->name,
        .cluster = spec->cluster,
        .id = id,
        .folder = ret->folder,
        .role = spec_roles[node->role],
        .spec = digest,
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
domain_definition_free(struct domain_definition *definition)
{
    free(definition->folder);
    free(definition->disk);
    free(definition->seed);
    free(definition->log);
    free(definition->cmdline);
    free(definition->tap);
    *definition = (struct domain_definition){0};
}

void
network_definition_fill(struct network_definition *ret, const struct spec *spec, const char *id)
{
    *ret = (struct network_definition){
        .hosts = mem_zero(spec->node_count, sizeof *ret->hosts),
        .folder = cluster_folder(spec),
        .bridge = str_format("%s0", spec->cluster),
    };
    // A thawed node goes on with the host's address that it knew.
    uint32_t address;
    if (address_read(spec->network.host, &address))
        ret->mac = address_mac(address);
    for (size_t i = 0; i < spec->node_count; i++)
        ret->hosts[i] = (struct virt_host_entry){spec->nodes[i].name, spec->nodes[i].address};
    ret->network = (struct virt_network){
        .name = spec->network.name,
        .cluster = spec->cluster,
        .id = id,
        .folder = ret->folder,
        .bridge = ret->bridge,
        .mac = ret->mac,
        .address = spec->network.host,
        .prefix = spec->network.prefix,
        .nat = spec->network.mode == SPEC_NETWORK_NAT,
        .hosts = ret->hosts,
        .host_count = spec->node_count,
    };
}

void
network_definition_free(struct network_definition *definition)
{
    free(definition->hosts);
    free(definition->folder);
    free(definition->mac);
    free(definition->bridge);
    *definition = (struct network_definition){0};
}
