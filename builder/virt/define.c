// define.c - compare a domain with the wanted one, define it, undefine it.
// SPDX-License-Identifier: Apache-2.0
#include "virt/domain_handle.h"

#include "virt/reader.h"
#include "virt/virt_error.h"

#include <stdlib.h>

// The differences that a user would name, without what libvirt itself fills in or rewrites.
static const struct reader_fact facts[] = {
    {"cluster's id", "/domain/metadata/*[local-name()='node']/@id", ""},
    {"what it was made from", "/domain/metadata/*[local-name()='node']/@spec", ""},
    {"image", "/domain/metadata/*[local-name()='node']/@image", ""},
    {"memory", "/domain/memory", " KiB"},
    {"number of processors", "/domain/vcpu/@current | /domain/vcpu[not(@current)]", ""},
    {"accelerator", "/domain/@type", ""},
    {"kernel", "/domain/os/kernel", ""},
    {"initrd", "/domain/os/initrd", ""},
    {"kernel command line", "/domain/os/cmdline", ""},
    {"disks", "/domain/devices/disk/source/@file", ""},
    {"backing files", "/domain/devices/disk//backingStore/source/@file", ""},
    {"MAC address", "/domain/devices/interface/mac/@address", ""},
    {"network", "/domain/devices/interface/source/@network", ""},
    {"bridge", "/domain/devices/interface[@type='bridge']/source/@bridge", ""},
    {"console log", "/domain/devices/serial/log/@file", ""},
};

int
virt_domain_compare(
    struct virt *virt, const struct virt_domain *wanted, char **ret_difference, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, wanted->cluster, wanted->name, &found, err) < 0)
        return -1;
    FREE_AUTO char *want = virt_domain_xml(wanted);
    return reader_compare(
        found->text, want, facts, sizeof facts / sizeof *facts, ret_difference, err);
}

static int
run_define_domain(struct call *call)
{
    call->domain = virDomainDefineXMLFlags(call->conn, call->text, VIR_DOMAIN_DEFINE_VALIDATE);
    return call->domain != NULL ? 0 : -1;
}

int
virt_domain_define(struct virt *virt, const struct virt_domain *wanted, struct error *err)
{
    CALL_AUTO struct call *old = NULL;
    char uuid[VIR_UUID_STRING_BUFLEN];
    struct virt_domain domain = *wanted;
    if (domain_seek(virt, wanted->cluster, wanted->name, &old, err) < 0)
        return -1;
    if (old->domain != NULL && domain.uuid == NULL) {
        if (virDomainGetUUIDString(old->domain, uuid) < 0)
            return virt_error_set(err, "cannot read the UUID of the domain '%s'", wanted->name);
        domain.uuid = uuid;
    }
    CALL_AUTO struct call *call =
        call_new(virt->conn, NULL, NULL, "defining the domain '%s'", domain.name);
    call->text = virt_domain_xml(&domain);
    return call_run(&call, CALL_MS, run_define_domain, err);
}

// Flags that the driver does not know (the test driver) are left out.
static int
undefine_flags(virDomainPtr domain, unsigned flags)
{
    if (virDomainUndefineFlags(domain,
            flags | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM) == 0)
        return 0;
    return virt_error_is_unknown_flag() ? virDomainUndefineFlags(domain, flags) : -1;
}

// Reads the name of one external snapshot into call->text. A driver without snapshots has none.
static int
run_find_snapshot(struct call *call)
{
    virDomainSnapshotPtr *snapshots = NULL;
    int count =
        virDomainListAllSnapshots(call->domain, &snapshots, VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL);
    if (count < 0)
        return virGetLastErrorCode() == VIR_ERR_NO_SUPPORT ? 0 : -1;
    if (count > 0)
        call->text = str_dup(virDomainSnapshotGetName(snapshots[0]));
    for (int i = 0; i < count; i++)
        virDomainSnapshotFree(snapshots[i]);
    free(snapshots);
    return 0;
}

// The data of an external snapshot are files that only libvirt's metadata name, and the node's disk
// continues in one of them.
static int
check_snapshots(virDomainPtr domain, const char *name, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, domain, NULL, "looking for snapshots of '%s'", name);
    if (call_run(&call, CALL_MS, run_find_snapshot, err) < 0)
        return -1;
    if (call->text == NULL)
        return 0;
    return error_set(err, ERR_CONFLICT,
        "the domain '%s' has the external snapshot '%s', made with virsh, and is not removed: "
        "delete it with 'virsh snapshot-delete %s %s' (with --metadata its files stay), then try "
        "again",
        name, call->text, name, call->text);
}

int
virt_domain_removable(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_seek(virt, cluster, name, &found, err) < 0)
        return -1;
    return found->domain != NULL ? check_snapshots(found->domain, name, err) : 0;
}

// libvirt refuses to undefine a domain with saved memory or snapshots without the flags
// that remove those, too. Internal snapshots and checkpoints are in the disk, which stays as it is.
int
virt_domain_undefine(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_seek(virt, cluster, name, &found, err) < 0)
        return -1;
    if (found->domain == NULL)
        return 0;
    if (state_is_up(found->info.state))
        return error_set(err, ERR_FAILED,
            "the domain '%s' still runs and is not removed: stop it first ('airbuild stop')", name);
    if (check_snapshots(found->domain, name, err) < 0)
        return -1;
    return domain_call(found->domain, "removing", CALL_MS, undefine_flags,
        VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA, err);
}
