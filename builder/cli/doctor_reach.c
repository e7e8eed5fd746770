// doctor_reach.c - may QEMU, which libvirt runs as an account of its own, reach the folder of the
// disks; see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cluster/cluster.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define SEARCH 1 // the bit x
#define GROUPS_MAX 256

// An access control list as the kernel hands it out (linux/posix_acl_xattr.h), little-endian as
// the machines are that this runs on.
struct acl_entry {
    uint16_t tag, permissions;
    uint32_t id;
};
enum { ACL_USER = 0x02, ACL_GROUP_OBJ = 0x04, ACL_GROUP = 0x08, ACL_MASK = 0x10, ACL_OTHER = 0x20 };

struct who {
    uid_t user;
    gid_t groups[GROUPS_MAX];
    int group_count;
};

static bool
in_groups(const struct who *who, gid_t group)
{
    for (int i = 0; i < who->group_count; i++)
        if (who->groups[i] == group)
            return true;
    return false;
}

// What a list of the folder says; -1 when it has none. acl(5), ACCESS CHECK ALGORITHM.
static int
ask_list(const char *path, const struct who *who, gid_t owner_group)
{
    struct {
        uint32_t version;
        struct acl_entry entries[128];
    } list;
    ssize_t size = getxattr(path, "system.posix_acl_access", &list, sizeof list);
    if (size < (ssize_t) sizeof list.version)
        return -1;
    size_t count = ((size_t) size - sizeof list.version) / sizeof list.entries[0];
    unsigned mask = 7, other = 0, group = 0;
    int own = -1;
    bool grouped = false;
    for (size_t i = 0; i < count; i++) {
        const struct acl_entry *entry = &list.entries[i];
        if (entry->tag == ACL_MASK)
            mask = entry->permissions;
        else if (entry->tag == ACL_OTHER)
            other = entry->permissions;
        else if (entry->tag == ACL_USER && entry->id == who->user)
            own = entry->permissions;
        else if ((entry->tag == ACL_GROUP && in_groups(who, entry->id)) ||
                 (entry->tag == ACL_GROUP_OBJ && in_groups(who, owner_group))) {
            group |= entry->permissions;
            grouped = true;
        }
    }
    unsigned allowed = own >= 0 ? (unsigned) own & mask : grouped ? group & mask : other;
    return (allowed & SEARCH) != 0;
}

static bool
may_search(const char *path, const struct who *who)
{
    struct stat info;
    if (who->user == 0 || stat(path, &info) < 0)
        return true; // what we cannot look at says nothing
    if (info.st_uid == who->user)
        return (info.st_mode & S_IXUSR) != 0;
    int listed = ask_list(path, who, info.st_gid);
    if (listed >= 0)
        return listed > 0;
    return (info.st_mode & (in_groups(who, info.st_gid) ? S_IXGRP : S_IXOTH)) != 0;
}

// NULL when it has none; caller frees.
static char *
account_name(uid_t user)
{
    char data[4096];
    struct passwd account, *found = NULL;
    return getpwuid_r(user, &account, data, sizeof data, &found) == 0 && found != NULL
               ? str_dup(account.pw_name)
               : NULL;
}

static struct who
look_up_account(uid_t user, gid_t group)
{
    struct who who = {.user = user, .groups = {group}, .group_count = 1};
    FREE_AUTO char *name = account_name(user);
    if (name == NULL)
        return who;
    who.group_count = GROUPS_MAX;
    if (getgrouplist(name, group, who.groups, &who.group_count) < 0)
        who.group_count = GROUPS_MAX;
    return who;
}

char *
doctor_closed_folder(const char *path, uid_t user, gid_t group)
{
    struct who who = look_up_account(user, group);
    FREE_AUTO char *part = str_dup(path);
    for (char *at = part + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        bool last = *at == '\0';
        *at = '\0';
        if (!may_search(part, &who))
            return TAKE(part);
        if (last)
            return NULL;
        *at = '/';
    }
}

void
doctor_check_reach(struct doctor *doctor, uid_t user, gid_t group)
{
    FREE_AUTO char *disks = cluster_folder(doctor->spec);
    FREE_AUTO char *closed = doctor_closed_folder(disks, user, group);
    if (closed == NULL)
        closed = doctor_closed_folder(doctor->home, user, group);
    FREE_AUTO char *name = account_name(user);
    if (name == NULL)
        name = str_format("%u", (unsigned) user);
    if (closed == NULL) {
        doctor_pass(doctor, "reach", "QEMU, run as '%s', reaches '%s'", name, doctor->home);
        return;
    }
    FREE_AUTO char *mend =
        str_format("'setfacl -m u:%s:x %s', or set AIRBUILD_HOME to a folder that all may enter",
            name, closed);
    doctor_bad(doctor, "reach", DOCTOR_FAIL, mend,
        "QEMU is run as '%s' and may not enter '%s', so it cannot open the disks", name, closed);
}
