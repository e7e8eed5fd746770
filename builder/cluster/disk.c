// disk.c - see disk.h.
// The header is that of qemu's docs/interop/qcow2.txt.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/disk.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/proc.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAKE_MS 60000
#define CHECK_MS 120000
#define MODE 0600
#define SEED_MAX ((size_t) 16 << 20)

enum { CHECK_CORRUPT = 2, FIRST_PERSON = 1000, LAST_PERSON = 59999 };

// ---- make ----------------------------------------------------------------------------------------

int
disk_make(
    const struct spec_node *node, const char *path, const struct image *image, struct error *err)
{
    FREE_AUTO char *folder = path_folder(path);
    FREE_AUTO char *draft = path_join(folder, DISK_DRAFT);
    FREE_AUTO char *above = path_folder(folder);
    uint64_t bytes =
        node->disk_bytes > image->virtual_bytes ? node->disk_bytes : image->virtual_bytes;
    FREE_AUTO char *size = str_format("%llu", (unsigned long long) bytes);
    const char *argv[] = {"qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b",
        image->disk, draft, size, NULL};
    struct proc_options options = {.timeout_ms = MAKE_MS};
    if (proc_check(argv, &options, NULL, err) < 0)
        return error_context(err, "cannot make the disk of '%s'", node->name);
    if (chmod(draft, MODE) < 0)
        return error_errno(err, errno, "cannot set the mode of '%s'", draft);
    if (file_sync(draft, err) < 0)
        return -1;
    if (rename(draft, path) < 0)
        return error_errno(err, errno, "cannot rename '%s'", draft);
    return dir_sync(folder, err) < 0 || dir_sync(above, err) < 0 ? -1 : 0;
}

// ---- check ---------------------------------------------------------------------------------------

// All numbers are big-endian.
struct qcow2_header {
    char magic[4];
    uint32_t version;
    uint64_t backing_offset;
    uint32_t backing_size, cluster_bits;
    uint64_t size;
    uint32_t encryption, l1_entries;
    uint64_t l1_offset, refcount_offset;
};

static int
unusable(const char *node, const char *path, const char *what, struct error *err)
{
    return error_set(err, ERR_DAMAGED,
        "the disk of '%s' ('%s') %s; restore it from a copy, or move it away: the next launch then "
        "makes a new one",
        node, path, what);
}

// ret_backing: the name of the backing file, zeros before.
static int
check_header(const char *node, const char *path, int fd, const char *key,
    char ret_backing[PATH_MAX], struct error *err)
{
    struct stat info;
    struct qcow2_header header;
    FREE_AUTO char *part = str_format("/%s/", key);
    if (fstat(fd, &info) < 0)
        return error_errno(err, errno, "cannot examine '%s'", path);
    if (!S_ISREG(info.st_mode))
        return unusable(node, path, "is not a regular file", err);
    // Below and above the accounts of persons are those of qemu.
    if (info.st_uid != geteuid() && info.st_uid >= FIRST_PERSON && info.st_uid <= LAST_PERSON) {
        FREE_AUTO char *user = user_name(info.st_uid);
        return error_set(err, ERR_CONFLICT,
            "the disk of '%s' ('%s') belongs to the %s; change its owner with chown, or move it "
            "away",
            node, path, user);
    }
    if (pread(fd, &header, sizeof header, 0) != (ssize_t) sizeof header ||
        memcmp(header.magic, "QFI\xfb", 4) != 0 ||
        (be32toh(header.version) != 2 && be32toh(header.version) != 3))
        return unusable(node, path, "is not a qcow2 file", err);
    uint64_t size = (uint64_t) info.st_size;
    uint32_t length = be32toh(header.backing_size);
    if (be64toh(header.l1_offset) + be32toh(header.l1_entries) * 8ULL > size ||
        be64toh(header.refcount_offset) >= size)
        return unusable(node, path, "is cut short", err);
    if (header.backing_offset == 0 || length >= PATH_MAX)
        return unusable(node, path, "is not backed by an image", err);
    if (pread(fd, ret_backing, length, (off_t) be64toh(header.backing_offset)) != (ssize_t) length)
        return unusable(node, path, "is cut short", err);
    if (strstr(ret_backing, part) == NULL) // images are at STORE/images/KEY/, wherever the store is
        return unusable(node, path, "is backed by another image than the one recorded", err);
    return 0;
}

int
disk_check(const char *node, const char *path, const char *key, bool thorough, struct error *err)
{
    CLOSE_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == EACCES)
        return 0;
    if (fd < 0)
        return errno == ELOOP ? unusable(node, path, "is a symbolic link", err)
                              : error_errno(err, errno, "cannot open '%s'", path);
    char backing[PATH_MAX] = "";
    if (check_header(node, path, fd, key, backing, err) < 0)
        return -1;
    if (!thorough)
        return 0;
    const char *argv[] = {"qemu-img", "check", "-q", "-U", "-f", "qcow2", path, NULL};
    struct proc_options options = {.timeout_ms = CHECK_MS};
    struct proc_result result = {0};
    if (proc_run(argv, &options, &result, err) < 0)
        return error_context(err, "cannot check the disk of '%s'", node);
    bool corrupt = result.status == CHECK_CORRUPT;
    proc_result_free(&result);
    return corrupt ? unusable(node, path, "is damaged or cut short, as qemu-img check reports", err)
                   : 0;
}

int
disk_set_backing(const char *node, const char *path, const struct image *image, struct error *err)
{
    CLOSE_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC);
    char backing[PATH_MAX] = "";
    if (fd < 0)
        return error_errno(err, errno, "cannot open '%s'", path);
    if (check_header(node, path, fd, image->key, backing, err) < 0)
        return -1;
    if (str_equal(backing, image->disk))
        return 0;
    const char *argv[] = {"qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b",
        image->disk, path, NULL};
    struct proc_options options = {.timeout_ms = MAKE_MS};
    if (proc_check(argv, &options, NULL, err) < 0)
        return error_context(err, "cannot set the backing file of the disk of '%s'", node);
    return file_sync(path, err);
}

// ---- seed ----------------------------------------------------------------------------------------

// ECMA-119: sector 16 is the primary volume descriptor, with the number of sectors at 80.
bool
disk_has_seed(const char *path, const char *instance_id)
{
    enum { SECTOR = 2048, FIRST = 16 * SECTOR, SPACE = FIRST + 80 };
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *data = NULL;
    size_t length = 0;
    if (file_read(path, SEED_MAX, &data, &length, &err) < 0)
        return err.code == ERR_ACCESS;
    if (length < FIRST + SECTOR || memcmp(data + FIRST, "\1CD001", 6) != 0)
        return false;
    uint32_t sectors;
    memcpy(&sectors, data + SPACE, sizeof sectors); // both byte orders: little-endian first
    return (uint64_t) sectors * SECTOR <= length &&
           memmem(data, length, instance_id, strlen(instance_id)) != NULL;
}
