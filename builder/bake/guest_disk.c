// guest_disk.c - the disk of an appliance: partitions, growing, mounting, trimming; finds its
// operating system.
// SPDX-License-Identifier: Apache-2.0
#include "bake/guest.h"
#include "base/cleanup.h"
#include "base/json.h"

#include <string.h>

enum { SECTOR = 512, SECTORS_MIB = 2048, PRIMARY_MAX = 4 };

// ---- layout -------------------------------------------------------------------------------------

int
guest_layout(struct guest *guest, const char *label, struct error *err)
{
    static const struct {
        int64_t first, last;
        const char *type; // GPT type GUID, UEFI specification 2.10 table 5.7 and systemd's DPS
    } partitions[] = {
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
    // Writes the inode tables now: else each node would write them into its own overlay.
    if (label != NULL &&
        guestfs_mke2fs(guest->g, "/dev/sda3", GUESTFS_MKE2FS_FSTYPE, "ext4", GUESTFS_MKE2FS_LABEL,
            label, GUESTFS_MKE2FS_BYTESPERINODE, 65536, GUESTFS_MKE2FS_JOURNALSIZE, 16,
            GUESTFS_MKE2FS_LAZYITABLEINIT, 0, GUESTFS_MKE2FS_LAZYJOURNALINIT, 0,
            GUESTFS_MKE2FS_RESERVEDBLOCKSPERCENTAGE, 1, -1) < 0)
        return guest_error(guest, err);
    if (guestfs_mkfs_opts(guest->g, "vfat", "/dev/sda2", GUESTFS_MKFS_OPTS_LABEL, "ESP", -1) < 0 ||
        guestfs_mount(guest->g, "/dev/sda3", "/") < 0 ||
        guestfs_mkdir_p(guest->g, "/boot/efi") < 0 ||
        guestfs_mount(guest->g, "/dev/sda2", "/boot/efi") < 0)
        return guest_error(guest, err);
    return 0;
}

// ---- growing ------------------------------------------------------------------------------------

// Grows the partition unless another one follows it. The backup of a GPT is at the end of the disk,
// which has moved.
static int
grow_partition(struct guest *guest, const char *device, bool *ret, struct error *err)
{
    FREE_AUTO char *table = guestfs_part_get_parttype(guest->g, "/dev/sda");
    uint64_t last = 0, start = 0, end = 0;
    int number = guestfs_part_to_partnum(guest->g, device);
    int64_t bytes = guestfs_blockdev_getsize64(guest->g, "/dev/sda");
    if (table == NULL || number < 0 || bytes < 0)
        return guest_error(guest, err);
    bool gpt = strcmp(table, "gpt") == 0;
    if (gpt && guestfs_part_expand_gpt(guest->g, "/dev/sda") < 0)
        return guest_error(guest, err);
    struct guestfs_partition_list *list = guestfs_part_list(guest->g, "/dev/sda");
    if (list == NULL)
        return guest_error(guest, err);
    for (uint32_t i = 0; i < list->len; i++) {
        if (list->val[i].part_start > last)
            last = list->val[i].part_start;
        if (list->val[i].part_num == number) {
            start = list->val[i].part_start;
            end = list->val[i].part_end;
        }
    }
    guestfs_free_partition_list(list);
    int64_t wanted = bytes / SECTOR - SECTORS_MIB - 1;
    *ret = start == last && (gpt || number <= PRIMARY_MAX) && (int64_t) (end / SECTOR) < wanted;
    if (*ret && guestfs_part_resize(guest->g, "/dev/sda", number, wanted) < 0)
        return guest_error(guest, err);
    return 0;
}

static int
grow_system(struct guest *guest, const char *device, struct error *err)
{
    FREE_AUTO char *type = guestfs_vfs_type(guest->g, device);
    if (type == NULL)
        return guest_error(guest, err);
    bool xfs = strcmp(type, "xfs") == 0, btrfs = strcmp(type, "btrfs") == 0;
    if (str_starts(type, "ext") &&
        (guestfs_e2fsck(guest->g, device, GUESTFS_E2FSCK_CORRECT, 1, -1) < 0 ||
            guestfs_resize2fs(guest->g, device) < 0))
        return guest_error(guest, err);
    if ((xfs || btrfs) && guestfs_mount(guest->g, device, "/") < 0)
        return guest_error(guest, err);
    if ((xfs && guestfs_xfs_growfs(guest->g, "/", -1) < 0) ||
        (btrfs && guestfs_btrfs_filesystem_resize(guest->g, "/", -1) < 0) ||
        ((xfs || btrfs) && guestfs_umount_all(guest->g) < 0))
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
guest_mount(struct guest *guest, const json_t *mounts, struct error *err)
{
    for (size_t i = 0; i < json_array_size(mounts); i++) {
        const json_t *mount = json_array_get(mounts, i);
        const char *device = json_string_value(json_object_get(mount, "device")),
                   *path = json_string_value(json_object_get(mount, "path"));
        const char *options = json_string_value(json_object_get(mount, "options"));
        if (device == NULL || path == NULL)
            return error_set(
                err, ERR_DAMAGED, "the base's manifest has a mount without a device or path");
        if (guestfs_mount_options(guest->g, options == NULL ? "" : options, device, path) < 0)
            return guest_error(guest, err);
    }
    return 0;
}

// btrfs frees the space of deleted files only when its transaction ends.
int
guest_trim(struct guest *guest, struct error *err)
{
    if (guestfs_sync(guest->g) < 0 || guestfs_fstrim(guest->g, "/", -1) < 0)
        return guest_error(guest, err);
    return 0;
}

// ---- inspection ---------------------------------------------------------------------------------

// Corrects the device that inspection reports for a btrfs subvolume (libguestfs 1.48): its disk has
// the appliance's own name for it, where the library expects /dev/sda; and it takes `subvol=/` of
// fstab for a subvolume.
static char *
real_device(const char *device)
{
    static const char prefix[] = "btrfsvol:/dev/";
    if (!str_starts(device, prefix))
        return str_dup(device);
    const char *name = device + strlen(prefix);
    size_t letters = strcspn(name, "0123456789/");
    size_t length = strcspn(name, "/");
    const char *volume = name + length + strspn(name + length, "/");
    FREE_AUTO char *partition =
        str_format("/dev/sda%.*s", (int) (length - letters), name + letters);
    return volume[0] == '\0' ? TAKE(partition) : str_format("btrfsvol:%s/%s", partition, volume);
}

// Files on btrfs are compressed as in Arch's official image, so that layers stay small.
static json_t *
mounts_of(struct guest *guest, char *const *pairs)
{
    json_t *mounts = json_array();
    for (size_t length = 0, done = 0; done == 0 || pairs[done] != NULL; length++) {
        for (size_t i = 0; pairs[i] != NULL; i += 2) { // short paths first: / before /boot
            if (strlen(pairs[i]) != length)
                continue;
            FREE_AUTO char *device = real_device(pairs[i + 1]);
            FREE_AUTO char *type = guestfs_vfs_type(guest->g, device);
            const char *options = str_equal(type, "btrfs") ? "compress=zstd:1" : NULL;
            json_t *mount = json_pack("{s:o, s:o, s:s*}", "device", text_to_json(device), "path",
                text_to_json(pairs[i]), "options", options);
            json_array_append_new(mounts, mount);
            done += 2;
        }
    }
    return mounts;
}

static bool
is_encrypted(struct guest *guest, const char *device)
{
    FREE_AUTO char *type = guestfs_vfs_type(guest->g, device);
    return str_equal(type, "crypto_LUKS") || str_equal(type, "BitLocker");
}

// libguestfs does not list an encrypted device as a file system.
static int
no_system(struct guest *guest, struct error *err)
{
    NAMES_AUTO char **partitions = guestfs_list_partitions(guest->g);
    const char *encrypted = NULL;
    for (size_t i = 0; encrypted == NULL && partitions != NULL && partitions[i] != NULL; i++)
        if (is_encrypted(guest, partitions[i]))
            encrypted = partitions[i];
    if (encrypted == NULL && is_encrypted(guest, "/dev/sda"))
        encrypted = "/dev/sda";
    if (encrypted != NULL)
        return error_set(err, ERR_SPEC,
            "it is encrypted ('%s'), and a node boots without a passphrase; use an image that is "
            "not encrypted",
            encrypted);
    return error_set(
        err, ERR_SPEC, "no operating system is found on it; use the disk of an installed system");
}

int
guest_inspect(struct guest *guest, json_t **ret_system, struct error *err)
{
    BUF_AUTO struct buf list = {0};
    NAMES_AUTO char **roots = guestfs_inspect_os(guest->g);
    if (roots == NULL)
        return guest_error(guest, err);
    if (roots[0] == NULL)
        return no_system(guest, err);
    if (roots[1] != NULL) {
        for (size_t i = 0; roots[i] != NULL; i++) {
            FREE_AUTO char *found = guestfs_inspect_get_product_name(guest->g, roots[i]);
            buf_printf(
                &list, "%s'%s' (%s)", i == 0 ? "" : ", ", roots[i], found == NULL ? "?" : found);
        }
        return error_set(err, ERR_SPEC,
            "more than one operating system is on it: %s; use a disk with one of them", list.data);
    }
    const char *root = roots[0];
    FREE_AUTO char *name = guestfs_inspect_get_product_name(guest->g, root);
    FREE_AUTO char *format = guestfs_inspect_get_package_format(guest->g, root);
    FREE_AUTO char *device = real_device(root), *uuid = guestfs_vfs_uuid(guest->g, device);
    // The kernel finds its root by the UUID of the file system.
    FREE_AUTO char *argument =
        uuid == NULL || uuid[0] == '\0' ? NULL : str_format("root=UUID=%s", uuid);
    NAMES_AUTO char **pairs = guestfs_inspect_get_mountpoints(guest->g, root);
    if (pairs == NULL || pairs[0] == NULL)
        return guest_error(guest, err);
    *ret_system = json_pack("{s:o, s:o, s:o, s:o}", "name", text_to_json(name), "packages",
        text_to_json(format), "root", text_to_json(argument), "mounts", mounts_of(guest, pairs));
    return 0;
}
