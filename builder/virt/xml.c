// xml.c - the XML of a domain and of the cluster's network, and the names of the nodes' network
// interfaces on the host. Pure.
// The elements are those of https://libvirt.org/formatdomain.html and formatnetwork.html.
// SPDX-License-Identifier: Apache-2.0
#include "virt/xml.h"

#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define INTERFACE_MAX 15 // bytes of an interface's name: IFNAMSIZ less its NUL
#define DIGEST_DIGITS 8

// ---- libxml2's writer; its calls fail only for want of memory here -------------------------------

struct writer {
    xmlBufferPtr buffer;
    xmlTextWriterPtr text;
};

static void
check_written(int result)
{
    if (result < 0)
        mem_exhausted();
}

static struct writer *
writer_new(void)
{
    struct writer *writer = mem_zero(1, sizeof(*writer));
    writer->buffer = xmlBufferCreate();
    if (writer->buffer != NULL)
        writer->text = xmlNewTextWriterMemory(writer->buffer, 0);
    if (writer->text == NULL)
        mem_exhausted();
    check_written(xmlTextWriterSetIndent(writer->text, 1));
    check_written(xmlTextWriterSetIndentString(writer->text, BAD_CAST "  "));
    return writer;
}

// Ends the document and frees writer. Returns its text without an XML declaration; the caller frees
// it.
static char *
writer_finish(struct writer *writer)
{
    check_written(xmlTextWriterEndDocument(writer->text));
    xmlFreeTextWriter(writer->text);
    char *text = str_dup((const char *) xmlBufferContent(writer->buffer));
    xmlBufferFree(writer->buffer);
    free(writer);
    return text;
}

static bool
writer_start(struct writer *writer, const char *element, ...)
{
    va_list attributes;
    va_start(attributes, element);
    check_written(xmlTextWriterStartElement(writer->text, BAD_CAST element));
    for (const char *name; (name = va_arg(attributes, const char *)) != NULL;) {
        const char *value = va_arg(attributes, const char *);
        if (value == NULL)
            continue;
        FREE_AUTO char *safe = text_clean(TEXT_XML, value);
        check_written(xmlTextWriterWriteAttribute(writer->text, BAD_CAST name, BAD_CAST safe));
    }
    va_end(attributes);
    return true;
}

static bool
writer_end(struct writer *writer)
{
    check_written(xmlTextWriterEndElement(writer->text));
    return false;
}

// XML_ELEMENT(writer, "disk", "type", "file") { ... } writes the element with its attributes, given
// as pairs of name and value, around what the block writes. A NULL value leaves its attribute out.
// The block must not be left early. (Starting returns true and ending false, for the macro.)
#define XML_ELEMENT(...) XML_ELEMENT_AT(__LINE__, __VA_ARGS__)
#define XML_ELEMENT_AT(line, ...) XML_ELEMENT_IN(line, __VA_ARGS__)
#define XML_ELEMENT_IN(line, writer, ...)                                              \
    for (bool in_##line = writer_start(writer, __VA_ARGS__, (char *) NULL); in_##line; \
         in_##line = writer_end(writer))

// Writes an element without content.
#define XML_LEAF(writer, ...)                             \
    do {                                                  \
        writer_start(writer, __VA_ARGS__, (char *) NULL); \
        writer_end(writer);                               \
    } while (false)

// <element>text</element>; NULL text: writes nothing.
static void
writer_text(struct writer *writer, const char *element, const char *text)
{
    if (text == NULL)
        return;
    FREE_AUTO char *safe = text_clean(TEXT_XML, text);
    check_written(xmlTextWriterWriteElement(writer->text, BAD_CAST element, BAD_CAST safe));
}

// Text inside the element that was started last.
static void
writer_content(struct writer *writer, const char *text)
{
    FREE_AUTO char *safe = text_clean(TEXT_XML, text);
    check_written(xmlTextWriterWriteString(writer->text, BAD_CAST safe));
}

// ---- the domain ----------------------------------------------------------------------------------

// Under TCG: the emulated processor does not speculate, so the kernel's mitigations only cost (with
// page-table isolation a system call takes 17 us instead of 0.6 us). tsc=reliable and
// no_timer_check keep the kernel from taking a slow host for broken hardware: without them it may
// fall back to the HPET (reading the clock takes 1.5 us instead of 0.1 us) or refuse its timer;
// libguestfs gives its appliance the same two (lib/appliance-kcmdline.c).
const char *
virt_cmdline(bool kvm)
{
    return kvm ? "console=ttyS0" : "console=ttyS0 mitigations=off tsc=reliable no_timer_check";
}

static void
write_os(struct writer *writer, const struct virt_domain *domain)
{
    XML_ELEMENT(writer, "os") {
        XML_ELEMENT(writer, "type", "arch", domain->arch != NULL ? domain->arch : "x86_64",
            "machine", domain->machine != NULL ? domain->machine : "q35")
            writer_content(writer, "hvm");
        if (domain->kernel != NULL) {
            writer_text(writer, "kernel", domain->kernel);
            writer_text(writer, "initrd", domain->initrd);
            writer_text(writer, "cmdline", domain->cmdline);
        } else {
            XML_LEAF(writer, "boot", "dev", "hd");
        }
    }
}

// Names every level, then ends with an empty <backingStore/>, so that libvirt probes no file.
static void
write_backing(struct writer *writer, const struct virt_disk *disk, size_t level)
{
    bool last = level == disk->chain_count;
    XML_ELEMENT(writer, "backingStore", "type", last ? NULL : "file")
        if (!last) {
            XML_LEAF(writer, "format", "type", disk->chain[level].format);
            XML_LEAF(writer, "source", "file", disk->chain[level].path);
            write_backing(writer, disk, level + 1);
        }
}

// cache=writeback: the host's page cache serves the layers that the nodes share, and a guest's
// flush still reaches the disk, so what redis has fsynced survives a pulled power.
static void
write_disk(struct writer *writer, const struct virt_disk *disk, size_t index)
{
    const char target[] = {'v', 'd', (char) ('a' + index % 26), '\0'};
    XML_ELEMENT(writer, "disk", "type", "file", "device", "disk") {
        XML_LEAF(writer, "driver", "name", "qemu", "type", disk->chain[0].format, "cache",
            "writeback", "discard", disk->read_only ? NULL : "unmap");
        XML_LEAF(writer, "source", "file", disk->chain[0].path);
        write_backing(writer, disk, 1);
        XML_LEAF(writer, "target", "dev", target, "bus", "virtio");
        if (disk->read_only)
            XML_LEAF(writer, "readonly");
        writer_text(writer, "serial", disk->serial);
    }
}

static void
write_devices(struct writer *writer, const struct virt_domain *domain)
{
    const char *bridge = domain->network != NULL ? NULL : domain->bridge;
    XML_ELEMENT(writer, "devices") {
        writer_text(writer, "emulator", domain->emulator);
        for (size_t i = 0; i < domain->disk_count; i++)
            write_disk(writer, &domain->disks[i], i);
        XML_LEAF(writer, "controller", "type", "usb", "model", "none");
        if (domain->network != NULL || bridge != NULL)
            XML_ELEMENT(writer, "interface", "type", bridge == NULL ? "network" : "bridge") {
                XML_LEAF(writer, "mac", "address", domain->mac);
                XML_LEAF(writer, "source", "network", domain->network, "bridge", bridge);
                if (domain->tap != NULL)
                    XML_LEAF(writer, "target", "dev", domain->tap);
                XML_LEAF(writer, "model", "type", "virtio");
            }
        // A person can connect to a pty at any time. Its log is written by virtlogd, or by QEMU
        // itself where libvirt is configured without it (stdio_handler = "file").
        XML_ELEMENT(writer, "serial", "type", "pty") {
            if (domain->console_log != NULL)
                XML_LEAF(writer, "log", "file", domain->console_log, "append", "on");
            XML_LEAF(writer, "target", "type", "isa-serial", "port", "0");
        }
        XML_ELEMENT(writer, "channel", "type", "unix")
            XML_LEAF(writer, "target", "type", "virtio", "name", "org.qemu.guest_agent.0");
        XML_ELEMENT(writer, "rng", "model", "virtio")
            XML_ELEMENT(writer, "backend", "model", "random")
                writer_content(writer, "/dev/urandom");
        XML_ELEMENT(writer, "video")
            XML_LEAF(writer, "model", "type", "none");
        XML_LEAF(writer, "memballoon", "model", "none");
        XML_LEAF(writer, "panic", "model", "isa");
    }
}

// The guest's clocks (kvm-clock, TSC) stop while it is paused or saved. Its RTC follows the host's
// clock, QEMU's default (-rtc clock=host), and the node sets its clock by it
// (images/files/common/usr/lib/airbuild/keep-clock). The guest may reboot by itself; a panic stops
// the domain at once, so that a waiting launch sees it.
char *
virt_domain_xml(const struct virt_domain *domain)
{
    struct writer *writer = writer_new();
    FREE_AUTO char *cpus = str_format("%u", domain->cpus);
    bool lone = !domain->kvm && domain->cpus == 1;
    FREE_AUTO char *kib = str_format("%llu", domain->memory_mib * 1024ULL);
    XML_ELEMENT(writer, "domain", "type", domain->kvm ? "kvm" : "qemu") {
        writer_text(writer, "name", domain->name);
        writer_text(writer, "uuid", domain->uuid);
        XML_ELEMENT(writer, "metadata")
            XML_LEAF(writer, "airbuild:node", "xmlns:airbuild", VIRT_NAMESPACE, "cluster",
                domain->cluster, "id", domain->id, "folder", domain->folder, "role", domain->role,
                "spec", domain->spec, "image", domain->image);
        writer_text(writer, "memory", kib);
        // QEMU translates a TCG machine that can have only one processor without memory barriers
        // and without atomic operations (CF_PARALLEL; 8.1 fixed the barriers, commit c914d46d0a64).
        // A guest then misses, at times, that a virtio device waits for a notification, and its
        // network hangs for good (seen with 7.2). So the machine may have two processors, and has
        // one.
        XML_ELEMENT(writer, "vcpu", "current", lone ? "1" : NULL)
            writer_content(writer, lone ? "2" : cpus);
        write_os(writer, domain);
        XML_ELEMENT(writer, "features") {
            XML_LEAF(writer, "acpi");
            XML_LEAF(writer, "apic");
        }
        // TCG: everything it can emulate except five-level page tables, as libguestfs does
        // (lib/launch-libvirt.c). Named models are no faster, and Intel's make the guest's kernel
        // isolate its page tables.
        XML_ELEMENT(writer, "cpu", "mode", domain->kvm ? "host-passthrough" : "maximum")
            if (!domain->kvm)
                XML_LEAF(writer, "feature", "policy", "disable", "name", "la57");
        XML_LEAF(writer, "clock", "offset", "utc");
        writer_text(writer, "on_poweroff", "destroy");
        writer_text(writer, "on_reboot", "restart");
        writer_text(writer, "on_crash", "destroy");
        write_devices(writer, domain);
    }
    return writer_finish(writer);
}

// ---- the network ---------------------------------------------------------------------------------

// No <dhcp>: the nodes' addresses are in their seeds.
char *
virt_network_xml(const struct virt_network *network)
{
    struct writer *writer = writer_new();
    FREE_AUTO char *prefix = str_format("%u", network->prefix);
    XML_ELEMENT(writer, "network") {
        writer_text(writer, "name", network->name);
        XML_ELEMENT(writer, "metadata")
            XML_LEAF(writer, "airbuild:network", "xmlns:airbuild", VIRT_NAMESPACE, "cluster",
                network->cluster, "id", network->id, "folder", network->folder);
        if (network->nat)
            XML_LEAF(writer, "forward", "mode", "nat");
        XML_LEAF(writer, "bridge", "name", network->bridge, "stp", "off", "delay", "0");
        XML_ELEMENT(writer, "dns")
            for (size_t i = 0; i < network->host_count; i++)
                XML_ELEMENT(writer, "host", "ip", network->hosts[i].address)
                    writer_text(writer, "hostname", network->hosts[i].name);
        XML_LEAF(writer, "ip", "family", "ipv4", "address", network->address, "prefix", prefix);
    }
    return writer_finish(writer);
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
