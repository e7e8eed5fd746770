// pin.c - which clusters use an image: HOME/store/users/KEY/ID says the folder of cluster ID, whose
// disks lie over the image KEY. Who removes an image asks here, whatever state folder he works for.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "store/internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "users"

enum { LOCK_WAIT_MS = 30 * 1000, ID_MAX = 128 };

int
store_lock_users(const struct store *store, int *ret_fd, struct error *err)
{
    return store_lock_key(store, LOCK_NAME, LOCK_WAIT_MS, ret_fd, err);
}

// An id is a file's name here.
static int
check_id(const char *id, struct error *err)
{
    if (id[0] != '\0' && id[0] != '.' && strchr(id, '/') == NULL && strlen(id) <= ID_MAX)
        return 0;
    return error_set(err, ERR_FAILED, "'%s' cannot be the id of a cluster", id);
}

// The key of the base that an image lies over; caller frees. NULL for a base, and where the
// manifest cannot be read.
static char *
base_of(const struct store *store, const char *key)
{
    JV_AUTO struct jv *manifest = store_peek_manifest(store, key);
    const char *base = jv_get_string(manifest, "backing");
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
    if (file_read(path, PATH_MAX, &before, NULL, &unread) == 0 && str_equal(before, text))
        return 0;
    if (dir_make(folder, STORE_FOLDER_MODE, err) < 0 || dir_sync(store->users, err) < 0 ||
        dir_sweep(folder, err) < 0)
        return -1;
    return file_write(path, 0644, text, strlen(text), err);
}

// The base first: one that is pinned for nothing does less harm than one that is not. It is pinned
// by itself, as the manifest that names it may become unreadable.
static int
pin_locked(const struct store *store, const char *key, const char *id, const char *folder,
    struct error *err)
{
    FREE_AUTO char *text = str_format("%s\n", folder);
    FREE_AUTO char *base = base_of(store, key);
    if (store_require(store, key, err) < 0)
        return -1;
    if (base != NULL &&
        (store_require(store, base, err) < 0 || put_pin(store, base, id, text, err) < 0))
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
        return error_context(err, "the image '%.12s' cannot be kept for the cluster", key);
    return 0;
}

// ---- unpin --------------------------------------------------------------------------------------

// A folder with pins of others stays.
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
        dir_list(store->users, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++)
        if (store_is_key(keys.items[i]) && unpin_one(store, keys.items[i], id, err) < 0)
            return -1;
    return dir_sync(store->users, err);
}

// ---- users --------------------------------------------------------------------------------------

static int
add_user(const char *path, struct strv *ret_folders, struct error *err)
{
    FREE_AUTO char *folder = NULL;
    if (file_read(path, PATH_MAX, &folder, NULL, err) < 0)
        return -1;
    folder[strcspn(folder, "\n")] = '\0';
    if (!strv_has(ret_folders, folder))
        strv_add(ret_folders, folder);
    return 0;
}

static int
add_users(const struct store *store, const char *key, struct strv *ret_folders, struct error *err)
{
    STRV_AUTO struct strv ids = {0};
    FREE_AUTO char *folder = path_join(store->users, key);
    if (!file_exists(folder))
        return 0;
    if (dir_list(folder, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++) {
        FREE_AUTO char *path = path_join(folder, ids.items[i]);
        if (ids.items[i][0] != '.' && add_user(path, ret_folders, err) < 0)
            return -1;
    }
    return 0;
}

int
store_users_locked(
    const struct store *store, const char *key, struct strv *ret_folders, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (add_users(store, key, ret_folders, err) < 0 || dir_list(store->users, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        FREE_AUTO char *base = store_is_key(keys.items[i]) ? base_of(store, keys.items[i]) : NULL;
        if (str_equal(base, key) && add_users(store, keys.items[i], ret_folders, err) < 0)
            return -1;
    }
    return 0;
}

static int
pinned_keys(const struct store *store, struct strv *ret_keys, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (dir_list(store->users, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        STRV_AUTO struct strv folders = {0};
        if (!store_is_key(keys.items[i]))
            continue;
        if (store_users_locked(store, keys.items[i], &folders, err) < 0)
            return -1;
        if (folders.count > 0)
            strv_add(ret_keys, keys.items[i]);
    }
    return 0;
}

int
store_pinned(struct store *store, struct strv *ret_keys, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    if (store_lock_users(store, &lock, err) < 0)
        return -1;
    return pinned_keys(store, ret_keys, err);
}

// ---- users that are gone ------------------------------------------------------------------------

// What cannot be looked at may well be there.
static bool
is_missing(const char *folder)
{
    struct stat info;
    return lstat(folder, &info) < 0 && errno == ENOENT;
}

static int
look_at_pin(const struct store *store, const char *key, const char *id, bool forget,
    struct strv *ret_folders, struct error *err)
{
    STRV_AUTO struct strv folders = {0};
    FREE_AUTO char *path = str_format("%s/%s/%s", store->users, key, id);
    if (add_user(path, &folders, err) < 0)
        return -1;
    if (!is_missing(folders.items[0]))
        return 0;
    if (!strv_has(ret_folders, folders.items[0]))
        strv_add(ret_folders, folders.items[0]);
    return forget ? unpin_one(store, key, id, err) : 0;
}

int
store_missing_users(struct store *store, bool forget, struct strv *ret_folders, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    STRV_AUTO struct strv keys = {0};
    if (store_lock_users(store, &lock, err) < 0 || pinned_keys(store, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        STRV_AUTO struct strv ids = {0};
        FREE_AUTO char *folder = path_join(store->users, keys.items[i]);
        if (dir_list(folder, &ids, err) < 0)
            return -1;
        for (size_t j = 0; j < ids.count; j++)
            if (ids.items[j][0] != '.' &&
                look_at_pin(store, keys.items[i], ids.items[j], forget, ret_folders, err) < 0)
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
