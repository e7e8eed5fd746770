// export_import.c - copies images and their bases out of a store and into another.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "store/manifest.h"

#include <errno.h>
#include <jansson.h>
#include <sys/stat.h>

DEFINE_FREEP(struct store, store_bake_end)

static int
copy_files(const char *from, const char *to, struct error *err)
{
    for (size_t i = 0; store_files[i] != NULL; i++) {
        FREE_AUTO char *source = path_join(from, store_files[i]);
        FREE_AUTO char *target = path_join(to, store_files[i]);
        if (file_copy(source, target, 0444, err) < 0)
            return -1;
    }
    return 0;
}

static int
export_images(
    const struct store *store, const struct strv *keys, const char *folder, struct error *err)
{
    for (size_t i = 0; i < keys->count; i++) {
        FREE_AUTO char *from = path_join(store->images, keys->items[i]);
        FREE_AUTO char *to = path_join(folder, keys->items[i]);
        FREE_AUTO char *manifest = path_join(from, STORE_MANIFEST);
        FREE_AUTO char *copy = path_join(to, STORE_MANIFEST);
        if (dir_make(to, STORE_FOLDER_MODE, err) < 0 || copy_files(from, to, err) < 0 ||
            file_copy(manifest, copy, 0444, err) < 0)
            return -1;
    }
    if (chmod(folder, STORE_FOLDER_MODE) < 0)
        return error_errno(err, errno, "cannot set the mode of '%s'", folder);
    return 0;
}

int
store_export(struct store *store, const struct strv *keys, const char *folder, struct error *err)
{
    STRV_AUTO struct strv all = {0}; // the images and their bases, each once
    FREE_AUTO char *parent = path_folder(folder), *draft = NULL;
    ERROR_AUTO struct error ignored = {0};
    if (file_exists(folder))
        return error_set(
            err, ERR_CONFLICT, "'%s' exists already; name a folder that does not exist", folder);
    if (store_bake_begin(store, err) < 0)
        return -1;
    CLEANUP(store_bake_endp) struct store *baking = store;
    for (size_t i = 0; i < keys->count; i++) {
        IMAGE_AUTO struct image *image = NULL;
        if (store_verify(store, keys->items[i], err) < 0 ||
            store_find(store, keys->items[i], &image, err) < 0)
            return -1;
        const char *both[] = {image->backing, image->key};
        for (size_t j = 0; j < 2; j++)
            if (both[j] != NULL && !strv_has(&all, both[j]))
                strv_add(&all, both[j]);
    }
    if (dir_temp(parent, "airbuild-export", &draft, err) < 0)
        return -1;
    if (export_images(baking, &all, draft, err) == 0 && dir_publish(draft, folder, err) == 0)
        return 0;
    (void) dir_remove(draft, &ignored);
    return -1;
}

// Copies do not keep their times, so store_publish records new ones. It compares the copies with
// the digests in the manifest.
static int
import_image(struct store *store, const char *folder, const char *key, struct strv *ret_keys,
    struct error *err)
{
    FREE_AUTO char *from = path_join(folder, key);
    json_auto_t *manifest = NULL;
    DRAFT_AUTO struct draft *draft = NULL;
    if (manifest_check(folder, key, true, &manifest, err) < 0 ||
        store_begin(store, key, &draft, err) < 0)
        return -1;
    if (draft == NULL)
        return 0;
    if (json_string_value(json_object_get(manifest, "backing")) != NULL &&
        json_string_value(json_object_get(manifest, "backing_sha256")) == NULL)
        return error_set(err, ERR_DAMAGED, "its manifest has no 'backing_sha256'");
    if (manifest_record_base(store, manifest, err) < 0 ||
        copy_files(from, draft_folder(draft), err) < 0 || store_publish(draft, manifest, err) < 0)
        return -1;
    strv_add(ret_keys, key);
    return 0;
}

int
store_import(struct store *store, const char *folder, struct strv *ret_keys, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (store_keys(folder, &keys, err) < 0)
        return -1;
    if (keys.count == 0)
        return error_set(err, ERR_NOT_FOUND,
            "there is no image in '%s'; name a folder that 'airbuild images export' made", folder);
    // All manifests are read before the first image is imported.
    for (size_t i = 0; i < keys.count; i++) {
        json_auto_t *manifest = NULL;
        FREE_AUTO char *from = path_join(folder, keys.items[i]);
        if (manifest_read(folder, keys.items[i], &manifest, err) < 0)
            return error_context(err, "cannot import the image in '%s'", from);
    }
    if (store_bake_begin(store, err) < 0)
        return -1;
    CLEANUP(store_bake_endp) struct store *baking = store;
    // A layer is published only over a base that exists, so bases go first.
    for (int layers = 0; layers < 2; layers++)
        for (size_t i = 0; i < keys.count; i++) {
            FREE_AUTO char *from = path_join(folder, keys.items[i]);
            if (manifest_is_base(folder, keys.items[i]) == layers)
                continue;
            if (import_image(baking, folder, keys.items[i], ret_keys, err) < 0)
                return error_context(err, "cannot import the image in '%s'", from);
        }
    return 0;
}
