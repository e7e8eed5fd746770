// remove.c - images removed: one by one, or all but those still needed, with the packages and
// downloads that they were made from. None that a cluster uses, and nothing while somebody bakes.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>

// ---- one ----------------------------------------------------------------------------------------

static int
check_image_unused(const struct store *store, const char *key, struct error *err)
{
    STRV_AUTO struct strv folders = {0};
    if (store_users_locked(store, key, &folders, err) < 0)
        return -1;
    if (folders.count == 0)
        return 0;
    FREE_AUTO char *list = strv_join(&folders, "', '");
    return error_set(err, ERR_CONFLICT,
        "the image '%.12s' is not removed while disks of the cluster in '%s' lie over it; run "
        "'airbuild destroy' for that cluster first",
        key, list);
}

// Moved out of sight first, so that no half of an image is ever seen. Nobody pins it between the
// look and the move.
static int
hide(const struct store *store, const char *key, const char *folder, const char *draft,
    struct error *err)
{
    CLOSE_AUTO int users = -1;
    if (store_lock_users(store, &users, err) < 0 || check_image_unused(store, key, err) < 0)
        return -1;
    if (rename(folder, draft) < 0)
        return error_errno(err, errno, "cannot remove '%s'", folder);
    return dir_sync(store->images, err);
}

static int
remove_locked(const struct store *store, const char *key, struct error *err)
{
    FREE_AUTO char *folder = store_image_folder(store, key);
    FREE_AUTO char *draft = store_draft_folder(store, key);
    if (!file_exists(folder))
        return 0;
    if (dir_remove(draft, err) < 0 || hide(store, key, folder, draft, err) < 0)
        return -1;
    return dir_remove(draft, err);
}

int
store_remove(struct store *store, const char *key, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    if (store_wait_key(store, key, &lock, err) < 0)
        return -1;
    return remove_locked(store, key, err);
}

// Another airbuild may have made it again since it was looked at.
int
store_remove_damaged(struct store *store, const char *key, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    IMAGE_AUTO struct image *image = NULL;
    if (store_wait_key(store, key, &lock, err) < 0)
        return -1;
    if (!store_has(store, key) || store_find(store, key, &image, err) == 0)
        return 0;
    if (err->code != ERR_DAMAGED)
        return -1;
    ERROR_AUTO struct error damage = {0};
    error_move(&damage, err);
    if (remove_locked(store, key, err) == 0)
        return 0;
    if (err->code != ERR_CONFLICT)
        return -1;
    return error_move(err, &damage); // it names the users
}

// ---- prune --------------------------------------------------------------------------------------

// The base of an image whose manifest cannot be read may be any of them.
static int
add_all_bases(const struct store *store, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (store_keys(store, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        FREE_AUTO char *folder = store_image_folder(store, keys.items[i]);
        if (store_is_base(folder, keys.items[i]) && !strv_has(ret, keys.items[i]))
            strv_add(ret, keys.items[i]);
    }
    return 0;
}

int
store_add_bases(struct store *store, struct strv *keys, struct error *err)
{
    size_t count = keys->count;
    for (size_t i = 0; i < count; i++) {
        JV_AUTO struct jv *manifest = store_peek_manifest(store, keys->items[i]);
        const char *base = jv_get_string(manifest, "backing");
        if (manifest == NULL && store_has(store, keys->items[i]) &&
            add_all_bases(store, keys, err) < 0)
            return -1;
        if (base != NULL && !strv_has(keys, base))
            strv_add(keys, base);
    }
    return 0;
}

static uint64_t
folder_bytes(const char *folder)
{
    uint64_t sum = 0;
    for (size_t i = 0; store_files[i] != NULL; i++) {
        FREE_AUTO char *path = path_join(folder, store_files[i]);
        int64_t bytes = file_allocated(path);
        sum += bytes > 0 ? (uint64_t) bytes : 0;
    }
    return sum;
}

// Somebody makes it: ERR_BUSY; somebody uses it: ERR_CONFLICT.
static int
remove_unless_used(struct store *store, const char *key, bool dry_run, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    if (store_lock_key(store, key, 0, &lock, err) < 0)
        return -1;
    return dry_run ? check_image_unused(store, key, err) : remove_locked(store, key, err);
}

static int
prune_one(struct store *store, const char *key, bool dry_run, struct strv *ret_removed,
    uint64_t *ret_bytes, struct error *err)
{
    JV_AUTO struct jv *manifest = store_peek_manifest(store, key);
    FREE_AUTO char *folder = store_image_folder(store, key);
    const char *name = jv_get_string(manifest, "name");
    uint64_t bytes = folder_bytes(folder);
    if (remove_unless_used(store, key, dry_run, err) < 0) {
        if (err->code != ERR_BUSY && err->code != ERR_CONFLICT)
            return -1;
        error_clear(err);
        return 0;
    }
    strv_addf(ret_removed, "%s %s", name == NULL ? "?" : name, key);
    *ret_bytes += bytes;
    return 0;
}

// Adds what an airbuild of a later version made: what it needs is not known here.
static void
add_newer(const struct store *store, const struct strv *keys, struct strv *ret)
{
    for (size_t i = 0; i < keys->count; i++) {
        JV_AUTO struct jv *manifest = NULL;
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *folder = store_image_folder(store, keys->items[i]);
        if (store_read_manifest(folder, keys->items[i], &manifest, &err) < 0 &&
            err.code == ERR_CONFLICT)
            strv_add(ret, keys->items[i]);
    }
}

// *ret_newer: some are of a later version, whose packages are not known.
static int
prune_images(struct store *store, const struct strv *keep, bool dry_run, struct strv *ret_removed,
    uint64_t *ret_bytes, bool *ret_newer, struct error *err)
{
    STRV_AUTO struct strv keys = {0}, needed = {0}, newer = {0};
    if (store_keys(store, &keys, err) < 0)
        return -1;
    add_newer(store, &keys, &newer);
    *ret_newer = newer.count > 0;
    for (size_t i = 0; i < keep->count; i++)
        strv_add(&needed, keep->items[i]);
    for (size_t i = 0; i < newer.count; i++)
        strv_add(&needed, newer.items[i]);
    if (store_add_bases(store, &needed, err) < 0)
        return -1;
    // Bases last: no image is ever seen without its base.
    for (int bases = 0; bases < 2; bases++)
        for (size_t i = 0; i < keys.count; i++) {
            FREE_AUTO char *folder = store_image_folder(store, keys.items[i]);
            if (store_is_base(folder, keys.items[i]) != bases || strv_has(&needed, keys.items[i]))
                continue;
            if (prune_one(store, keys.items[i], dry_run, ret_removed, ret_bytes, err) < 0)
                return -1;
        }
    return 0;
}

// ---- what images were made from -----------------------------------------------------------------

// Adds what the manifests of all images say under that name.
static int
add_members(const struct store *store, const char *name, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (store_keys(store, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        JV_AUTO struct jv *manifest = store_peek_manifest(store, keys.items[i]);
        const char *value = jv_get_string(manifest, name);
        if (value != NULL && !strv_has(ret, value))
            strv_add(ret, value);
    }
    return 0;
}

// Removes what a folder has besides those names; of_keys: only what is named by a digest.
static int
prune_folder(
    const char *folder, const struct strv *used, bool of_keys, uint64_t *bytes, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(folder, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = path_join(folder, names.items[i]);
        if (strv_has(used, names.items[i]) || (of_keys && !store_is_key(names.items[i])))
            continue;
        int64_t size = file_allocated(path);
        if (dir_remove(path, err) < 0)
            return -1;
        *bytes += size > 0 ? (uint64_t) size : 0;
    }
    return 0;
}

// The sets that an image was made from, and the files that they name. A set that cannot be read is
// worth nothing, as the next bake makes it again.
static int
prune_packages(struct store *store, uint64_t *bytes, struct error *err)
{
    STRV_AUTO struct strv sets = {0}, used = {0}, digests = {0};
    CLOSE_AUTO int held = -1;
    if (store_lock_key(store, "packages", 60 * 1000, &held, err) < 0 ||
        add_members(store, "package_set", &sets, err) < 0)
        return -1;
    for (size_t i = 0; i < sets.count; i++) {
        JV_AUTO struct jv *set = NULL;
        ERROR_AUTO struct error unread = {0};
        if (store_package_set(store, sets.items[i], &set, &unread) < 0)
            continue;
        strv_addf(&used, "%s.json", sets.items[i]);
        for (size_t j = 0; j < jv_count(set); j++)
            strv_add(&digests, jv_get_string(jv_at(set, j), "sha256"));
    }
    if (prune_folder(store->sets, &used, false, bytes, err) < 0)
        return -1;
    return prune_folder(store->packages, &digests, true, bytes, err);
}

// With them goes what interrupted downloads left.
static int
prune_downloads(struct store *store, uint64_t *bytes, struct error *err)
{
    STRV_AUTO struct strv used = {0};
    if (add_members(store, "download", &used, err) < 0)
        return -1;
    for (size_t i = used.count; i > 0; i--)
        strv_addf(&used, "%s.sig", used.items[i - 1]);
    return prune_folder(store->downloads, &used, false, bytes, err);
}

int
store_prune(struct store *store, const struct strv *keep, bool dry_run, struct strv *ret_removed,
    uint64_t *ret_bytes, struct error *err)
{
    CLOSE_AUTO int alone = -1;
    bool newer = false;
    *ret_bytes = 0;
    if (!dry_run && store_alone(store, &alone, err) < 0)
        return -1;
    if (prune_images(store, keep, dry_run, ret_removed, ret_bytes, &newer, err) < 0)
        return -1;
    if (dry_run || newer)
        return 0;
    if (prune_packages(store, ret_bytes, err) < 0)
        return -1;
    return prune_downloads(store, ret_bytes, err);
}
