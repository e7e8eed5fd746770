// image.c - reads published images, checks them with their bases, and lists them.
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "store/manifest.h"

#include <jansson.h>
#include <string.h>

void
image_free(struct image *image)
{
    if (image == NULL)
        return;
    free(image->disk);
    free(image->kernel);
    free(image->initrd);
    free(image->backing_disk);
    json_decref(image->manifest);
    free(image);
}

// A base that was baked again is another disk under the same key, which does not fit the layers
// over the first one.
static int
check_image_base(
    const struct store *store, const json_t *manifest, bool thorough, struct error *err)
{
    const char *key = json_string_value(json_object_get(manifest, "backing"));
    json_auto_t *base = NULL;
    if (key == NULL)
        return 0;
    if (!store_is_key(key) || !store_has(store, key))
        return error_set(err, ERR_DAMAGED, "its base '%s' is missing", key);
    if (manifest_check(store->images, key, thorough, &base, err) < 0)
        return error_context(err, "its base");
    if (!str_equal(json_string_value(json_object_get(manifest, "backing_sha256")),
            manifest_disk_digest(base)))
        return error_set(err, ERR_DAMAGED, "its base was baked again after it");
    return 0;
}

// Caller frees *ret, after errors too. Adds the fix to an ERR_DAMAGED: an image that backs disks
// must not be baked again, as another build would not fit them.
static int
check_image(
    const struct store *store, const char *key, bool thorough, json_t **ret, struct error *err)
{
    STRV_AUTO struct strv folders = {0};
    ERROR_AUTO struct error unread = {0};
    if (store_require(store, key, err) < 0)
        return -1;
    if (manifest_check(store->images, key, thorough, ret, err) == 0 &&
        check_image_base(store, *ret, thorough, err) == 0)
        return 0;
    if (err->code != ERR_DAMAGED)
        return -1;
    if (!store_has(store, key)) // it was removed during the check
        return store_require(store, key, err);
    const char *name = json_string_value(json_object_get(*ret, "name"));
    name = name == NULL ? "?" : name;
    (void) store_users_locked(store, key, &folders, &unread);
    if (folders.count == 0)
        return error_set(err, ERR_DAMAGED,
            "the image '%s' (%.12s) is damaged: %s; run 'airbuild images', which bakes it again",
            name, key, err->message);
    FREE_AUTO char *list = strv_join(&folders, "', '");
    return error_set(err, ERR_DAMAGED,
        "the image '%s' (%.12s) is damaged: %s; it backs disks of the cluster in '%s', so restore "
        "the file, or run 'airbuild destroy' for that cluster and then 'airbuild images', which "
        "bakes it again",
        name, key, err->message, list);
}

int
store_find(struct store *store, const char *key, struct image **ret, struct error *err)
{
    json_auto_t *manifest = NULL;
    if (check_image(store, key, false, &manifest, err) < 0)
        return -1;
    struct image *image = *ret = mem_zero(1, sizeof *image);
    image->key = json_string_value(json_object_get(manifest, "key"));
    image->name = json_string_value(json_object_get(manifest, "name"));
    image->family = json_string_value(json_object_get(manifest, "family"));
    image->cmdline = json_string_value(json_object_get(manifest, "cmdline"));
    image->backing = json_string_value(json_object_get(manifest, "backing"));
    image->created = json_string_value(json_object_get(manifest, "created"));
    image->virtual_bytes =
        (uint64_t) json_integer_value(json_object_get(manifest, "virtual_bytes"));
    image->manifest = TAKE(manifest);
    image->disk = str_format("%s/%s/" STORE_DISK, store->images, key);
    image->kernel = str_format("%s/%s/" STORE_KERNEL, store->images, key);
    image->initrd = str_format("%s/%s/" STORE_INITRD, store->images, key);
    if (image->backing != NULL)
        image->backing_disk = str_format("%s/%s/" STORE_DISK, store->images, image->backing);
    int64_t bytes = file_allocated(image->disk);
    image->disk_bytes = bytes < 0 ? 0 : (uint64_t) bytes;
    return 0;
}

int
store_verify(struct store *store, const char *key, struct error *err)
{
    json_auto_t *manifest = NULL;
    return check_image(store, key, true, &manifest, err);
}

// ---- lists --------------------------------------------------------------------------------------

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

int
store_list(struct store *store, struct image_list *ret, struct strv *ret_damaged, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (store_keys(store->images, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        struct image *image = NULL;
        if (store_find(store, keys.items[i], &image, err) < 0) {
            if (err->code != ERR_DAMAGED && err->code != ERR_CONFLICT && err->code != ERR_NOT_FOUND)
                return -1;
            if (err->code != ERR_NOT_FOUND) // removed meanwhile
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
