// list.c - all images of a store, told.
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

int
store_keys(const struct store *store, struct strv *ret_keys, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(store->images, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (store_is_key(names.items[i]))
            strv_add(ret_keys, names.items[i]);
    return 0;
}

bool
store_is_base(const char *folder, const char *key)
{
    JV_AUTO struct jv *manifest = NULL;
    ERROR_AUTO struct error unread = {0};
    return store_read_manifest(folder, key, &manifest, &unread) == 0 &&
           jv_get_string(manifest, "backing") == NULL;
}

int
store_list(struct store *store, struct image_list *ret, struct strv *ret_damaged, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (store_keys(store, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        struct image *image = NULL;
        if (store_find(store, keys.items[i], &image, err) < 0) {
            if (err->code != ERR_DAMAGED && err->code != ERR_CONFLICT && err->code != ERR_NOT_FOUND)
                return -1;
            if (err->code != ERR_NOT_FOUND) // removed during the look
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
