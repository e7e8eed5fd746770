// base_disk.c - makes a base from a disk image: copies and grows it, inspects it, and refuses what
// nodes could not boot.
// SPDX-License-Identifier: Apache-2.0
#include "bake/disk.h"
#include "bake/make.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INSPECT_MS = 120 * 1000, GROW_MS = 120 * 1000 };
static const uint64_t virtual_max = 2ULL << 40;

// Checks the disk before the appliance reads it: a backing or data file could name any file of the
// host.
static int
check_info(const char *file, const struct jv *info, struct error *err)
{
    const char *format = jv_get_string(info, "format");
    const struct jv *data = jv_get(jv_get(info, "format-specific"), "data");
    if (!str_equal(format, "qcow2") && !str_equal(format, "raw"))
        return error_set(err, ERR_SPEC,
            "the base '%s' is of the format '%s'; convert it with 'qemu-img convert -O qcow2'",
            file, format == NULL ? "unknown" : format);
    if (jv_get(info, "backing-filename") != NULL || jv_get(data, "data-file") != NULL)
        return error_set(err, ERR_SPEC,
            "the base '%s' is backed by another file, which is not followed; convert it with "
            "'qemu-img convert -O qcow2'",
            file);
    if ((uint64_t) jv_get_int(info, "virtual-size", 0) > virtual_max)
        return error_set(err, ERR_SPEC,
            "the base '%s' is larger than 2 TiB; use an image that fits nodes' disks", file);
    if (jv_get_bool(info, "encrypted", false))
        return error_set(err, ERR_SPEC,
            "the base '%s' is encrypted; use one that is not, or convert it with 'qemu-img "
            "convert'",
            file);
    return 0;
}

// Reads the copy: no other process can change it.
static int
read_disk_info(const struct base_disk *from, const char *copy, struct jv **ret, struct error *err)
{
    JV_AUTO struct jv *info = NULL;
    if (disk_info(copy, &info, err) < 0)
        return error_context(err, "the base '%s' cannot be read", from->origin);
    if (check_info(from->origin, info, err) < 0)
        return -1;
    *ret = TAKE(info);
    return 0;
}

// Compares the digest that the key is made from with that of the copied bytes.
static int
copy_source(const struct bake_job *job, const char *copy, struct error *err)
{
    const struct base_disk *from = job->disk;
    char hex[DIGEST_HEX + 1];
    if (file_copy(from->path, copy, 0600, err) < 0 || digest_file(copy, hex, err) < 0)
        return -1;
    FREE_AUTO char *key = disk_key(hex);
    if (str_equal(key, job->item->key))
        return 0;
    return error_set(err, ERR_DAMAGED,
        "the base '%s' changed while it was copied: its copy has the SHA-256 %s; find out what "
        "writes to it, then run 'airbuild images' again",
        from->origin, hex);
}

// Makes the disk from the copy.
static int
place_disk(const char *copy, const char *format, const char *disk, struct error *err)
{
    if (str_equal(format, "qcow2")) {
        if (rename(copy, disk) < 0)
            return error_errno(err, errno, "cannot make '%s'", disk);
        return 0;
    }
    if (disk_convert(copy, format, disk, false, err) < 0)
        return -1;
    return unlink(copy) < 0 ? error_errno(err, errno, "cannot remove '%s'", copy) : 0;
}

static int
check_system(struct guest *guest, const char *file, const struct jv *system, struct error *err)
{
    bool has_cloud_init = false;
    const char *name = jv_get_string(system, "name");
    FREE_AUTO char *known = distro_titles();
    if (distro_of_format(jv_get_string(system, "packages")) == NULL)
        return error_set(err, ERR_SPEC,
            "the base '%s' (%s) has a package manager that airbuild does not know; use an image of "
            "%s",
            file, name, known);
    if (jv_get_string(system, "root") == NULL)
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
static void
add_rootflags(struct buf *out, const char *line)
{
    STRV_AUTO struct strv words = {0};
    STRV_AUTO struct strv flags = {0};
    strv_split(&words, line == NULL ? "" : line, ' ');
    for (size_t i = 0; i < words.count; i++)
        if (str_starts(words.items[i], ROOTFLAGS))
            strv_add(&flags, words.items[i] + strlen(ROOTFLAGS));
    FREE_AUTO char *joined = strv_join(&flags, ",");
    joined[strcspn(joined, "\r\n")] = '\0';
    if (joined[0] != '\0')
        buf_printf(out, " " ROOTFLAGS "%s", joined);
}

char *
base_cmdline(const char *root, const char *line)
{
    BUF_AUTO struct buf out = {0};
    buf_add(&out, root);
    add_rootflags(&out, line);
    buf_add(&out, " rw quiet console=ttyS0,115200 net.ifnames=0");
    return buf_take(&out);
}

static struct jv *
copy_mounts(const struct jv *from)
{
    struct jv *mounts = jv_array();
    for (size_t i = 0; i < jv_count(from); i++) {
        const struct jv *point = jv_at(from, i);
        struct jv *mount = jv_object();
        jv_set_string(mount, "device", jv_get_string(point, "device"));
        jv_set_string(mount, "path", jv_get_string(point, "path"));
        if (jv_get_string(point, "options") != NULL)
            jv_set_string(mount, "options", jv_get_string(point, "options"));
        jv_push(mounts, mount);
    }
    return mounts;
}

static void
describe_disk(const struct bake_job *job, uint64_t bytes, const struct jv *system, const char *grub,
    struct jv *manifest)
{
    const struct bake_source *source = job->item->source;
    const struct base_disk *from = job->disk;
    FREE_AUTO char *cmdline = base_cmdline(jv_get_string(system, "root"), grub);
    jv_set_string(manifest, "name", job->item->name);
    jv_set_string(manifest, "family", distro_of_format(jv_get_string(system, "packages"))->name);
    jv_set_string(manifest, "system", jv_get_string(system, "name"));
    jv_set_string(manifest, "cmdline", cmdline);
    jv_set_int(manifest, "virtual_bytes", (long long) bytes);
    jv_set(manifest, "mounts", copy_mounts(jv_get(system, "mounts")));
    jv_set_string(manifest, from->sha256 == NULL ? "file" : "url", from->origin);
    if (from->sha256 != NULL)
        jv_set_string(manifest, "download", from->sha256);
    if (source->base.image != NULL)
        jv_set_string(manifest, "image", source->base.image);
    if (source->replaced)
        jv_set_string(manifest, "instead_of", distro_images_of(source->base.kind)->pinned_version);
}

// Inspects and grows the disk before it mounts it: the first of the mounts is the root.
static int
open_system(struct guest *guest, const char *file, struct jv **ret_system, struct error *err)
{
    guest_step(guest, INSPECT_MS, "inspecting it");
    if (guest_inspect(guest, ret_system, err) < 0)
        return error_context(err, "the base '%s' cannot be used", file);
    const struct jv *mounts = jv_get(*ret_system, "mounts");
    guest_step(guest, GROW_MS, "growing its root");
    if (guest_grow(guest, jv_get_string(jv_at(mounts, 0), "device"), err) < 0)
        return -1;
    return guest_mount(guest, mounts, err);
}

static int
finish_disk(const struct bake_job *job, const char *disk, uint64_t bytes, struct jv *manifest,
    struct error *err)
{
    GUEST_AUTO struct guest *guest = NULL;
    JV_AUTO struct jv *system = NULL;
    FREE_AUTO char *grub = NULL;
    struct guest_options options = image_options(job, disk, "qcow2");
    if (guest_start(&options, &guest, err) < 0 ||
        open_system(guest, job->disk->origin, &system, err) < 0 ||
        check_system(guest, job->disk->origin, system, err) < 0 ||
        guest_script(guest, "image.sh", "kernel_line", NULL, &grub, err) < 0)
        return -1;
    describe_disk(job, bytes, system, grub, manifest);
    return image_finish(guest, job->folder, distro_of_format(jv_get_string(system, "packages")),
        true, manifest, err);
}

// Cloud images leave their packages little room: the disk gets the size of a base from packages.
static int
copy_grown(const struct bake_job *job, const char *disk, uint64_t *ret_bytes, struct error *err)
{
    FREE_AUTO char *copy = path_join(job->folder, "source");
    JV_AUTO struct jv *info = NULL;
    if (copy_source(job, copy, err) < 0 || read_disk_info(job->disk, copy, &info, err) < 0)
        return -1;
    uint64_t bytes = (uint64_t) jv_get_int(info, "virtual-size", 0);
    *ret_bytes = bytes < base_disk_bytes ? base_disk_bytes : bytes;
    if (place_disk(copy, jv_get_string(info, "format"), disk, err) < 0)
        return -1;
    return *ret_bytes == bytes ? 0 : disk_grow(disk, *ret_bytes, err);
}

int
make_base_from_disk(const struct bake_job *job, struct jv *manifest, struct error *err)
{
    uint64_t bytes = 0;
    FREE_AUTO char *disk = path_join(job->folder, "disk.qcow2");
    progress_step(job->options->progress, job->item->name, "copying '%s'", job->disk->origin);
    if (copy_grown(job, disk, &bytes, err) < 0)
        return -1;
    return finish_disk(job, disk, bytes, manifest, err);
}
