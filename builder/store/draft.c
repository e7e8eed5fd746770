// draft.c - makes an image: in a locked private folder, published by one rename or removed.
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "store/manifest.h"

#include <errno.h>
#include <sys/stat.h>

struct draft {
    struct store *store; // borrowed
    char *key;
    char *folder; // NULL once published
    int lock;
};

void
draft_free(struct draft *draft)
{
    if (draft == NULL)
        return;
    ERROR_AUTO struct error ignored = {0}; // what cannot be removed now is swept at the next start
    if (draft->folder != NULL)
        (void) dir_remove(draft->folder, &ignored);
    if (draft->lock >= 0)
        close(draft->lock);
    free(draft->key);
    free(draft->folder);
    free(draft);
}

const char *
draft_folder(const struct draft *draft)
{
    return draft->folder;
}

int
store_begin(struct store *store, const char *key, struct draft **ret, struct error *err)
{
    DRAFT_AUTO struct draft *draft = mem_zero(1, sizeof *draft);
    draft->store = store;
    draft->key = str_dup(key);
    draft->lock = -1;
    *ret = NULL;
    if (store_lock_image(store, key, &draft->lock, err) < 0)
        return -1;
    if (store_has(store, key))
        return 0;
    draft->folder = str_format("%s/.%s", store->images, key);
    if (dir_remove(draft->folder, err) < 0 || dir_make(draft->folder, 0700, err) < 0)
        return -1;
    *ret = TAKE(draft);
    return 0;
}

int
store_publish(struct draft *draft, json_t *manifest, struct error *err)
{
    FREE_AUTO char *stamp = clock_stamp();
    json_object_set_new(manifest, "format", json_integer(STORE_FORMAT));
    json_object_set_new(manifest, "key", text_to_json(draft->key));
    json_object_set_new(manifest, "created", text_to_json(stamp));
    if (manifest_record_files(draft->folder, manifest, err) < 0 ||
        manifest_record_base(draft->store, manifest, err) < 0)
        return -1;
    FREE_AUTO char *path = path_join(draft->folder, STORE_MANIFEST);
    FREE_AUTO char *target = path_join(draft->store->images, draft->key);
    if (write_json_file(path, 0444, manifest, err) < 0)
        return -1;
    if (chmod(draft->folder, STORE_FOLDER_MODE) < 0)
        return error_errno(err, errno, "cannot set the mode of '%s'", draft->folder);
    if (dir_publish(draft->folder, target, err) < 0)
        return -1;
    free(TAKE(draft->folder));
    return 0;
}
