// base_disk.c - makes a base from a disk image: copies and grows it, inspects it, and refuses what
// nodes could not boot.
// SPDX-License-Identifier: Apache-2.0
#include "bake/disk.h"
#include "bake/make.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INSPECT_MS = 120 * 1000, GROW_MS = 120 * 1000 };
static const uint64_t virtual_max = 2ULL << 40;

// Checks the disk before the appliance reads it: a backing or data file could name any file of the
// host.
static int
check_info(const char *file, const json_t *info, struct error *err)
{
    const char *format = json_string_value(json_object_get(info, "format"));
    const json_t *data = json_object_get(json_object_get(info, "format-specific"), "data");
    if (!str_equal(format, "qcow2") && !str_equal(format, "raw"))
        return error_set(err, ERR_SPEC,
            "the base '%s' is of the format '%s'; convert it with 'qemu-img convert -O qcow2'",
            file, format == NULL ? "unknown" : format);
    if (json_object_get(info, "backing-filename") != NULL ||
        json_object_get(data, "data-file") != NULL)
        return error_set(err, ERR_SPEC,
            "the base '%s' is backed by another file, which is not followed; convert it with "
            "'qemu-img convert -O qcow2'",
            file);
    if ((uint64_t) json_integer_value(json_object_get(info, "virtual-size")) > virtual_max)
        return error_set(err, ERR_SPEC,
            "the base '%s' is larger than 2 TiB; use an image that fits nodes' disks", file);
    if (json_is_true(json_object_get(info, "encrypted")))
        return error_set(err, ERR_SPEC,
            "the base '%s' is encrypted; use one that is not, or convert it with 'qemu-img "
            "convert'",
            file);
    return 0;
}

static int
check_system(struct guest *guest, const char *file, const json_t *system, const struct distro **ret,
    struct error *err)
{
    bool has_cloud_init = false;
    const char *name = json_string_value(json_object_get(system, "name"));
    FREE_AUTO char *known = distro_titles();
    *ret = distro_of_format(json_string_value(json_object_get(system, "packages")));
    if (*ret == NULL)
        return error_set(err, ERR_SPEC,
            "the base '%s' (%s) has a package manager that airbuild does not know; use an image of "
            "%s",
            file, name, known);
    if (json_string_value(json_object_get(system, "root")) == NULL)
        return error_set(err, ERR_SPEC, "the root of the base '%s' has no UUID", file);
    if (guest_exists(guest, "/usr/bin/cloud-init", &has_cloud_init, err) < 0)
        return -1;
    if (!has_cloud_init)
        return error_set(err, ERR_SPEC,
            "the base '%s' (%s) has no cloud-init; use a cloud image, or install cloud-init in it",
            file, name);
    return 0;
}

#define ROOTFLAGS "rootflags="

// The kernel uses only the last rootflags=; grub-mkconfig(8) may write one of its own before it.
char *
base_cmdline(const char *root, const char *line)
{
    STRV_AUTO struct strv words = {0}, flags = {0};
    strv_split(&words, line == NULL ? "" : line, ' ');
    for (size_t i = 0; i < words.count; i++)
        if (str_starts(words.items[i], ROOTFLAGS))
            strv_add(&flags, words.items[i] + strlen(ROOTFLAGS));
    FREE_AUTO char *joined = strv_join(&flags, ",");
    joined[strcspn(joined, "\r\n")] = '\0';
    return str_format("%s%s%s rw quiet console=ttyS0,115200 net.ifnames=0", root,
        joined[0] == '\0' ? "" : " " ROOTFLAGS, joined);
}

static void
describe_disk(const struct bake_job *job, uint64_t bytes, const struct distro *distro,
    const json_t *system, const char *grub, json_t *manifest)
{
    const struct bake_source *source = job->item->source;
    const struct base_disk *from = job->disk;
    FREE_AUTO char *cmdline =
        base_cmdline(json_string_value(json_object_get(system, "root")), grub);
    json_t *members = json_pack("{s:o, s:s, s:O?, s:o, s:I, s:O, s:o, s:o*, s:o*, s:s*}", "name",
        text_to_json(job->item->name), "family", distro->name, "system",
        json_object_get(system, "name"), "cmdline", text_to_json(cmdline), "virtual_bytes",
        (json_int_t) bytes, "mounts", json_object_get(system, "mounts"),
        from->sha256 == NULL ? "file" : "url", text_to_json(from->origin), "download",
        from->sha256 == NULL ? NULL : text_to_json(from->sha256), "image",
        source->base.image == NULL ? NULL : text_to_json(source->base.image), "instead_of",
        source->replaced ? distro_images_of(source->base.kind)->pinned_version : NULL);
    json_object_update_new(manifest, members);
}

// Copies the disk of the job. The copy is checked, as no other process can change it. Cloud images
// leave their packages little room: it gets the size of a base from packages.
static int
copy_grown(const struct bake_job *job, const char *disk, uint64_t *ret_bytes, struct error *err)
{
    const struct base_disk *from = job->disk;
    FREE_AUTO char *copy = path_join(job->folder, "source");
    json_auto_t *info = NULL;
    char hex[DIGEST_HEX + 1];
    if (file_copy(from->path, copy, 0600, err) < 0 || digest_file(copy, hex, err) < 0)
        return -1;
    FREE_AUTO char *key = disk_key(hex);
    if (!str_equal(key, job->item->key))
        return error_set(err, ERR_DAMAGED,
            "the base '%s' changed while it was copied: its copy has the SHA-256 %s; find out what "
            "writes to it, then run 'airbuild images' again",
            from->origin, hex);
    if (disk_info(copy, &info, err) < 0)
        return error_context(err, "the base '%s' cannot be read", from->origin);
    if (check_info(from->origin, info, err) < 0)
        return -1;
    uint64_t bytes = (uint64_t) json_integer_value(json_object_get(info, "virtual-size"));
    *ret_bytes = bytes < base_disk_bytes ? base_disk_bytes : bytes;
    const char *format = json_string_value(json_object_get(info, "format"));
    if (str_equal(format, "qcow2")) {
        if (rename(copy, disk) < 0)
            return error_errno(err, errno, "cannot make '%s'", disk);
    } else {
        if (disk_convert(copy, format, disk, false, err) < 0)
            return -1;
        if (unlink(copy) < 0)
            return error_errno(err, errno, "cannot remove '%s'", copy);
    }
    return *ret_bytes == bytes ? 0 : disk_grow(disk, *ret_bytes, err);
}

int
make_base_from_disk(struct bake_job *job, json_t *manifest, struct error *err)
{
    uint64_t bytes = 0;
    GUEST_AUTO struct guest *guest = NULL;
    json_auto_t *system = NULL;
    const char *origin = job->disk->origin;
    const struct distro *distro = NULL;
    FREE_AUTO char *disk = path_join(job->folder, "disk.qcow2"), *grub = NULL;
    const struct guest_disk drive = {.path = disk, .format = "qcow2"};
    progress_step(job->options->progress, job->item->name, "copying '%s'", origin);
    if (copy_grown(job, disk, &bytes, err) < 0 || guest_start(job, &drive, false, &guest, err) < 0)
        return -1;
    guest_step(guest, INSPECT_MS, "inspecting it");
    if (guest_inspect(guest, &system, err) < 0)
        return error_context(err, "the base '%s' cannot be used", origin);
    // The root, the first of the mounts, is grown before it is mounted.
    const json_t *mounts = json_object_get(system, "mounts");
    const json_t *device = json_object_get(json_array_get(mounts, 0), "device");
    guest_step(guest, GROW_MS, "growing its root");
    if (guest_grow(guest, json_string_value(device), err) < 0 ||
        guest_mount(guest, mounts, err) < 0 ||
        check_system(guest, origin, system, &distro, err) < 0 ||
        guest_script(guest, "image", "kernel_line", NULL, &grub, err) < 0)
        return -1;
    describe_disk(job, bytes, distro, system, grub, manifest);
    return image_finish(guest, distro, manifest, err);
}
