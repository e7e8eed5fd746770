// list.c - all images of a store: told, removed one by one, or all but those still needed.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "store/inside.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void
image_list_free(struct image_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        image_free(list->items[i]);
    free(list->items);
    *list = (struct image_list){0};
}

static int
image_order(const void *left, const void *right)
{
    const struct image *a = *(struct image *const *) left, *b = *(struct image *const *) right;
    if ((a->backing == NULL) != (b->backing == NULL))
        return a->backing == NULL ? -1 : 1;
    int names = strcmp(a->name, b->name);
    return names != 0 ? names : strcmp(a->created, b->created);
}

static int
keys_of(const struct store *store, struct strv *ret_keys, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(store->images, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (store_is_key(names.items[i]))
            strv_add(ret_keys, names.items[i]);
    return 0;
}

int
store_list(struct store *store, struct image_list *ret, struct strv *ret_damaged, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (keys_of(store, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        struct image *image = NULL;
        if (store_find(store, keys.items[i], &image, err) < 0) {
            if (err->code != ERR_DAMAGED)
                return -1;
            strv_add(ret_damaged, err->message);
            error_clear(err);
            continue;
        }
        mem_grow(&ret->items, &ret->capacity, ret->count + 1, sizeof *ret->items);
        ret->items[ret->count++] = image;
    }
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof *ret->items, image_order);
    return 0;
}

// Moved out of sight first, so that no half of an image is ever seen.
static int
remove_locked(struct store *store, const char *key, struct error *err)
{
    FREE_AUTO char *folder = store_image_folder(store, key);
    FREE_AUTO char *draft = store_draft_folder(store, key);
    if (!file_exists(folder))
        return 0;
    if (dir_remove(draft, err) < 0)
        return -1;
    if (rename(folder, draft) < 0)
        return error_errno(err, errno, "cannot remove '%s'", folder);
    return dir_remove(draft, err);
}

int
store_remove(struct store *store, const char *key, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    if (store_lock_key(store, key, 0, &lock, err) < 0)
        return -1;
    return remove_locked(store, key, err);
}

// keep and the bases of what it names.
static void
needed_keys(struct store *store, const struct strv *keep, struct strv *ret)
{
    for (size_t i = 0; i < keep->count; i++) {
        JV_AUTO struct jv *manifest = NULL;
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *folder = store_image_folder(store, keep->items[i]);
        strv_add(ret, keep->items[i]);
        if (store_read_manifest(folder, keep->items[i], &manifest, &err) == 0 &&
            jv_get_string(manifest, "backing") != NULL)
            strv_add(ret, jv_get_string(manifest, "backing"));
    }
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

// Nobody makes it: ERR_BUSY otherwise.
static int
is_free(struct store *store, const char *key, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    return store_lock_key(store, key, 0, &lock, err);
}

static int
prune_one(struct store *store, const char *key, bool dry_run, struct strv *ret_removed,
    uint64_t *ret_bytes, struct error *err)
{
    JV_AUTO struct jv *manifest = NULL;
    ERROR_AUTO struct error unread = {0};
    FREE_AUTO char *folder = store_image_folder(store, key);
    (void) store_read_manifest(folder, key, &manifest, &unread);
    const char *name = jv_get_string(manifest, "name");
    uint64_t bytes = folder_bytes(folder);
    if ((dry_run ? is_free(store, key, err) : store_remove(store, key, err)) < 0) {
        if (err->code != ERR_BUSY)
            return -1;
        error_clear(err);
        return 0;
    }
    strv_addf(ret_removed, "%s %s", name == NULL ? "?" : name, key);
    *ret_bytes += bytes;
    return 0;
}

int
store_prune(struct store *store, const struct strv *keep, bool dry_run, struct strv *ret_removed,
    uint64_t *ret_bytes, struct error *err)
{
    STRV_AUTO struct strv keys = {0}, needed = {0};
    *ret_bytes = 0;
    if (keys_of(store, &keys, err) < 0)
        return -1;
    needed_keys(store, keep, &needed);
    for (size_t i = 0; i < keys.count; i++)
        if (!strv_has(&needed, keys.items[i]) &&
            prune_one(store, keys.items[i], dry_run, ret_removed, ret_bytes, err) < 0)
            return -1;
    bool baking = false;
    if (dry_run || store_is_baking(store, &baking, err) < 0 || baking)
        return err->code == ERR_NONE ? 0 : -1;
    if (store_prune_packages(store, ret_bytes, err) < 0)
        return -1;
    return store_prune_downloads(store, ret_bytes, err);
}
