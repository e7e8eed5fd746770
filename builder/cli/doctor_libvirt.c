// doctor_libvirt.c - access to libvirt, and whether QEMU, which libvirt runs as an account of its
// own, can reach the folder of the disks; see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/cleanup.h"
#include "cluster/cluster.h"
#include "virt/virt.h"

#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define GROUPS_MAX 256

struct account {
    uid_t user;
    gid_t groups[GROUPS_MAX];
    int group_count;
};

static bool
in_groups(const struct account *account, gid_t group)
{
    for (int i = 0; i < account->group_count; i++)
        if (account->groups[i] == group)
            return true;
    return false;
}

// Returns 1 or 0 by the access control list of the folder, -1 when it has none: acl(5), ACCESS
// CHECK ALGORITHM. The list is little-endian, as x86 is.
static int
acl_may_search(const char *path, const struct account *account, gid_t owner_group)
{
    struct {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[128];
    } list;
    ssize_t size = getxattr(path, "system.posix_acl_access", &list, sizeof list);
    if (size < (ssize_t) sizeof list.header)
        return -1;
    size_t count = ((size_t) size - sizeof list.header) / sizeof list.entries[0];
    unsigned mask = 7, other = 0, group = 0;
    int own = -1;
    bool grouped = false;
    for (size_t i = 0; i < count; i++) {
        const struct posix_acl_xattr_entry *entry = &list.entries[i];
        if (entry->e_tag == ACL_MASK)
            mask = entry->e_perm;
        else if (entry->e_tag == ACL_OTHER)
            other = entry->e_perm;
        else if (entry->e_tag == ACL_USER && entry->e_id == account->user)
            own = entry->e_perm;
        else if ((entry->e_tag == ACL_GROUP && in_groups(account, entry->e_id)) ||
                 (entry->e_tag == ACL_GROUP_OBJ && in_groups(account, owner_group))) {
            group |= entry->e_perm;
            grouped = true;
        }
    }
    unsigned allowed = own >= 0 ? (unsigned) own & mask : grouped ? group & mask : other;
    return (allowed & ACL_EXECUTE) != 0;
}

static bool
may_search(const char *path, const struct account *account)
{
    struct stat info;
    if (account->user == 0 || stat(path, &info) < 0)
        return true; // unknown: claim nothing
    if (info.st_uid == account->user)
        return (info.st_mode & S_IXUSR) != 0;
    int listed = acl_may_search(path, account, info.st_gid);
    if (listed >= 0)
        return listed > 0;
    return (info.st_mode & (in_groups(account, info.st_gid) ? S_IXGRP : S_IXOTH)) != 0;
}

// NULL when it has none; caller frees.
static char *
account_name(uid_t user)
{
    char data[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(user, &entry, data, sizeof data, &found) != 0 || found == NULL)
        return NULL;
    return str_dup(entry.pw_name);
}

char *
doctor_closed_folder(const char *path, uid_t user, gid_t group)
{
    struct account account = {.user = user, .groups = {group}, .group_count = 1};
    FREE_AUTO char *name = account_name(user);
    if (name != NULL) {
        account.group_count = GROUPS_MAX;
        if (getgrouplist(name, group, account.groups, &account.group_count) < 0)
            account.group_count = GROUPS_MAX;
    }
    FREE_AUTO char *part = str_dup(path);
    for (char *at = part + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        bool last = *at == '\0';
        *at = '\0';
        if (!may_search(part, &account))
            return TAKE(part);
        if (last)
            return NULL;
        *at = '/';
    }
}

static void
check_reach(struct doctor *doctor, uid_t user, gid_t group)
{
    FREE_AUTO char *disks = cluster_folder(doctor->spec);
    FREE_AUTO char *closed = doctor_closed_folder(disks, user, group);
    if (closed == NULL)
        closed = doctor_closed_folder(doctor->home, user, group);
    FREE_AUTO char *name = account_name(user);
    if (name == NULL)
        name = str_format("%u", (unsigned) user);
    if (closed == NULL) {
        doctor_pass(doctor, "reach", "QEMU, run as '%s', can reach '%s'", name, doctor->home);
        return;
    }
    FREE_AUTO char *fix = str_format(
        "'setfacl -m u:%s:x %s', or set AIRBUILD_HOME to a folder that every user may enter", name,
        closed);
    doctor_add(doctor, "reach", DOCTOR_FAIL, fix,
        "QEMU is run as '%s' and may not enter '%s', so it cannot open the disks", name, closed);
}

void
doctor_check_libvirt(struct doctor *doctor)
{
    const char *uri = doctor->spec->uri;
    VIRT_AUTO struct virt *virt = NULL;
    VIRT_HOST_AUTO struct virt_host host = {0};
    ERROR_AUTO struct error found = {0};
    const struct group *group = getgrnam("libvirt");
    if (geteuid() == 0)
        doctor_pass(doctor, "access", "root");
    else if (group != NULL && (getegid() == group->gr_gid || group_member(group->gr_gid)))
        doctor_pass(doctor, "access", "member of group 'libvirt'");
    else
        doctor_add(doctor, "access", DOCTOR_WARN,
            "'usermod -aG libvirt USER', then log in again; or run airbuild as root",
            "neither root nor a member of group 'libvirt'");
    if (virt_open(uri, &virt, &found) == 0 && virt_host_look(virt, &host, &found) == 0) {
        doctor_pass(doctor, "libvirt", "%s answers: libvirt %s%s%s, %s", uri, host.libvirt,
            host.hypervisor != NULL ? ", " : "", host.hypervisor != NULL ? host.hypervisor : "",
            host.arch);
        if (host.qemu_known)
            check_reach(doctor, host.qemu_user, host.qemu_group);
    } else {
        doctor_add(doctor, "libvirt", DOCTOR_FAIL,
            "if it is not installed, apt-get install libvirt-daemon-system, or pacman -S libvirt "
            "and 'systemctl enable --now libvirtd.socket'",
            "%s", found.message);
    }
}
