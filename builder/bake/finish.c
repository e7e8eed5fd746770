// finish.c - what the making of every image ends with.
// SPDX-License-Identifier: Apache-2.0
#include "bake/cmdline.h"
#include "bake/identity.h"
#include "bake/install.h"
#include "bake/source.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { COPY_MS = 60 * 1000, TRIM_MS = 60 * 1000 };

int
work_folder(const char *draft, char **ret, struct error *err)
{
    *ret = path_join(draft, "work");
    return dir_make(*ret, 0755, err);
}

// Debian names kernels by version, and the newest is the one that its GRUB boots; Arch by flavour,
// and `linux` is the usual one.
static int
find_kernel(struct guest *guest, const char *family, char **ret, struct error *err)
{
    static const char usual[] = "/boot/vmlinuz-linux";
    bool is_usual = false;
    if (str_equal(family, "arch") && guest_exists(guest, usual, &is_usual, err) < 0)
        return -1;
    if (is_usual)
        *ret = str_dup(usual);
    else if (guest_newest(guest, "/boot/vmlinuz-*", ret, err) < 0)
        return -1;
    if (*ret != NULL)
        return 0;
    return error_set(err, ERR_SPEC,
        "the image has no '/boot/vmlinuz-*'; nodes are booted from the image's own kernel");
}

static int
copy_kernel(struct guest *guest, const char *folder, const char *family, struct error *err)
{
    FREE_AUTO char *from = NULL;
    FREE_AUTO char *kernel = path_join(folder, "kernel");
    FREE_AUTO char *initrd = path_join(folder, "initrd");
    bool exists = false;
    guest_step(guest, COPY_MS, "copying the kernel");
    if (find_kernel(guest, family, &from, err) < 0)
        return -1;
    FREE_AUTO char *with = cmdline_initrd(family, from);
    if (guest_exists(guest, with, &exists, err) < 0)
        return -1;
    if (!exists)
        return error_set(err, ERR_SPEC,
            "the image's kernel '%s' has no initial RAM disk '%s'; make one in the image", from,
            with);
    if (guest_download(guest, from, kernel, err) < 0)
        return -1;
    return guest_download(guest, with, initrd, err);
}

int
image_finish(struct guest *guest, const char *folder, const char *family, bool keep_identity,
    struct jv *manifest, struct error *err)
{
    struct jv *packages = NULL;
    if (copy_kernel(guest, folder, family, err) < 0 ||
        install_list(guest, family, &packages, err) < 0)
        return -1;
    jv_set(manifest, "packages", packages);
    if (!keep_identity && identity_remove(guest, err) < 0)
        return -1;
    guest_step(guest, TRIM_MS, "giving free blocks back");
    if (guest_trim(guest, err) < 0)
        return -1;
    return guest_finish(guest, err);
}
