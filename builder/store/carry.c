// carry.c - an image and its base copied out of one store and taken into another.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "store/inside.h"

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

int
store_export(struct store *store, const char *key, const char *folder, struct error *err)
{
    IMAGE_AUTO struct image *image = NULL;
    if (file_exists(folder))
        return error_set(err, ERR_CONFLICT,
            "'%s' is there already; name a folder that does not exist yet", folder);
    if (store_verify(store, key, err) < 0 || store_find(store, key, &image, err) < 0)
        return -1;
    const char *keys[] = {image->backing, image->key};
    for (size_t i = 0; i < 2; i++) {
        if (keys[i] == NULL)
            continue;
        FREE_AUTO char *from = store_image_folder(store, keys[i]);
        FREE_AUTO char *to = path_join(folder, keys[i]);
        if (copy_image(from, to, err) < 0)
            return -1;
    }
    return 0;
}

// Copies lose the recorded times, which the manifest is checked and written anew with.
static int
take_in(struct store *store, const char *from, const char *key, struct strv *ret_keys,
    struct error *err)
{
    JV_AUTO struct jv *manifest = NULL;
    DRAFT_AUTO struct draft *draft = NULL;
    if (store_read_manifest(from, key, &manifest, err) < 0 ||
        store_check_files(from, manifest, true, err) < 0 ||
        store_begin(store, key, 0, &draft, err) < 0)
        return error_context(err, "the image in '%s' cannot be taken in", from);
    if (draft == NULL)
        return 0;
    if (copy_files(from, draft_folder(draft), err) < 0 || store_publish(draft, manifest, err) < 0)
        return -1;
    strv_add(ret_keys, key);
    return 0;
}

static bool
is_base(const char *folder, const char *key)
{
    JV_AUTO struct jv *manifest = NULL;
    ERROR_AUTO struct error err = {0};
    return store_read_manifest(folder, key, &manifest, &err) == 0 &&
           jv_get_string(manifest, "backing") == NULL;
}

// Bases first: a layer is published only over a base that is there.
static int
take_all(struct store *store, const char *folder, const struct strv *names, bool bases,
    struct strv *ret_keys, struct error *err)
{
    for (size_t i = 0; i < names->count; i++) {
        FREE_AUTO char *from = path_join(folder, names->items[i]);
        if (store_is_key(names->items[i]) && is_base(from, names->items[i]) == bases &&
            take_in(store, from, names->items[i], ret_keys, err) < 0)
            return -1;
    }
    return 0;
}

int
store_import(struct store *store, const char *folder, struct strv *ret_keys, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(folder, &names, err) < 0 ||
        take_all(store, folder, &names, true, ret_keys, err) < 0)
        return -1;
    return take_all(store, folder, &names, false, ret_keys, err);
}
