// guest_disk.c - the disk of an appliance: laid out, grown, mounted, given back.
// SPDX-License-Identifier: Apache-2.0
#include "bake/guest_inside.h"
#include "base/cleanup.h"

#include <string.h>

enum { SECTOR = 512, SECTORS_MIB = 2048, PRIMARY_MAX = 4 };

// ---- layout -------------------------------------------------------------------------------------

struct partition {
    int64_t first, last;
    const char *type; // GPT type GUID, UEFI specification 2.10 table 5.7 and systemd's DPS
};

static int
make_partitions(struct guest *guest, struct error *err)
{
    static const struct partition partitions[] = {
        {SECTORS_MIB, 2 * SECTORS_MIB - 1, "21686148-6449-6E6F-744E-656564454649"},
        {2 * SECTORS_MIB, 34 * SECTORS_MIB - 1, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"},
        {34 * SECTORS_MIB, -SECTORS_MIB - 1, "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"},
    };
    if (guestfs_part_init(guest->g, "/dev/sda", "gpt") < 0)
        return guest_error(guest, err);
    for (int i = 0; i < 3; i++)
        if (guestfs_part_add(guest->g, "/dev/sda", "p", partitions[i].first, partitions[i].last) <
                0 ||
            guestfs_part_set_gpt_type(guest->g, "/dev/sda", i + 1, partitions[i].type) < 0)
            return guest_error(guest, err);
    return 0;
}

// The inode tables are written now: a guest would write them into its own overlay otherwise.
static int
make_root(struct guest *guest, const char *label, struct error *err)
{
    if (guestfs_mke2fs(guest->g, "/dev/sda3", GUESTFS_MKE2FS_FSTYPE, "ext4", GUESTFS_MKE2FS_LABEL,
            label, GUESTFS_MKE2FS_BYTESPERINODE, 65536, GUESTFS_MKE2FS_JOURNALSIZE, 16,
            GUESTFS_MKE2FS_LAZYITABLEINIT, 0, GUESTFS_MKE2FS_LAZYJOURNALINIT, 0,
            GUESTFS_MKE2FS_RESERVEDBLOCKSPERCENTAGE, 1, -1) < 0)
        return guest_error(guest, err);
    return 0;
}

int
guest_layout(struct guest *guest, const char *label, struct error *err)
{
    if (make_partitions(guest, err) < 0 || (label != NULL && make_root(guest, label, err) < 0))
        return -1;
    if (guestfs_mkfs_opts(guest->g, "vfat", "/dev/sda2", GUESTFS_MKFS_OPTS_LABEL, "ESP", -1) < 0 ||
        guestfs_mount(guest->g, "/dev/sda3", "/") < 0 ||
        guestfs_mkdir_p(guest->g, "/boot/efi") < 0 ||
        guestfs_mount(guest->g, "/dev/sda2", "/boot/efi") < 0)
        return guest_error(guest, err);
    return 0;
}

// ---- growing ------------------------------------------------------------------------------------

// Is a partition the last one of the disk? -1: an error.
static int
is_last(struct guest *guest, int number, uint64_t *ret_end, struct error *err)
{
    struct guestfs_partition_list *list = guestfs_part_list(guest->g, "/dev/sda");
    uint64_t last = 0, start = 0;
    if (list == NULL)
        return guest_error(guest, err);
    for (uint32_t i = 0; i < list->len; i++) {
        if (list->val[i].part_start > last)
            last = list->val[i].part_start;
        if (list->val[i].part_num == number) {
            start = list->val[i].part_start;
            *ret_end = list->val[i].part_end;
        }
    }
    guestfs_free_partition_list(list);
    return start == last;
}

// The backup of a GPT lies at the end of the disk, which is elsewhere now.
static int
grow_partition(struct guest *guest, const char *device, bool *ret, struct error *err)
{
    FREE_AUTO char *table = guestfs_part_get_parttype(guest->g, "/dev/sda");
    uint64_t end = 0;
    int number = guestfs_part_to_partnum(guest->g, device);
    int64_t bytes = guestfs_blockdev_getsize64(guest->g, "/dev/sda");
    if (table == NULL || number < 0 || bytes < 0)
        return guest_error(guest, err);
    bool gpt = strcmp(table, "gpt") == 0;
    if (gpt && guestfs_part_expand_gpt(guest->g, "/dev/sda") < 0)
        return guest_error(guest, err);
    int last = is_last(guest, number, &end, err);
    if (last < 0)
        return -1;
    int64_t wanted = bytes / SECTOR - SECTORS_MIB - 1;
    *ret = last && (gpt || number <= PRIMARY_MAX) && (int64_t) (end / SECTOR) < wanted;
    if (*ret && guestfs_part_resize(guest->g, "/dev/sda", number, wanted) < 0)
        return guest_error(guest, err);
    return 0;
}

static int
grow_mounted(struct guest *guest, const char *device, const char *type, struct error *err)
{
    if (guestfs_mount(guest->g, device, "/") < 0)
        return guest_error(guest, err);
    int answer = strcmp(type, "xfs") == 0 ? guestfs_xfs_growfs(guest->g, "/", -1)
                                          : guestfs_btrfs_filesystem_resize(guest->g, "/", -1);
    if (answer < 0 || guestfs_umount_all(guest->g) < 0)
        return guest_error(guest, err);
    return 0;
}

static int
grow_system(struct guest *guest, const char *device, struct error *err)
{
    FREE_AUTO char *type = guestfs_vfs_type(guest->g, device);
    if (type == NULL)
        return guest_error(guest, err);
    if (strcmp(type, "btrfs") == 0 || strcmp(type, "xfs") == 0)
        return grow_mounted(guest, device, type, err);
    if (!str_starts(type, "ext"))
        return 0;
    if (guestfs_e2fsck(guest->g, device, GUESTFS_E2FSCK_CORRECT, 1, -1) < 0 ||
        guestfs_resize2fs(guest->g, device) < 0)
        return guest_error(guest, err);
    return 0;
}

int
guest_grow(struct guest *guest, const char *root, struct error *err)
{
    NAMES_AUTO char **partitions = guestfs_list_partitions(guest->g);
    FREE_AUTO char *device = guestfs_mountable_device(guest->g, root);
    bool grown = false, found = false;
    if (partitions == NULL || device == NULL)
        return guest_error(guest, err);
    for (size_t i = 0; partitions[i] != NULL; i++)
        found = found || strcmp(partitions[i], device) == 0;
    if (!found)
        return 0;
    if (grow_partition(guest, device, &grown, err) < 0)
        return -1;
    return grown ? grow_system(guest, device, err) : 0;
}

// ---- mounting -----------------------------------------------------------------------------------

int
guest_mount(struct guest *guest, const struct jv *mounts, struct error *err)
{
    for (size_t i = 0; i < jv_count(mounts); i++) {
        const struct jv *mount = jv_at(mounts, i);
        const char *device = jv_get_string(mount, "device"), *path = jv_get_string(mount, "path");
        const char *options = jv_get_string(mount, "options");
        if (device == NULL || path == NULL)
            return error_set(err, ERR_DAMAGED, "the base's manifest names no disk to mount");
        if (guestfs_mount_options(guest->g, options == NULL ? "" : options, device, path) < 0)
            return guest_error(guest, err);
    }
    return 0;
}

// What was deleted is free to btrfs only when its transaction has ended.
int
guest_trim(struct guest *guest, struct error *err)
{
    if (guestfs_sync(guest->g) < 0 || guestfs_fstrim(guest->g, "/", -1) < 0)
        return guest_error(guest, err);
    return 0;
}
