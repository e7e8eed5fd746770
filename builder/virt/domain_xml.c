// domain_xml.c - the XML of a domain: one small function an element. Pure.
// The elements are those of libvirt's formatdomain page (https://libvirt.org/formatdomain.html).
// SPDX-License-Identifier: Apache-2.0
#include "virt/xml.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "virt/writer.h"

#include <string.h>

// Under TCG: the emulated processor does not speculate, so the kernel's mitigations only cost (with
// page-table isolation a system call takes 17 us in place of 0.6 us). tsc=reliable and
// no_timer_check keep a slow host from being taken for broken hardware: without them the kernel may
// fall back to the HPET (a clock read costs 1.5 us in place of 0.1 us) or refuse its timer;
// libguestfs gives its appliance the same two (lib/appliance-kcmdline.c).
const char *
virt_cmdline(bool kvm)
{
    return kvm ? "console=ttyS0" : "console=ttyS0 mitigations=off tsc=reliable no_timer_check";
}

static void
write_domain_metadata(struct writer *writer, const struct virt_domain *domain)
{
    writer_open(writer, "metadata");
    writer_leaf(writer, "airbuild:node", "xmlns:airbuild", VIRT_NAMESPACE, "cluster",
        domain->cluster, "id", domain->id, "folder", domain->folder, "role", domain->role, "spec",
        domain->spec, "image", domain->image, NULL);
    writer_close(writer);
}

// Emulated, a machine that can have one processor only is translated without memory barriers and
// with atomic operations that are none (QEMU's CF_PARALLEL; 8.1 mended the barriers, commit
// c914d46d0a64). A guest then misses at times that a virtio device waits to be told, and its
// network stands still for ever (seen with 7.2). So it may have two processors, and has the one.
static void
write_cpus(struct writer *writer, const struct virt_domain *domain)
{
    FREE_AUTO char *cpus = str_format("%u", domain->cpus);
    writer_open(writer, "vcpu");
    if (!domain->kvm && domain->cpus == 1)
        writer_attribute(writer, "current", "1");
    writer_content(writer, !domain->kvm && domain->cpus == 1 ? "2" : cpus);
    writer_close(writer);
}

static void
write_memory(struct writer *writer, const struct virt_domain *domain)
{
    FREE_AUTO char *kib = str_format("%llu", domain->memory_mib * 1024ULL);
    writer_text(writer, "memory", kib);
}

static void
write_type(struct writer *writer, const struct virt_domain *domain)
{
    writer_open(writer, "type");
    writer_attribute(writer, "arch", domain->arch != NULL ? domain->arch : "x86_64");
    writer_attribute(writer, "machine", domain->machine != NULL ? domain->machine : "q35");
    writer_content(writer, "hvm");
    writer_close(writer);
}

static void
write_os(struct writer *writer, const struct virt_domain *domain)
{
    writer_open(writer, "os");
    write_type(writer, domain);
    if (domain->kernel != NULL) {
        writer_text(writer, "kernel", domain->kernel);
        writer_text(writer, "initrd", domain->initrd);
        writer_text(writer, "cmdline", domain->cmdline);
    } else {
        writer_leaf(writer, "boot", "dev", "hd", NULL);
    }
    writer_close(writer);
}

static void
write_features(struct writer *writer)
{
    writer_open(writer, "features");
    writer_leaf(writer, "acpi", NULL);
    writer_leaf(writer, "apic", NULL);
    writer_close(writer);
}

// TCG: all that it can emulate but five-level page tables, as libguestfs does
// (lib/launch-libvirt.c). Named models are no faster, and Intel's among them make the guest's
// kernel isolate its page tables.
static void
write_cpu(struct writer *writer, const struct virt_domain *domain)
{
    writer_open(writer, "cpu");
    writer_attribute(writer, "mode", domain->kvm ? "host-passthrough" : "maximum");
    if (!domain->kvm)
        writer_leaf(writer, "feature", "policy", "disable", "name", "la57", NULL);
    writer_close(writer);
}

// The guest's clocks stand still while it is paused or saved (kvm-clock and TSC do). The RTC does
// not: it goes on with the host's clock, which is QEMU's default (-rtc clock=host), and the node
// sets its clock by it (images/files/common/usr/lib/airbuild/keep-clock).
static void
write_clock(struct writer *writer)
{
    writer_leaf(writer, "clock", "offset", "utc", NULL);
}

// A reboot is the guest's own affair; a panic ends it at once, so that whoever waits for it is
// told.
static void
write_lifecycle(struct writer *writer)
{
    writer_text(writer, "on_poweroff", "destroy");
    writer_text(writer, "on_reboot", "restart");
    writer_text(writer, "on_crash", "destroy");
}

// Every level is named and the last is followed by an empty <backingStore/>: libvirt looks for
// nothing itself.
static void
write_backing(struct writer *writer, const struct virt_disk *disk, size_t level)
{
    writer_open(writer, "backingStore");
    if (level < disk->chain_count) {
        writer_attribute(writer, "type", "file");
        writer_leaf(writer, "format", "type", disk->chain[level].format, NULL);
        writer_leaf(writer, "source", "file", disk->chain[level].path, NULL);
        write_backing(writer, disk, level + 1);
    }
    writer_close(writer);
}

// cache=writeback: the host's page cache serves the layers that the nodes share, and a guest's
// flush still reaches the disk, so what redis has fsynced survives a pulled power.
static void
write_disk(struct writer *writer, const struct virt_disk *disk, size_t index)
{
    const char target[] = {'v', 'd', (char) ('a' + index % 26), '\0'};
    writer_open(writer, "disk");
    writer_attributes(writer, "type", "file", "device", "disk", NULL);
    writer_leaf(writer, "driver", "name", "qemu", "type", disk->chain[0].format, "cache",
        "writeback", "discard", disk->read_only ? NULL : "unmap", NULL);
    writer_leaf(writer, "source", "file", disk->chain[0].path, NULL);
    write_backing(writer, disk, 1);
    writer_leaf(writer, "target", "dev", target, "bus", "virtio", NULL);
    if (disk->read_only)
        writer_leaf(writer, "readonly", NULL);
    writer_text(writer, "serial", disk->serial);
    writer_close(writer);
}

static void
write_interface(struct writer *writer, const struct virt_domain *domain)
{
    if (domain->network == NULL && domain->bridge == NULL)
        return;
    writer_open(writer, "interface");
    writer_attribute(writer, "type", domain->network != NULL ? "network" : "bridge");
    writer_leaf(writer, "mac", "address", domain->mac, NULL);
    writer_leaf(writer, "source", "network", domain->network, "bridge",
        domain->network != NULL ? NULL : domain->bridge, NULL);
    if (domain->tap != NULL)
        writer_leaf(writer, "target", "dev", domain->tap, NULL);
    writer_leaf(writer, "model", "type", "virtio", NULL);
    writer_close(writer);
}

// A pty can be joined by a person at any time; its log is written by virtlogd, or by qemu itself
// where libvirt is told to do without (stdio_handler = "file").
static void
write_serial(struct writer *writer, const struct virt_domain *domain)
{
    writer_open(writer, "serial");
    writer_attribute(writer, "type", "pty");
    if (domain->console_log != NULL)
        writer_leaf(writer, "log", "file", domain->console_log, "append", "on", NULL);
    writer_leaf(writer, "target", "type", "isa-serial", "port", "0", NULL);
    writer_close(writer);
}

static void
write_agent(struct writer *writer)
{
    writer_open(writer, "channel");
    writer_attribute(writer, "type", "unix");
    writer_leaf(writer, "target", "type", "virtio", "name", "org.qemu.guest_agent.0", NULL);
    writer_close(writer);
}

static void
write_rng(struct writer *writer)
{
    writer_open(writer, "rng");
    writer_attribute(writer, "model", "virtio");
    writer_open(writer, "backend");
    writer_attribute(writer, "model", "random");
    writer_content(writer, "/dev/urandom");
    writer_close(writer);
    writer_close(writer);
}

static void
write_video(struct writer *writer)
{
    writer_open(writer, "video");
    writer_leaf(writer, "model", "type", "none", NULL);
    writer_close(writer);
}

static void
write_devices(struct writer *writer, const struct virt_domain *domain)
{
    writer_open(writer, "devices");
    writer_text(writer, "emulator", domain->emulator);
    for (size_t i = 0; i < domain->disk_count; i++)
        write_disk(writer, &domain->disks[i], i);
    writer_leaf(writer, "controller", "type", "usb", "model", "none", NULL);
    write_interface(writer, domain);
    write_serial(writer, domain);
    write_agent(writer);
    write_rng(writer);
    write_video(writer);
    writer_leaf(writer, "memballoon", "model", "none", NULL);
    writer_leaf(writer, "panic", "model", "isa", NULL);
    writer_close(writer);
}

char *
virt_domain_xml(const struct virt_domain *domain)
{
    struct writer *writer = writer_new();
    writer_open(writer, "domain");
    writer_attribute(writer, "type", domain->kvm ? "kvm" : "qemu");
    writer_text(writer, "name", domain->name);
    writer_text(writer, "uuid", domain->uuid);
    write_domain_metadata(writer, domain);
    write_memory(writer, domain);
    write_cpus(writer, domain);
    write_os(writer, domain);
    write_features(writer);
    write_cpu(writer, domain);
    write_clock(writer);
    write_lifecycle(writer);
    write_devices(writer, domain);
    writer_close(writer);
    return writer_finish(writer);
}
