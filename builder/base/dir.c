// dir.c - see dir.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { MODE_OF_UMASK = -1 };

// Makes one folder; chmod sets the mode that the umask would change.
static int
make_one(const char *path, int mode, struct error *err)
{
    struct stat info;
    if (mkdir(path, mode == MODE_OF_UMASK ? 0777 : (mode_t) mode) == 0) {
        if (mode != MODE_OF_UMASK && chmod(path, (mode_t) mode) < 0)
            return error_errno(err, errno, "cannot set the mode of folder '%s'", path);
        return 0;
    }
    if (errno != EEXIST)
        return error_errno(err, errno, "cannot make folder '%s'", path);
    if (stat(path, &info) < 0 || !S_ISDIR(info.st_mode))
        return error_set(err, ERR_CONFLICT, "'%s' is not a folder; move it away", path);
    return 0;
}

static int
make_all(const char *path, int parents, int mode, struct error *err)
{
    FREE_AUTO char *part = str_dup(path);
    for (size_t length = strlen(part); length > 1 && part[length - 1] == '/';)
        part[--length] = '\0';
    for (char *next = part + 1; *part != '\0' && *next != '\0'; next++) {
        if (*next != '/' || next[-1] == '/')
            continue;
        *next = '\0';
        if (make_one(part, parents, err) < 0)
            return -1;
        *next = '/';
    }
    return make_one(part, mode, err);
}

int
dir_make(const char *path, mode_t mode, struct error *err)
{
    return make_all(path, (int) mode, (int) mode, err);
}

int
dir_make_top(const char *path, mode_t mode, struct error *err)
{
    return make_all(path, MODE_OF_UMASK, (int) mode, err);
}

static int
list_open(DIR *dir, const char *path, struct strv *ret_names, struct error *err)
{
    struct dirent *entry;
    while ((errno = 0, entry = readdir(dir)) != NULL)
        if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
            strv_add(ret_names, entry->d_name);
    if (errno != 0)
        return error_errno(err, errno, "cannot list folder '%s'", path);
    strv_sort(ret_names);
    return 0;
}

int
dir_list(const char *path, struct strv *ret_names, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    CLOSEDIR_AUTO DIR *dir = opendir(path);
    if (dir == NULL && errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND, "there is no folder '%s'", path);
    if (dir == NULL)
        return error_errno(err, errno, "cannot list folder '%s'", path);
    if (list_open(dir, path, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        strv_take(ret_names, TAKE(names.items[i]));
    return 0;
}

// STATX_ATTR_MOUNT_ROOT (Linux 5.8, statx(2)) shows bind mounts too, which device numbers do not.
static int
remove_entry(int folder, const char *name, const char *path, struct error *err)
{
    struct statx info;
    if (statx(folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &info) < 0)
        return errno == ENOENT ? 0
                               : error_errno(err, errno, "cannot read the status of '%s'", path);
    if (info.stx_attributes & STATX_ATTR_MOUNT_ROOT)
        return error_set(err, ERR_CONFLICT,
            "'%s' is a mount point and is not removed; run 'umount %s' and try again", path, path);
    bool is_folder = S_ISDIR(info.stx_mode);
    if (is_folder) {
        STRV_AUTO struct strv names = {0};
        CLOSE_AUTO int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        CLOSEDIR_AUTO DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (dir == NULL)
            return error_errno(err, errno, "cannot open folder '%s'", path);
        int inside = TAKE_FD(fd); // closedir closes it
        if (list_open(dir, path, &names, err) < 0)
            return -1;
        for (size_t i = 0; i < names.count; i++) {
            FREE_AUTO char *below = path_join(path, names.items[i]);
            if (remove_entry(inside, names.items[i], below, err) < 0)
                return -1;
        }
    }
    if (unlinkat(folder, name, is_folder ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot remove '%s'", path);
    return 0;
}

int
dir_remove(const char *path, struct error *err)
{
    return remove_entry(AT_FDCWD, path, path, err);
}

int
dir_temp(const char *parent, const char *prefix, char **ret_path, struct error *err)
{
    FREE_AUTO char *path = str_format("%s/.%s-XXXXXX", parent, prefix);
    if (mkdtemp(path) == NULL)
        return error_errno(err, errno, "cannot make a folder in '%s'", parent);
    *ret_path = TAKE(path);
    return 0;
}

static int
sync_tree(const char *path, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(path, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *inner = path_join(path, names.items[i]);
        struct stat info;
        if (lstat(inner, &info) < 0)
            return error_errno(err, errno, "cannot read the status of '%s'", inner);
        if (S_ISDIR(info.st_mode) && sync_tree(inner, err) < 0)
            return -1;
        if (S_ISREG(info.st_mode) && file_sync(inner, err) < 0)
            return -1;
    }
    return dir_sync(path, err);
}

int
dir_publish(const char *from, const char *to, struct error *err)
{
    if (sync_tree(from, err) < 0)
        return -1;
    int answer = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
    // Some file systems do not support RENAME_NOREPLACE (rename(2)): check the target before.
    if (answer < 0 && errno == EINVAL) {
        if (file_exists(to))
            errno = EEXIST;
        else
            answer = rename(from, to);
    }
    if (answer < 0 && errno == EEXIST)
        return error_set(err, ERR_CONFLICT, "'%s' already exists and is not replaced", to);
    if (answer < 0)
        return error_errno(err, errno, "cannot rename to '%s'", to);
    FREE_AUTO char *parent = path_folder(to);
    return dir_sync(parent, err);
}

// As renameat2 with RENAME_EXCHANGE, in three steps.
static int
exchange_names(const char *from, const char *to)
{
    FREE_AUTO char *between = str_format("%s-", from);
    if (rename(to, between) < 0)
        return -1;
    if (rename(from, to) == 0)
        return rename(between, from);
    int number = errno;
    rename(between, to);
    errno = number;
    return -1;
}

int
dir_exchange(const char *from, const char *to, struct error *err)
{
    if (!file_exists(to))
        return dir_publish(from, to, err);
    if (sync_tree(from, err) < 0)
        return -1;
    FREE_AUTO char *parent = path_folder(to);
    int answer = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
    if (answer < 0 && errno == EINVAL)
        answer = exchange_names(from, to);
    return answer < 0 ? error_errno(err, errno, "cannot replace '%s'", to) : dir_sync(parent, err);
}

int
dir_replace(const char *from, const char *to, struct error *err)
{
    return dir_exchange(from, to, err) < 0 ? -1 : dir_remove(from, err);
}

int
dir_space(const char *path, uint64_t *ret_bytes, struct error *err)
{
    struct statvfs info;
    if (statvfs(path, &info) < 0)
        return error_errno(err, errno, "cannot read the free space of '%s'", path);
    *ret_bytes = (uint64_t) (geteuid() == 0 ? info.f_bfree : info.f_bavail) * info.f_frsize;
    return 0;
}

int
dir_check_space(
    const char *path, uint64_t need, const char *purpose, const char *variable, struct error *err)
{
    uint64_t free_bytes = 0;
    if (dir_space(path, &free_bytes, err) < 0)
        return -1;
    if (free_bytes >= need)
        return 0;
    FREE_AUTO char *need_text = str_bytes(need), *free_text = str_bytes(free_bytes);
    return error_set(err, ERR_SPACE,
        "%s needs %s in '%s', where %s are free; free some space, or set %s to a folder on a "
        "larger disk",
        purpose, need_text, path, free_text, variable);
}

int
dir_sweep(const char *path, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(path, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *file = path_join(path, names.items[i]);
        if (str_starts(names.items[i], FILE_TEMPORARY) && unlink(file) < 0 && errno != ENOENT)
            return error_errno(err, errno, "cannot remove '%s'", file);
    }
    return 0;
}
