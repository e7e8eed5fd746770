// manifest.c - an image's manifest read, and its files compared with it.
// SPDX-License-Identifier: Apache-2.0
#include "store/internal.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static long long
time_ns(const struct stat *info)
{
    return (long long) info->st_mtim.tv_sec * 1000000000LL + info->st_mtim.tv_nsec;
}

int
store_describe_file(const char *path, struct jv **ret, struct error *err)
{
    struct stat info;
    char hex[DIGEST_HEX + 1];
    if (stat(path, &info) < 0)
        return error_errno(err, errno, "cannot look at '%s'", path);
    if (digest_file(path, hex, err) < 0)
        return -1;
    *ret = jv_object();
    jv_set_int(*ret, "bytes", info.st_size);
    jv_set_int(*ret, "time_ns", time_ns(&info));
    jv_set_string(*ret, "sha256", hex);
    return 0;
}

// What every image has, so that no reader needs to ask.
static int
check_members(const struct jv *manifest, const char *path, struct error *err)
{
    static const char *const members[] = {"name", "family", "cmdline", "created", NULL};
    for (size_t i = 0; members[i] != NULL; i++)
        if (jv_get_string(manifest, members[i]) == NULL)
            return error_set(
                err, ERR_DAMAGED, "its manifest '%s' does not say its %s", path, members[i]);
    return 0;
}

int
store_read_manifest(const char *folder, const char *key, struct jv **ret, struct error *err)
{
    FREE_AUTO char *path = path_join(folder, STORE_MANIFEST);
    FREE_AUTO char *text = NULL;
    size_t length = 0;
    JV_AUTO struct jv *manifest = NULL;
    if (file_read(path, STORE_MANIFEST_MAX, &text, &length, err) < 0 ||
        jv_parse(text, length, &manifest, err) < 0) {
        if (err->code == ERR_INTERRUPTED || err->code == ERR_ACCESS)
            return -1;
        return error_set(err, ERR_DAMAGED, "its manifest cannot be read (%s)", err->message);
    }
    if (jv_get_int(manifest, "format", 0) > STORE_FORMAT)
        return error_set(err, ERR_CONFLICT,
            "the image in '%s' was made by a later version of airbuild and is left alone; use that "
            "version, or another AIRBUILD_HOME",
            folder);
    if (jv_get_int(manifest, "format", 0) != STORE_FORMAT ||
        !str_equal(jv_get_string(manifest, "key"), key))
        return error_set(err, ERR_DAMAGED, "its manifest '%s' is not one of this image", path);
    if (check_members(manifest, path, err) < 0)
        return -1;
    *ret = TAKE(manifest);
    return 0;
}

struct jv *
store_peek_manifest(const struct store *store, const char *key)
{
    ERROR_AUTO struct error unread = {0};
    struct jv *manifest = NULL;
    FREE_AUTO char *folder = store_image_folder(store, key);
    (void) store_read_manifest(folder, key, &manifest, &unread);
    return manifest;
}

// The time that was recorded is set again, so that the next look is quick.
static int
check_file_digest(const char *path, const struct jv *recorded, struct error *err)
{
    char hex[DIGEST_HEX + 1];
    if (digest_file(path, hex, err) < 0)
        return -1;
    if (!str_equal(jv_get_string(recorded, "sha256"), hex))
        return error_set(err, ERR_DAMAGED, "the content of '%s' has changed", path);
    long long ns = jv_get_int(recorded, "time_ns", 0);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
        {.tv_sec = (time_t) (ns / 1000000000), .tv_nsec = (long) (ns % 1000000000)}};
    (void) utimensat(AT_FDCWD, path, times, 0);
    return 0;
}

static int
check_file(const char *path, const struct jv *recorded, bool thorough, struct error *err)
{
    struct stat info;
    if (stat(path, &info) < 0) {
        if (errno == ENOENT)
            return error_set(err, ERR_DAMAGED, "'%s' is gone", path);
        return error_errno(err, errno, "cannot look at '%s'", path);
    }
    long long bytes = jv_get_int(recorded, "bytes", -1);
    if (!S_ISREG(info.st_mode) || info.st_size != bytes)
        return error_set(err, ERR_DAMAGED, "'%s' has %lld bytes where %lld were recorded", path,
            (long long) info.st_size, bytes);
    if (thorough || time_ns(&info) != jv_get_int(recorded, "time_ns", 0))
        return check_file_digest(path, recorded, err);
    return 0;
}

int
store_check_files(const char *folder, const struct jv *manifest, bool thorough, struct error *err)
{
    const struct jv *files = jv_get(manifest, "files");
    for (size_t i = 0; store_files[i] != NULL; i++) {
        FREE_AUTO char *path = path_join(folder, store_files[i]);
        if (check_file(path, jv_get(files, store_files[i]), thorough, err) < 0)
            return -1;
    }
    return 0;
}
