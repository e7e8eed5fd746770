// xml.c - the XML of a domain and of the cluster's network, and the names of the nodes' network
// interfaces on the host. Pure.
// The elements are those of https://libvirt.org/formatdomain.html and formatnetwork.html.
// SPDX-License-Identifier: Apache-2.0
#include "virt/xml.h"

#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/text.h"
#include "virt/reader.h"
#include "virt/virt.h"

#include <arpa/inet.h>
#include <libxml/tree.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define INTERFACE_MAX 15 // bytes of an interface's name: IFNAMSIZ less its NUL
#define DIGEST_DIGITS 8

// ---- libxml2's tree; its calls fail only for want of memory here ---------------------------------

// Adds <element> to parent (NULL: it is the root) with attributes, given as pairs of name and
// value. A NULL value leaves its attribute out.
#define ADD(...) add_element(__VA_ARGS__, (char *) NULL)

static xmlNodePtr
add_element(xmlNodePtr parent, const char *element, ...)
{
    va_list attributes;
    xmlNodePtr node = xmlNewNode(NULL, BAD_CAST element);
    if (node == NULL || (parent != NULL && xmlAddChild(parent, node) == NULL))
        mem_exhausted();
    va_start(attributes, element);
    for (const char *name; (name = va_arg(attributes, const char *)) != NULL;) {
        const char *value = va_arg(attributes, const char *);
        FREE_AUTO char *safe = value != NULL ? text_clean(TEXT_XML, value) : NULL;
        if (safe != NULL && xmlNewProp(node, BAD_CAST name, BAD_CAST safe) == NULL)
            mem_exhausted();
    }
    va_end(attributes);
    return node;
}

static void
add_content(xmlNodePtr node, const char *text)
{
    FREE_AUTO char *safe = text_clean(TEXT_XML, text);
    if (xmlAddChild(node, xmlNewText(BAD_CAST safe)) == NULL)
        mem_exhausted();
}

// Adds <element>text</element>; nothing when text is NULL.
static void
add_text_element(xmlNodePtr parent, const char *element, const char *text)
{
    if (text != NULL)
        add_content(ADD(parent, element), text);
}

// Frees root. Returns its text without an XML declaration; the caller frees it.
static char *
finish_xml(xmlNodePtr root)
{
    FREE_AUTO char *text = reader_print(root, true);
    xmlFreeNode(root);
    return str_format("%s\n", text);
}

// ---- the domain ----------------------------------------------------------------------------------

#define ALL_MACHINES "console=ttyS0 init_on_alloc=0 init_on_free=1"

// Memory is cleared when it becomes free instead of when it is used again, so that free memory
// costs nothing in a frozen set. Under TCG: the emulated processor does not speculate, so the
// kernel's mitigations only cost (with page-table isolation a system call takes 17 us instead of
// 0.6 us). tsc=reliable and no_timer_check keep the kernel from taking a slow host for broken
// hardware: without them it may fall back to the HPET (reading the clock takes 1.5 us instead of
// 0.1 us) or refuse its timer; libguestfs gives its appliance the same two, and cryptomgr.notests,
// without which the kernel tests its ciphers for 0.3 s (lib/appliance-kcmdline.c).
const char *
virt_cmdline(bool kvm)
{
    return kvm ? ALL_MACHINES
               : ALL_MACHINES " mitigations=off tsc=reliable no_timer_check cryptomgr.notests";
}

static void
add_os(xmlNodePtr root, const struct virt_domain *domain)
{
    xmlNodePtr os = ADD(root, "os");
    add_content(ADD(os, "type", "arch", "x86_64", "machine", "q35"), "hvm");
    if (domain->kernel == NULL) {
        ADD(os, "boot", "dev", "hd");
        return;
    }
    add_text_element(os, "kernel", domain->kernel);
    add_text_element(os, "initrd", domain->initrd);
    add_text_element(os, "cmdline", domain->cmdline);
}

// cache=writeback: the host's page cache serves the layers that the nodes share, and a guest's
// flush still reaches the disk, so what redis has fsynced survives a pulled power. Every level is
// named, and an empty <backingStore/> ends them, so that libvirt probes no file.
static void
add_disk(xmlNodePtr devices, const struct virt_disk *disk, size_t index)
{
    const char target[] = {'v', 'd', (char) ('a' + index % 26), '\0'};
    xmlNodePtr node = ADD(devices, "disk", "type", "file", "device", "disk");
    ADD(node, "driver", "name", "qemu", "type", disk->chain[0].format, "cache", "writeback",
        "discard", disk->read_only ? NULL : "unmap");
    ADD(node, "source", "file", disk->chain[0].path);
    xmlNodePtr level = node;
    for (size_t i = 1; i < disk->chain_count; i++) {
        level = ADD(level, "backingStore", "type", "file");
        ADD(level, "format", "type", disk->chain[i].format);
        ADD(level, "source", "file", disk->chain[i].path);
    }
    ADD(level, "backingStore");
    ADD(node, "target", "dev", target, "bus", "virtio");
    if (disk->read_only)
        ADD(node, "readonly");
    add_text_element(node, "serial", disk->serial);
}

static void
add_devices(xmlNodePtr root, const struct virt_domain *domain)
{
    const char *bridge = domain->network != NULL ? NULL : domain->bridge;
    xmlNodePtr devices = ADD(root, "devices");
    for (size_t i = 0; i < domain->disk_count; i++)
        add_disk(devices, &domain->disks[i], i);
    ADD(devices, "controller", "type", "usb", "model", "none");
    if (domain->network != NULL || bridge != NULL) {
        xmlNodePtr nic = ADD(devices, "interface", "type", bridge == NULL ? "network" : "bridge");
        ADD(nic, "mac", "address", domain->mac);
        ADD(nic, "source", "network", domain->network, "bridge", bridge);
        if (domain->tap != NULL)
            ADD(nic, "target", "dev", domain->tap);
        ADD(nic, "model", "type", "virtio");
    }
    // A person can connect to a pty at any time. Its log is written by virtlogd, or by QEMU itself
    // where libvirt is configured without it (stdio_handler = "file").
    xmlNodePtr serial = ADD(devices, "serial", "type", "pty");
    if (domain->console_log != NULL)
        ADD(serial, "log", "file", domain->console_log, "append", "on");
    ADD(serial, "target", "type", "isa-serial", "port", "0");
    ADD(ADD(devices, "channel", "type", "unix"), "target", "type", "virtio", "name",
        "org.qemu.guest_agent.0");
    add_content(
        ADD(ADD(devices, "rng", "model", "virtio"), "backend", "model", "random"), "/dev/urandom");
    ADD(ADD(devices, "video"), "model", "type", "none");
    ADD(devices, "memballoon", "model", "none");
    ADD(devices, "panic", "model", "isa");
}

// The guest's clocks (kvm-clock, TSC) stop while it is paused or saved. Its RTC follows the host's
// clock, QEMU's default (-rtc clock=host), and the node sets its clock by it
// (images/files/common/usr/lib/airbuild/keep-clock). The guest may reboot by itself; a panic stops
// the domain at once, so that a waiting launch sees it.
char *
virt_domain_xml(const struct virt_domain *domain)
{
    FREE_AUTO char *cpus = str_format("%u", domain->cpus);
    FREE_AUTO char *kib = str_format("%llu", domain->memory_mib * 1024ULL);
    bool lone = !domain->kvm && domain->cpus == 1;
    xmlNodePtr root = ADD(NULL, "domain", "type", domain->kvm ? "kvm" : "qemu");
    add_text_element(root, "name", domain->name);
    add_text_element(root, "uuid", domain->uuid);
    ADD(ADD(root, "metadata"), "airbuild:node", "xmlns:airbuild", VIRT_NAMESPACE, "cluster",
        domain->cluster, "id", domain->id, "folder", domain->folder, "role", domain->role, "spec",
        domain->spec, "image", domain->image);
    add_text_element(root, "memory", kib);
    // QEMU translates a TCG machine that can have only one processor without memory barriers and
    // without atomic operations (CF_PARALLEL; 8.1 fixed the barriers, commit c914d46d0a64). A guest
    // then misses, at times, that a virtio device waits for a notification, and its network hangs
    // for good (seen with 7.2). So the machine may have two processors, and has one.
    add_content(ADD(root, "vcpu", "current", lone ? "1" : NULL), lone ? "2" : cpus);
    add_os(root, domain);
    xmlNodePtr features = ADD(root, "features");
    ADD(features, "acpi");
    ADD(features, "apic");
    // QEMU would keep up to 1 GiB of translated code. With 128 MiB a cold launch took as long, and
    // each node 265 MiB less of the host's memory.
    FREE_AUTO char *cache = str_format("%u", VIRT_TCG_CACHE_MIB);
    if (!domain->kvm)
        add_content(ADD(ADD(features, "tcg"), "tb-cache", "unit", "MiB"), cache);
    // TCG: everything it can emulate except five-level page tables, as libguestfs does
    // (lib/launch-libvirt.c). Named models are no faster, and Intel's make the guest's kernel
    // isolate its page tables.
    xmlNodePtr cpu = ADD(root, "cpu", "mode", domain->kvm ? "host-passthrough" : "maximum");
    if (!domain->kvm)
        ADD(cpu, "feature", "policy", "disable", "name", "la57");
    ADD(root, "clock", "offset", "utc");
    add_text_element(root, "on_poweroff", "destroy");
    add_text_element(root, "on_reboot", "restart");
    add_text_element(root, "on_crash", "destroy");
    add_devices(root, domain);
    return finish_xml(root);
}

// ---- the network ---------------------------------------------------------------------------------

// No <dhcp>: the nodes' addresses are in their seeds.
char *
virt_network_xml(const struct virt_network *network)
{
    FREE_AUTO char *prefix = str_format("%u", network->prefix);
    xmlNodePtr root = ADD(NULL, "network");
    add_text_element(root, "name", network->name);
    ADD(ADD(root, "metadata"), "airbuild:network", "xmlns:airbuild", VIRT_NAMESPACE, "cluster",
        network->cluster, "id", network->id, "folder", network->folder);
    if (network->nat)
        ADD(root, "forward", "mode", "nat");
    ADD(root, "bridge", "name", network->bridge, "stp", "off", "delay", "0");
    ADD(root, "mac", "address", network->mac);
    xmlNodePtr dns = ADD(root, "dns");
    for (size_t i = 0; i < network->host_count; i++)
        add_text_element(
            ADD(dns, "host", "ip", network->hosts[i].address), "hostname", network->hosts[i].name);
    ADD(root, "ip", "family", "ipv4", "address", network->address, "prefix", prefix);
    return finish_xml(root);
}

// ---- the nodes' interfaces on the host -----------------------------------------------------------

// A cluster's name has no '_', so no other cluster has the same name for a node, nor for its
// bridge, NAME0. A name that is too long ends in a digest of the whole, after a letter that no
// number begins with.
char *
virt_tap_name(const char *cluster, const char *address, unsigned prefix)
{
    struct in_addr in = {0};
    char hex[DIGEST_HEX + 1];
    inet_pton(AF_INET, address, &in);
    uint32_t mask = prefix >= 32 ? 0 : UINT32_MAX >> prefix;
    FREE_AUTO char *name = str_format("%s_%u", cluster, ntohl(in.s_addr) & mask);
    if (strlen(name) <= INTERFACE_MAX)
        return TAKE(name);
    digest_bytes(name, strlen(name), hex);
    return str_format("%.*s_x%.*s", INTERFACE_MAX - DIGEST_DIGITS - 2, cluster, DIGEST_DIGITS, hex);
}
