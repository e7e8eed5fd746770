// manifest.c - the manifests of images: read, and compared with the files that they describe.
// SPDX-License-Identifier: Apache-2.0
#include "store/manifest.h"

#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { MANIFEST_MAX = 4 * 1024 * 1024 };

const char *const store_files[] = {STORE_DISK, STORE_KERNEL, STORE_INITRD, NULL};

bool
store_has(const struct store *store, const char *key)
{
    FREE_AUTO char *folder = path_join(store->images, key);
    return file_exists(folder);
}

int
store_require(const struct store *store, const char *key, struct error *err)
{
    if (store_is_key(key) && store_has(store, key))
        return 0;
    return error_set(err, ERR_NOT_FOUND,
        "the store '%s' has no image '%.12s'; run 'airbuild images'", store->folder, key);
}

// ---- reading ------------------------------------------------------------------------------------

int
manifest_read(const char *images, const char *key, json_t **ret, struct error *err)
{
    // No reader needs to check for these members.
    static const char *const members[] = {"name", "family", "cmdline", "created", NULL};
    FREE_AUTO char *folder = path_join(images, key);
    FREE_AUTO char *path = path_join(folder, STORE_MANIFEST);
    json_auto_t *manifest = NULL;
    if (read_json_file(path, MANIFEST_MAX, &manifest, err) < 0) {
        if (err->code == ERR_INTERRUPTED || err->code == ERR_ACCESS)
            return -1;
        return error_set(err, ERR_DAMAGED, "its manifest cannot be read (%s)", err->message);
    }
    if (json_integer_value(json_object_get(manifest, "format")) > STORE_FORMAT)
        return error_set(err, ERR_CONFLICT,
            "the image in '%s' was made by a later version of airbuild and is left alone; use that "
            "version, or another AIRBUILD_HOME",
            folder);
    if (json_integer_value(json_object_get(manifest, "format")) != STORE_FORMAT ||
        !str_equal(json_string_value(json_object_get(manifest, "key")), key))
        return error_set(err, ERR_DAMAGED, "its manifest '%s' is not one of this image", path);
    for (size_t i = 0; members[i] != NULL; i++)
        if (json_string_value(json_object_get(manifest, members[i])) == NULL)
            return error_set(err, ERR_DAMAGED, "its manifest '%s' has no '%s'", path, members[i]);
    *ret = TAKE(manifest);
    return 0;
}

json_t *
manifest_peek(const char *images, const char *key)
{
    ERROR_AUTO struct error unread = {0};
    json_t *manifest = NULL;
    (void) manifest_read(images, key, &manifest, &unread);
    return manifest;
}

const char *
manifest_disk_digest(const json_t *manifest)
{
    return json_string_value(
        json_object_get(json_object_get(json_object_get(manifest, "files"), STORE_DISK), "sha256"));
}

bool
manifest_is_base(const char *images, const char *key)
{
    json_auto_t *manifest = manifest_peek(images, key);
    return manifest != NULL && json_string_value(json_object_get(manifest, "backing")) == NULL;
}

int
manifest_record_base(const struct store *store, json_t *manifest, struct error *err)
{
    const char *key = json_string_value(json_object_get(manifest, "backing"));
    const char *wanted = json_string_value(json_object_get(manifest, "backing_sha256"));
    json_auto_t *base = NULL;
    if (key == NULL)
        return 0;
    if (!store_is_key(key))
        return error_set(err, ERR_DAMAGED, "its base '%s' is not a valid key", key);
    if (manifest_read(store->images, key, &base, err) < 0)
        return error_context(err, "its base '%.12s'", key);
    if (wanted != NULL && !str_equal(wanted, manifest_disk_digest(base)))
        return error_set(err, ERR_CONFLICT,
            "this store has another build of its base '%.12s'; run 'airbuild images', which bakes "
            "this image over that one",
            key);
    json_object_set_new(manifest, "backing_sha256", text_to_json(manifest_disk_digest(base)));
    return 0;
}

// ---- files --------------------------------------------------------------------------------------

static long long
time_ns(const struct stat *info)
{
    return (long long) info->st_mtim.tv_sec * 1000000000LL + info->st_mtim.tv_nsec;
}

int
manifest_record_files(const char *folder, json_t *manifest, struct error *err)
{
    json_auto_t *files = json_object();
    const json_t *before = json_object_get(manifest, "files");
    for (size_t i = 0; store_files[i] != NULL; i++) {
        FREE_AUTO char *path = path_join(folder, store_files[i]);
        const char *wanted =
            json_string_value(json_object_get(json_object_get(before, store_files[i]), "sha256"));
        char hex[DIGEST_HEX + 1];
        struct stat info;
        if (chmod(path, 0444) < 0 || stat(path, &info) < 0)
            return error_errno(err, errno, "cannot make '%s' read-only", path);
        if (digest_file(path, hex, err) < 0)
            return -1;
        if (wanted != NULL && !str_equal(wanted, hex))
            return error_set(err, ERR_DAMAGED,
                "the copy '%s' differs from its source, which changed meanwhile, or a disk of this "
                "host fails; check them and try again",
                path);
        json_object_set_new(files, store_files[i],
            json_pack("{s:I, s:I, s:s}", "bytes", (json_int_t) info.st_size, "time_ns",
                (json_int_t) time_ns(&info), "sha256", hex));
    }
    json_object_set_new(manifest, "files", TAKE(files));
    return 0;
}

int
manifest_check(const char *images, const char *key, bool thorough, json_t **ret, struct error *err)
{
    FREE_AUTO char *folder = path_join(images, key);
    if (manifest_read(images, key, ret, err) < 0)
        return -1;
    const json_t *files = json_object_get(*ret, "files");
    for (size_t i = 0; store_files[i] != NULL; i++) {
        const json_t *recorded = json_object_get(files, store_files[i]);
        const json_t *bytes = json_object_get(recorded, "bytes");
        long long wanted = json_is_integer(bytes) ? json_integer_value(bytes) : -1;
        long long ns = json_integer_value(json_object_get(recorded, "time_ns"));
        FREE_AUTO char *path = path_join(folder, store_files[i]);
        char hex[DIGEST_HEX + 1];
        struct stat info;
        if (stat(path, &info) < 0)
            return errno == ENOENT ? error_set(err, ERR_DAMAGED, "'%s' is missing", path)
                                   : error_errno(err, errno, "cannot examine '%s'", path);
        if (!S_ISREG(info.st_mode) || info.st_size != wanted)
            return error_set(err, ERR_DAMAGED, "'%s' has %lld bytes where %lld were recorded", path,
                (long long) info.st_size, wanted);
        if (!thorough && time_ns(&info) == ns)
            continue;
        if (digest_file(path, hex, err) < 0)
            return -1;
        if (!str_equal(json_string_value(json_object_get(recorded, "sha256")), hex))
            return error_set(err, ERR_DAMAGED, "the content of '%s' has changed", path);
        // Restores the recorded time, so that the next check is quick.
        const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
            {.tv_sec = (time_t) (ns / 1000000000), .tv_nsec = (long) (ns % 1000000000)}};
        (void) utimensat(AT_FDCWD, path, times, 0);
    }
    return 0;
}
