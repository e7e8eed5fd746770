// kept.c - downloads that are kept: which of them an image was made from, and the others removed.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "store/inside.h"

#include <errno.h>
#include <unistd.h>

// What the images that are left were made from.
static int
downloads_in_use(struct store *store, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv keys = {0};
    if (dir_list(store->images, &keys, err) < 0)
        return -1;
    for (size_t i = 0; i < keys.count; i++) {
        JV_AUTO struct jv *manifest = NULL;
        ERROR_AUTO struct error unread = {0};
        FREE_AUTO char *folder = store_image_folder(store, keys.items[i]);
        (void) store_read_manifest(folder, keys.items[i], &manifest, &unread);
        const char *sha256 = jv_get_string(manifest, "download");
        if (sha256 == NULL)
            continue;
        strv_add(ret, sha256);
        strv_addf(ret, "%s.sig", sha256);
    }
    return 0;
}

int
store_prune_downloads(struct store *store, uint64_t *bytes, struct error *err)
{
    STRV_AUTO struct strv used = {0}, names = {0};
    if (downloads_in_use(store, &used, err) < 0 || dir_list(store->downloads, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = path_join(store->downloads, names.items[i]);
        if (strv_has(&used, names.items[i]))
            continue;
        int64_t size = file_allocated(path);
        if (dir_remove(path, err) < 0)
            return -1;
        *bytes += size > 0 ? (uint64_t) size : 0;
    }
    return 0;
}
