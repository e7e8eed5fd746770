// network_xml.c - the XML of the cluster's network. Pure.
// The elements are those of libvirt's formatnetwork page (https://libvirt.org/formatnetwork.html).
// SPDX-License-Identifier: Apache-2.0
#include "virt/writer.h"
#include "virt/xml.h"

static void
write_network_metadata(struct writer *writer, const struct virt_network *network)
{
    writer_open(writer, "metadata");
    writer_leaf(writer, "airbuild:network", "xmlns:airbuild", VIRT_NAMESPACE, "cluster",
        network->cluster, "id", network->id, "folder", network->folder, NULL);
    writer_close(writer);
}

static void
write_hosts(struct writer *writer, const struct virt_network *network)
{
    writer_open(writer, "dns");
    for (size_t i = 0; i < network->host_count; i++) {
        writer_open(writer, "host");
        writer_attribute(writer, "ip", network->hosts[i].address);
        writer_text(writer, "hostname", network->hosts[i].name);
        writer_close(writer);
    }
    writer_close(writer);
}

// No <dhcp>: the nodes' addresses are in their seeds.
static void
write_address(struct writer *writer, const struct virt_network *network)
{
    writer_open(writer, "ip");
    writer_attributes(writer, "family", "ipv4", "address", network->address, NULL);
    writer_attribute_uint(writer, "prefix", network->prefix);
    writer_close(writer);
}

char *
virt_network_xml(const struct virt_network *network)
{
    struct writer *writer = writer_new();
    writer_open(writer, "network");
    writer_text(writer, "name", network->name);
    write_network_metadata(writer, network);
    if (network->nat)
        writer_leaf(writer, "forward", "mode", "nat", NULL);
    writer_leaf(writer, "bridge", "name", network->bridge, "stp", "off", "delay", "0", NULL);
    write_hosts(writer, network);
    write_address(writer, network);
    writer_close(writer);
    return writer_finish(writer);
}
