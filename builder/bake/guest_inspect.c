// guest_inspect.c - which operating system is on a disk, and how it is mounted.
// SPDX-License-Identifier: Apache-2.0
#include "bake/guest_inside.h"
#include "base/cleanup.h"

#include <string.h>

static const char *
family_of(const char *package_format)
{
    if (str_equal(package_format, "deb"))
        return "debian";
    return str_equal(package_format, "pacman") ? "arch" : NULL;
}

// What inspection calls a subvolume of btrfs has two faults (libguestfs 1.48): its disk has the
// name that the appliance gave it this time, where ours, the only one, is /dev/sda to the library;
// and one that fstab mounts by `subvol=/` is no subvolume.
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

// The kernel finds its root by the UUID of the file system.
static char *
root_argument(struct guest *guest, const char *root)
{
    FREE_AUTO char *device = real_device(root);
    FREE_AUTO char *uuid = guestfs_vfs_uuid(guest->g, device);
    return uuid == NULL || uuid[0] == '\0' ? NULL : str_format("root=UUID=%s", uuid);
}

// What is written to btrfs is compressed as the official image of Arch is, so that layers stay
// thin.
static const char *
mount_options(struct guest *guest, const char *device)
{
    FREE_AUTO char *type = guestfs_vfs_type(guest->g, device);
    return str_equal(type, "btrfs") ? "compress=zstd:1" : NULL;
}

static struct jv *
mounts_of(struct guest *guest, char *const *pairs)
{
    struct jv *mounts = jv_array();
    for (size_t length = 0, done = 0; done == 0 || pairs[done] != NULL; length++) {
        for (size_t i = 0; pairs[i] != NULL; i += 2) { // short paths first: / before /boot
            if (strlen(pairs[i]) != length)
                continue;
            FREE_AUTO char *device = real_device(pairs[i + 1]);
            struct jv *mount = jv_object();
            jv_set_string(mount, "device", device);
            jv_set_string(mount, "path", pairs[i]);
            jv_set_string(mount, "options", mount_options(guest, device));
            jv_push(mounts, mount);
            done += 2;
        }
    }
    return mounts;
}

static int
describe_system(struct guest *guest, const char *root, struct jv *system, struct error *err)
{
    FREE_AUTO char *distro = guestfs_inspect_get_distro(guest->g, root);
    FREE_AUTO char *name = guestfs_inspect_get_product_name(guest->g, root);
    FREE_AUTO char *format = guestfs_inspect_get_package_format(guest->g, root);
    FREE_AUTO char *argument = root_argument(guest, root);
    NAMES_AUTO char **pairs = guestfs_inspect_get_mountpoints(guest->g, root);
    if (distro == NULL || pairs == NULL || pairs[0] == NULL)
        return guest_error(guest, err);
    jv_set_string(system, "distro", distro);
    jv_set_string(system, "name", name);
    jv_set_string(system, "family", family_of(format));
    jv_set_string(system, "root", argument);
    jv_set(system, "mounts", mounts_of(guest, pairs));
    return 0;
}

static bool
is_encrypted(struct guest *guest, const char *device)
{
    FREE_AUTO char *type = guestfs_vfs_type(guest->g, device);
    return str_equal(type, "crypto_LUKS") || str_equal(type, "BitLocker");
}

// The first device that is locked, or NULL. libguestfs does not count them among file systems.
static char *
find_encrypted(struct guest *guest)
{
    NAMES_AUTO char **partitions = guestfs_list_partitions(guest->g);
    for (size_t i = 0; partitions != NULL && partitions[i] != NULL; i++)
        if (is_encrypted(guest, partitions[i]))
            return str_dup(partitions[i]);
    return is_encrypted(guest, "/dev/sda") ? str_dup("/dev/sda") : NULL;
}

static int
no_system(struct guest *guest, struct error *err)
{
    FREE_AUTO char *encrypted = find_encrypted(guest);
    if (encrypted != NULL)
        return error_set(err, ERR_SPEC,
            "it is encrypted ('%s'), and at a node's boot nobody types a passphrase; use an image "
            "that is not encrypted",
            encrypted);
    return error_set(err, ERR_SPEC,
        "no operating system is found on it; use the disk of an installed Debian or Arch");
}

static int
several_systems(struct guest *guest, char *const *roots, struct error *err)
{
    BUF_AUTO struct buf list = {0};
    for (size_t i = 0; roots[i] != NULL; i++) {
        FREE_AUTO char *name = guestfs_inspect_get_product_name(guest->g, roots[i]);
        buf_printf(&list, "%s'%s' (%s)", i == 0 ? "" : ", ", roots[i], name == NULL ? "?" : name);
    }
    return error_set(err, ERR_SPEC,
        "more than one operating system is on it: %s; use a disk with one of them", list.data);
}

int
guest_inspect(struct guest *guest, struct jv **ret_system, struct error *err)
{
    NAMES_AUTO char **roots = guestfs_inspect_os(guest->g);
    if (roots == NULL)
        return guest_error(guest, err);
    if (roots[0] == NULL)
        return no_system(guest, err);
    if (roots[1] != NULL)
        return several_systems(guest, roots, err);
    JV_AUTO struct jv *system = jv_object();
    if (describe_system(guest, roots[0], system, err) < 0)
        return -1;
    *ret_system = TAKE(system);
    return 0;
}
