// finish.c - what the making of every image ends with.
// SPDX-License-Identifier: Apache-2.0
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

// Debian names them by version, Arch by flavour: the newest by version is the one GRUB boots.
static int
copy_newest(struct guest *guest, const char *const *globs, const char *to, struct error *err)
{
    for (size_t i = 0; globs[i] != NULL; i++) {
        FREE_AUTO char *path = NULL;
        if (guest_newest(guest, globs[i], &path, err) < 0)
            return -1;
        if (path != NULL)
            return guest_download(guest, path, to, err);
    }
    return error_set(err, ERR_SPEC,
        "the image has no '%s'; nodes are booted from the image's own kernel", globs[0]);
}

static int
copy_kernel(struct guest *guest, const char *folder, const char *family, struct error *err)
{
    static const char *const kernels[] = {"/boot/vmlinuz-*", NULL};
    static const char *const debian[] = {"/boot/initrd.img-*", NULL};
    static const char *const arch[] = {"/boot/initramfs-*[!k].img", NULL}; // not -fallback.img
    FREE_AUTO char *kernel = path_join(folder, "kernel");
    FREE_AUTO char *initrd = path_join(folder, "initrd");
    guest_step(guest, COPY_MS, "copying the kernel");
    if (copy_newest(guest, kernels, kernel, err) < 0)
        return -1;
    return copy_newest(guest, str_equal(family, "arch") ? arch : debian, initrd, err);
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
