// image_finish.c - the first and last steps that are common to all images.
// SPDX-License-Identifier: Apache-2.0
#include "bake/install.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <jansson.h>
#include <string.h>

enum { COPY_MS = 60 * 1000, IDENTITY_MS = 60 * 1000, TRIM_MS = 60 * 1000 };

static int
copy_kernel(struct guest *guest, const struct distro *distro, struct error *err)
{
    FREE_AUTO char *from = NULL;
    FREE_AUTO char *kernel = path_join(guest->job->folder, "kernel"),
                   *initrd = path_join(guest->job->folder, "initrd");
    const char *usual = distro->usual_kernel;
    bool is_usual = false, exists = false;
    guest_step(guest, COPY_MS, "copying the kernel");
    if (usual != NULL && guest_exists(guest, usual, &is_usual, err) < 0)
        return -1;
    if (is_usual)
        from = str_dup(usual);
    else if (guest_newest(guest, "/boot/vmlinuz-*", &from, err) < 0)
        return -1;
    if (from == NULL)
        return error_set(err, ERR_SPEC,
            "the image has no '/boot/vmlinuz-*'; install a kernel in it, as nodes boot from it");
    FREE_AUTO char *with = distro_initrd(distro, from);
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

// Removes the known files, then searches by kind for what is left.
static int
remove_identity(struct guest *guest, struct error *err)
{
    FREE_AUTO char *left = NULL;
    guest_step(guest, IDENTITY_MS, "removing identity");
    if (guest_script(guest, "image", "remove_identity", NULL, NULL, err) < 0 ||
        guest_script(guest, "image", "find_identity", NULL, &left, err) < 0)
        return -1;
    if (left[0] == '\0')
        return 0;
    for (char *end = left + strlen(left); end > left && end[-1] == '\n';)
        *--end = '\0';
    for (char *byte = left; *byte != '\0'; byte++)
        *byte = *byte == '\n' ? ' ' : *byte;
    return error_set(err, ERR_FAILED,
        "the image still has an identity: %s; remove it in a command step of the recipe", left);
}

int
image_finish(struct guest *guest, const struct distro *distro, json_t *manifest, struct error *err)
{
    json_t *packages = NULL;
    if (copy_kernel(guest, distro, err) < 0 || install_list(guest, distro, &packages, err) < 0)
        return -1;
    json_object_set_new(manifest, "packages", packages);
    if (guest->job->disk == NULL && remove_identity(guest, err) < 0)
        return -1;
    guest_step(guest, TRIM_MS, "freeing unused blocks");
    if (guest_trim(guest, err) < 0)
        return -1;
    return guest_finish(guest, err);
}
