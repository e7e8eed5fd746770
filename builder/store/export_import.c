// export_import.c - an image and its base copied out of one store and into another.
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "store/manifest.h"

#include <errno.h>
#include <sys/stat.h>

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
copy_image(const char *from, const char *to, struct error *err)
{
    FREE_AUTO char *source = path_join(from, STORE_MANIFEST);
    FREE_AUTO char *target = path_join(to, STORE_MANIFEST);
    if (dir_make(to, STORE_FOLDER_MODE, err) < 0 || copy_files(from, to, err) < 0)
        return -1;
    return file_copy(source, target, 0444, err);
}

// The images and their bases, each once.
static int
export_keys(struct store *store, const struct strv *keys, struct strv *ret_keys, struct error *err)
{
    for (size_t i = 0; i < keys->count; i++) {
        IMAGE_AUTO struct image *image = NULL;
        if (store_verify(store, keys->items[i], err) < 0 ||
            store_find(store, keys->items[i], &image, err) < 0)
            return -1;
        const char *both[] = {image->backing, image->key};
        for (size_t j = 0; j < 2; j++)
            if (both[j] != NULL && !strv_has(ret_keys, both[j]))
                strv_add(ret_keys, both[j]);
    }
    return 0;
}

static int
copy_images(struct store *store, const struct strv *keys, const char *folder, struct error *err)
{
    for (size_t i = 0; i < keys->count; i++) {
        FREE_AUTO char *from = store_image_folder(store, keys->items[i]);
        FREE_AUTO char *to = path_join(folder, keys->items[i]);
        if (copy_image(from, to, err) < 0)
            return -1;
    }
    if (chmod(folder, STORE_FOLDER_MODE) < 0)
        return error_errno(err, errno, "cannot set the mode of '%s'", folder);
    return 0;
}

static int
export_marked(struct store *store, const struct strv *keys, const char *folder, struct error *err)
{
    STRV_AUTO struct strv all = {0};
    ERROR_AUTO struct error ignored = {0};
    FREE_AUTO char *parent = path_folder(folder);
    FREE_AUTO char *draft = NULL;
    if (export_keys(store, keys, &all, err) < 0 ||
        dir_temp(parent, "airbuild-export", &draft, err) < 0)
        return -1;
    if (copy_images(store, &all, draft, err) == 0 && dir_publish(draft, folder, err) == 0)
        return 0;
    (void) dir_remove(draft, &ignored);
    return -1;
}

int
store_export(struct store *store, const struct strv *keys, const char *folder, struct error *err)
{
    if (file_exists(folder))
        return error_set(
            err, ERR_CONFLICT, "'%s' exists already; name a folder that does not exist", folder);
    if (store_bake_begin(store, err) < 0)
        return -1;
    int answer = export_marked(store, keys, folder, err);
    store_bake_end(store);
    return answer;
}

// The same key may be another build here, whose bytes a layer from elsewhere does not fit.
static int
check_import_base(struct store *store, const struct jv *manifest, struct error *err)
{
    const char *key = jv_get_string(manifest, "backing");
    JV_AUTO struct jv *base = NULL;
    if (key == NULL)
        return 0;
    if (!store_is_key(key))
        return error_set(err, ERR_DAMAGED, "its base '%s' is not a valid key", key);
    FREE_AUTO char *folder = store_image_folder(store, key);
    if (manifest_read(folder, key, &base, err) < 0)
        return error_context(err, "its base '%.12s'", key);
    if (!str_equal(jv_get_string(manifest, "backing_sha256"), manifest_disk_digest(base)))
        return error_set(err, ERR_CONFLICT,
            "this store has another build of its base '%.12s'; run 'airbuild images', which bakes "
            "this image over that one",
            key);
    return 0;
}

// Copies do not keep their times, so store_publish records new ones. It compares the copies with
// the digests in the manifest.
static int
import_image(struct store *store, const char *from, const char *key, struct strv *ret_keys,
    struct error *err)
{
    JV_AUTO struct jv *manifest = NULL;
    DRAFT_AUTO struct draft *draft = NULL;
    if (manifest_read(from, key, &manifest, err) < 0 ||
        manifest_check_files(from, manifest, true, err) < 0 ||
        store_begin(store, key, &draft, err) < 0)
        return error_context(err, "the image in '%s' cannot be imported", from);
    if (draft == NULL)
        return 0;
    if (check_import_base(store, manifest, err) < 0)
        return error_context(err, "the image in '%s' cannot be imported", from);
    if (copy_files(from, draft_folder(draft), err) < 0 || store_publish(draft, manifest, err) < 0)
        return -1;
    strv_add(ret_keys, key);
    return 0;
}

// A layer is published only over a base that exists, so bases go first.
static int
import_images(struct store *store, const char *folder, const struct strv *names, bool bases,
    struct strv *ret_keys, struct error *err)
{
    for (size_t i = 0; i < names->count; i++) {
        FREE_AUTO char *from = path_join(folder, names->items[i]);
        if (store_is_key(names->items[i]) && manifest_is_base(from, names->items[i]) == bases &&
            import_image(store, from, names->items[i], ret_keys, err) < 0)
            return -1;
    }
    return 0;
}

// Reads all manifests before the first image is imported.
static int
check_import_folder(const char *folder, const struct strv *names, struct error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < names->count; i++) {
        JV_AUTO struct jv *manifest = NULL;
        FREE_AUTO char *from = path_join(folder, names->items[i]);
        if (!store_is_key(names->items[i]))
            continue;
        count++;
        if (manifest_read(from, names->items[i], &manifest, err) < 0)
            return error_context(err, "the image in '%s' cannot be imported", from);
    }
    if (count > 0)
        return 0;
    return error_set(err, ERR_NOT_FOUND,
        "there is no image in '%s'; name a folder that 'airbuild images export' made", folder);
}

int
store_import(struct store *store, const char *folder, struct strv *ret_keys, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(folder, &names, err) < 0 || check_import_folder(folder, &names, err) < 0 ||
        store_bake_begin(store, err) < 0)
        return -1;
    int answer = import_images(store, folder, &names, true, ret_keys, err);
    if (answer == 0)
        answer = import_images(store, folder, &names, false, ret_keys, err);
    store_bake_end(store);
    return answer;
}
