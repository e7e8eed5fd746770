// disk.c - runs qemu-img and mke2fs.
// SPDX-License-Identifier: Apache-2.0
#include "bake/disk.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { INFO_MS = 30 * 1000, CONVERT_MS = 20 * 60 * 1000, MKFS_MS = 10 * 60 * 1000 };

// The features do not depend on the host: GRUB 2.06 and Linux 6.1 must know them all.
static const char mke2fs_conf[] =
    "[defaults]\n"
    "base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr\n"
    "blocksize = 4096\n"
    "inode_size = 256\n"
    "inode_ratio = 65536\n"
    "[fs_types]\n"
    "ext4 = {\n"
    "features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize\n"
    "}\n";

static int
run_tool(const char *const *arguments, const char *const *environment, int64_t timeout_ms,
    struct proc_result *ret, struct error *err)
{
    struct proc_options options = {.env = environment, .timeout_ms = timeout_ms};
    bool is_qemu = str_equal(arguments[0], "qemu-img");
    if (proc_check(arguments, &options, ret, err) == 0)
        return 0;
    if (err->code == ERR_MISSING)
        return error_set(err, ERR_MISSING,
            "'%s' is not installed; run 'apt install %s' (on Arch 'pacman -S %s')", arguments[0],
            is_qemu ? "qemu-utils" : "e2fsprogs", is_qemu ? "qemu-img" : "e2fsprogs");
    return err->code == ERR_SPACE
               ? error_context(err, "the disk became full while an image was baked")
               : -1;
}

int
disk_info(const char *file, json_t **ret, struct error *err)
{
    PROC_RESULT_AUTO struct proc_result result = {0};
    const char *const arguments[] = {"qemu-img", "info", "--output=json", file, NULL};
    if (run_tool(arguments, NULL, INFO_MS, &result, err) < 0)
        return -1;
    const struct buf *text = &result.output;
    return parse_json(text->data == NULL ? "" : text->data, text->length, ret, err);
}

int
disk_convert(const char *from, const char *format, const char *to, bool compress, struct error *err)
{
    const char *const plain[] = {
        "qemu-img", "convert", "-f", format, "-O", "qcow2", from, to, NULL};
    const char *const small[] = {"qemu-img", "convert", "-c", "-f", format, "-O", "qcow2", "-o",
        "compression_type=zstd", from, to, NULL};
    return run_tool(compress ? small : plain, NULL, CONVERT_MS, NULL, err);
}

int
disk_grow(const char *disk, uint64_t bytes, struct error *err)
{
    FREE_AUTO char *size = str_format("%llu", (unsigned long long) bytes);
    const char *const arguments[] = {"qemu-img", "resize", "-q", "-f", "qcow2", disk, size, NULL};
    return run_tool(arguments, NULL, INFO_MS, NULL, err);
}

int
disk_create_raw(const char *path, uint64_t bytes, struct error *err)
{
    CLOSE_AUTO int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t) bytes) < 0)
        return error_errno(err, errno, "cannot make '%s'", path);
    return 0;
}

int
disk_make_ext4(const char *disk, uint64_t start, uint64_t bytes, const char *label,
    const char *tree, const char *folder, struct error *err)
{
    FREE_AUTO char *conf = path_join(folder, "mke2fs.conf");
    FREE_AUTO char *environment = str_format("MKE2FS_CONFIG=%s", conf);
    FREE_AUTO char *extended = str_format(
        "offset=%llu,lazy_itable_init=0,lazy_journal_init=0", (unsigned long long) start);
    FREE_AUTO char *size = str_format("%lluk", (unsigned long long) (bytes / 1024));
    const char *const environments[] = {environment, NULL};
    const char *const arguments[] = {"mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-m", "1",
        "-J", "size=16", "-E", extended, "-d", tree, disk, size, NULL};
    if (file_write(conf, 0644, mke2fs_conf, strlen(mke2fs_conf), err) < 0)
        return -1;
    return run_tool(arguments, environments, MKFS_MS, NULL, err);
}
