// pin.c - which clusters use an image: HOME/store/users/KEY/ID names the folder of cluster ID,
// whose disks are backed by the image KEY.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "store/manifest.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

enum { USERS_WAIT_MS = 30 * 1000, ID_MAX = 128 };

int
store_lock_users(const struct store *store, int *ret_fd, struct error *err)
{
    return store_lock(store, "users", USERS_WAIT_MS, ret_fd, err);
}

// The id is used as a file name.
static int
check_id(const char *id, struct error *err)
{
    if (id[0] != '\0' && id[0] != '.' && strchr(id, '/') == NULL && strlen(id) <= ID_MAX)
        return 0;
    return error_set(err, ERR_FAILED, "'%s' cannot be the id of a cluster", id);
}

// The key of the image's base; caller frees. NULL for a base, and when the manifest cannot be read.
static char *
base_of(const struct store *store, const char *key)
{
    json_auto_t *manifest = manifest_peek(store->images, key);
    const char *base = json_string_value(json_object_get(manifest, "backing"));
    return base != NULL && store_is_key(base) ? str_dup(base) : NULL;
}

// ---- pin ----------------------------------------------------------------------------------------

static int
put_pin(
    const struct store *store, const char *key, const char *id, const char *text, struct error *err)
{
    FREE_AUTO char *folder = path_join(store->users, key);
    FREE_AUTO char *path = path_join(folder, id);
    FREE_AUTO char *before = NULL;
    ERROR_AUTO struct error unread = {0};
    if (store_require(store, key, err) < 0)
        return -1;
    if (file_read(path, PATH_MAX, &before, NULL, &unread) == 0 && str_equal(before, text))
        return 0;
    if (dir_make(folder, STORE_FOLDER_MODE, err) < 0 || dir_sync(store->users, err) < 0 ||
        dir_sweep(folder, err) < 0)
        return -1;
    return file_write(path, 0644, text, strlen(text), err);
}

// The base is pinned first, as a needless pin does less harm than a missing one. It has a pin of
// its own because the manifest that names it may become unreadable.
static int
pin_locked(const struct store *store, const char *key, const char *id, const char *folder,
    struct error *err)
{
    FREE_AUTO char *text = str_format("%s\n", folder);
    FREE_AUTO char *base = base_of(store, key);
    if (base != NULL && put_pin(store, base, id, text, err) < 0)
        return -1;
    return put_pin(store, key, id, text, err);
}

int
store_pin(
    struct store *store, const char *key, const char *id, const char *folder, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    if (check_id(id, err) < 0 || store_lock_users(store, &lock, err) < 0 ||
        pin_locked(store, key, id, folder, err) < 0)
        return error_context(err, "cannot keep the image '%.12s' for the cluster", key);
    return 0;
}

// The folder is removed with its last pin.
static int
unpin_one(const struct store *store, const char *key, const char *id, struct error *err)
{
    FREE_AUTO char *folder = path_join(store->users, key);
    FREE_AUTO char *path = path_join(folder, id);
    if (unlink(path) < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot remove '%s'", path);
    if (dir_sweep(folder, err) < 0)
        return -1;
    if (rmdir(folder) < 0 && errno != ENOTEMPTY && errno != EEXIST)
        return error_errno(err, errno, "cannot remove '%s'", folder);
    return file_exists(folder) ? dir_sync(folder, err) : 0;
}

int
store_unpin(struct store *store, const char *id, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    STRV_AUTO struct strv keys = {0};
    if (check_id(id, err) < 0 || store_lock_users(store, &lock, err) < 0 ||
        store_keys(store->users, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++)
        if (unpin_one(store, keys.items[i], id, err) < 0)
            return -1;
    return dir_sync(store->users, err);
}

// ---- users --------------------------------------------------------------------------------------

// Adds the id and the folder of each cluster that pinned the key itself. ret_ids NULL: adds each
// folder once.
static int
read_pins(const struct store *store, const char *key, struct strv *ret_ids,
    struct strv *ret_folders, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    FREE_AUTO char *users = path_join(store->users, key);
    if (!file_exists(users))
        return 0;
    if (dir_list(users, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = path_join(users, names.items[i]), *folder = NULL;
        if (names.items[i][0] == '.')
            continue;
        if (file_read(path, PATH_MAX, &folder, NULL, err) < 0)
            return -1;
        folder[strcspn(folder, "\n")] = '\0';
        if (folder[0] == '\0') { // a pin that was damaged
            free(folder);
            folder = str_format("cluster %s", names.items[i]);
        }
        if (ret_ids != NULL)
            strv_add(ret_ids, names.items[i]);
        if (ret_ids != NULL || !strv_has(ret_folders, folder))
            strv_add(ret_folders, folder);
    }
    return 0;
}

int
store_users_locked(
    const struct store *store, const char *key, struct strv *ret_folders, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (read_pins(store, key, NULL, ret_folders, err) < 0 ||
        store_keys(store->users, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        FREE_AUTO char *base = base_of(store, keys.items[i]);
        if (str_equal(base, key) && read_pins(store, keys.items[i], NULL, ret_folders, err) < 0)
            return -1;
    }
    return 0;
}

int
store_users(struct store *store, const char *key, struct strv *ret_folders, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    if (store_lock_users(store, &lock, err) < 0)
        return -1;
    return store_users_locked(store, key, ret_folders, err);
}

int
store_missing_users(struct store *store, bool forget, struct strv *ret_folders, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    STRV_AUTO struct strv keys = {0};
    if (store_lock_users(store, &lock, err) < 0 || store_keys(store->users, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        STRV_AUTO struct strv ids = {0}, folders = {0};
        if (read_pins(store, keys.items[i], &ids, &folders, err) < 0)
            return -1;
        for (size_t j = 0; j < ids.count; j++) {
            struct stat info;
            if (lstat(folders.items[j], &info) == 0 || errno != ENOENT)
                continue; // one that cannot be examined may well exist
            if (!strv_has(ret_folders, folders.items[j]))
                strv_add(ret_folders, folders.items[j]);
            if (forget && unpin_one(store, keys.items[i], ids.items[j], err) < 0)
                return -1;
        }
    }
    return 0;
}
