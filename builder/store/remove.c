// remove.c - removes images: one, or all that are not needed any more, with the packages and
// downloads that they were made from. An image that a cluster uses stays; so does all while another
// airbuild bakes.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "store/manifest.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

// ---- one ----------------------------------------------------------------------------------------

// The caller holds the image's lock.
static int
remove_locked(const struct store *store, const char *key, bool dry_run, struct error *err)
{
    CLOSE_AUTO int users = -1;
    STRV_AUTO struct strv folders = {0};
    FREE_AUTO char *image = path_join(store->images, key);
    FREE_AUTO char *draft = str_format("%s/.%s", store->images, key);
    if (!file_exists(image))
        return 0;
    // Renames the image to its draft, so that no other process sees half an image. It cannot be
    // pinned between the check and the rename.
    if ((!dry_run && dir_remove(draft, err) < 0) || store_lock_users(store, &users, err) < 0 ||
        store_users_locked(store, key, &folders, err) < 0)
        return -1;
    FREE_AUTO char *list = strv_join(&folders, "', '");
    if (folders.count > 0)
        return error_set(err, ERR_CONFLICT,
            "the image '%.12s' is not removed, as disks of the cluster in '%s' are backed by it; "
            "run 'airbuild destroy' for that cluster first",
            key, list);
    if (dry_run)
        return 0;
    if (rename(image, draft) < 0)
        return error_errno(err, errno, "cannot remove '%s'", image);
    if (dir_sync(store->images, err) < 0)
        return -1;
    close(TAKE_FD(users));
    return dir_remove(draft, err);
}

int
store_remove(struct store *store, const char *key, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    if (store_lock_image(store, key, &lock, err) < 0)
        return -1;
    return remove_locked(store, key, false, err);
}

// Another airbuild may have baked it again since the caller found it damaged.
int
store_remove_damaged(struct store *store, const char *key, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    IMAGE_AUTO struct image *image = NULL;
    if (store_lock_image(store, key, &lock, err) < 0)
        return -1;
    if (!store_has(store, key) || store_find(store, key, &image, err) == 0)
        return 0;
    if (err->code != ERR_DAMAGED)
        return -1;
    FREE_AUTO char *damage = str_dup(err->message); // names the cluster that uses it, too
    error_clear(err);
    if (remove_locked(store, key, false, err) == 0)
        return 0;
    return err->code == ERR_CONFLICT ? error_set(err, ERR_DAMAGED, "%s", damage) : -1;
}

// ---- prune --------------------------------------------------------------------------------------

int
store_add_bases(struct store *store, struct strv *keys, struct error *err)
{
    STRV_AUTO struct strv all = {0};
    size_t count = keys->count;
    bool unknown = false; // a manifest cannot be read, so its base may be any of them
    for (size_t i = 0; i < count; i++) {
        json_auto_t *manifest = manifest_peek(store->images, keys->items[i]);
        const char *base = json_string_value(json_object_get(manifest, "backing"));
        unknown = unknown || (manifest == NULL && store_has(store, keys->items[i]));
        if (base != NULL && !strv_has(keys, base))
            strv_add(keys, base);
    }
    if (unknown && store_keys(store->images, &all, err) < 0)
        return -1;
    for (size_t i = 0; i < all.count; i++)
        if (manifest_is_base(store->images, all.items[i]) && !strv_has(keys, all.items[i]))
            strv_add(keys, all.items[i]);
    return 0;
}

static int
prune_one(struct store *store, const char *key, bool dry_run, struct strv *ret_removed,
    uint64_t *ret_bytes, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    json_auto_t *manifest = manifest_peek(store->images, key);
    FREE_AUTO char *folder = path_join(store->images, key);
    const char *name = json_string_value(json_object_get(manifest, "name"));
    uint64_t bytes = 0;
    for (size_t i = 0; store_files[i] != NULL; i++) {
        FREE_AUTO char *path = path_join(folder, store_files[i]);
        int64_t allocated = file_allocated(path);
        bytes += allocated > 0 ? (uint64_t) allocated : 0;
    }
    int taken = store_try_lock(store, key, &lock, err);
    if (taken <= 0)
        return taken;
    if (remove_locked(store, key, dry_run, err) < 0) {
        if (err->code != ERR_BUSY && err->code != ERR_CONFLICT)
            return -1;
        error_clear(err);
        return 0;
    }
    strv_addf(ret_removed, "%s %s", name == NULL ? "?" : name, key);
    *ret_bytes += bytes;
    return 0;
}

// *ret_newer: there are images of a later version. They are kept, as what they need is not known.
static int
prune_images(struct store *store, const struct strv *keep, bool dry_run, struct strv *ret_removed,
    uint64_t *ret_bytes, bool *ret_newer, struct error *err)
{
    STRV_AUTO struct strv keys = {0}, needed = {0};
    if (store_keys(store->images, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keep->count; i++)
        strv_add(&needed, keep->items[i]);
    *ret_newer = false;
    for (size_t i = 0; i < keys.count; i++) {
        json_auto_t *manifest = NULL;
        ERROR_AUTO struct error unread = {0};
        if (manifest_read(store->images, keys.items[i], &manifest, &unread) == 0 ||
            unread.code != ERR_CONFLICT)
            continue;
        strv_add(&needed, keys.items[i]);
        *ret_newer = true;
    }
    if (store_add_bases(store, &needed, err) < 0)
        return -1;
    // Bases go last, so that no image is ever without its base.
    for (int bases = 0; bases < 2; bases++)
        for (size_t i = 0; i < keys.count; i++) {
            if (manifest_is_base(store->images, keys.items[i]) != bases ||
                strv_has(&needed, keys.items[i]))
                continue;
            if (prune_one(store, keys.items[i], dry_run, ret_removed, ret_bytes, err) < 0)
                return -1;
        }
    return 0;
}

// ---- packages and downloads ---------------------------------------------------------------------

// Adds the member of that name of all manifests.
static int
add_members(const struct store *store, const char *name, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (store_keys(store->images, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        json_auto_t *manifest = manifest_peek(store->images, keys.items[i]);
        const char *value = json_string_value(json_object_get(manifest, name));
        if (value != NULL && !strv_has(ret, value))
            strv_add(ret, value);
    }
    return 0;
}

// Removes all from a folder but the used names; of_keys: only what has a digest as its name.
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

// Keeps the sets that an image was made from, and the files that they name. A set that cannot be
// read is removed, as the next bake makes it again.
static int
prune_packages(struct store *store, uint64_t *bytes, struct error *err)
{
    STRV_AUTO struct strv sets = {0}, used = {0}, digests = {0};
    CLOSE_AUTO int held = -1;
    if (store_lock(store, "packages", 60 * 1000, &held, err) < 0 ||
        add_members(store, "package_set", &sets, err) < 0)
        return -1;
    for (size_t i = 0; i < sets.count; i++) {
        json_auto_t *set = NULL;
        ERROR_AUTO struct error unread = {0};
        if (store_package_set(store, sets.items[i], &set, &unread) < 0)
            continue;
        strv_addf(&used, "%s.json", sets.items[i]);
        for (size_t j = 0; j < json_array_size(set); j++)
            strv_add(
                &digests, json_string_value(json_object_get(json_array_get(set, j), "sha256")));
    }
    if (prune_folder(store->sets, &used, false, bytes, err) < 0)
        return -1;
    return prune_folder(store->packages, &digests, true, bytes, err);
}

int
store_prune(struct store *store, const struct strv *keep, bool dry_run, struct strv *ret_removed,
    uint64_t *ret_bytes, struct error *err)
{
    CLOSE_AUTO int alone = -1;
    STRV_AUTO struct strv used = {0};
    bool newer = false;
    *ret_bytes = 0;
    if (!dry_run && store_alone(store, &alone, err) < 0)
        return -1;
    if (prune_images(store, keep, dry_run, ret_removed, ret_bytes, &newer, err) < 0)
        return -1;
    if (dry_run || newer)
        return 0;
    if (prune_packages(store, ret_bytes, err) < 0 || add_members(store, "download", &used, err) < 0)
        return -1;
    for (size_t i = used.count; i > 0; i--)
        strv_addf(&used, "%s.sig", used.items[i - 1]);
    // Partial files of interrupted downloads are removed, too.
    return prune_folder(store->downloads, &used, false, ret_bytes, err);
}
