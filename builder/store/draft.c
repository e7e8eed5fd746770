// draft.c - makes an image: in a locked private folder, published by one rename or removed.
// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/file.h"
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

void
draft_freep(struct draft **draft)
{
    draft_free(*draft);
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
    draft->folder = store_draft_folder(store, key);
    if (dir_remove(draft->folder, err) < 0 || dir_make(draft->folder, 0700, err) < 0)
        return -1;
    *ret = TAKE(draft);
    return 0;
}

// Records the image's files, which are read-only from here on. Those of an imported image must have
// the digests that its manifest names.
static int
describe_files(struct draft *draft, struct jv *manifest, struct error *err)
{
    JV_AUTO struct jv *files = jv_object();
    const struct jv *before = jv_get(manifest, "files");
    for (size_t i = 0; store_files[i] != NULL; i++) {
        FREE_AUTO char *path = path_join(draft->folder, store_files[i]);
        struct jv *file = NULL;
        if (chmod(path, 0444) < 0)
            return error_errno(err, errno, "cannot make '%s' read-only", path);
        if (manifest_describe_file(path, &file, err) < 0)
            return -1;
        jv_set(files, store_files[i], file);
        const char *wanted = jv_get_string(jv_get(before, store_files[i]), "sha256");
        if (wanted != NULL && !str_equal(wanted, jv_get_string(file, "sha256")))
            return error_set(err, ERR_DAMAGED,
                "the copy '%s' differs from its source, which changed meanwhile, or a disk of this "
                "host fails; check them and try again",
                path);
    }
    jv_set(manifest, "files", TAKE(files));
    return 0;
}

static int
describe_base(struct draft *draft, struct jv *manifest, struct error *err)
{
    const char *key = jv_get_string(manifest, "backing");
    JV_AUTO struct jv *base = NULL;
    if (key == NULL)
        return 0;
    FREE_AUTO char *folder = store_image_folder(draft->store, key);
    if (manifest_read(folder, key, &base, err) < 0)
        return error_context(err, "the base '%.12s'", key);
    const char *there = manifest_disk_digest(base);
    const char *wanted = jv_get_string(manifest, "backing_sha256");
    if (wanted != NULL && !str_equal(wanted, there))
        return error_set(err, ERR_CONFLICT,
            "its base '%.12s' was baked again meanwhile; run 'airbuild images' again", key);
    jv_set_string(manifest, "backing_sha256", there);
    return 0;
}

int
store_publish(struct draft *draft, struct jv *manifest, struct error *err)
{
    FREE_AUTO char *stamp = clock_stamp();
    jv_set_int(manifest, "format", STORE_FORMAT);
    jv_set_string(manifest, "key", draft->key);
    jv_set_string(manifest, "created", stamp);
    if (describe_files(draft, manifest, err) < 0 || describe_base(draft, manifest, err) < 0)
        return -1;
    FREE_AUTO char *path = path_join(draft->folder, STORE_MANIFEST);
    FREE_AUTO char *target = store_image_folder(draft->store, draft->key);
    if (jv_write(path, 0444, manifest, err) < 0)
        return -1;
    if (chmod(draft->folder, STORE_FOLDER_MODE) < 0)
        return error_errno(err, errno, "cannot set the mode of '%s'", draft->folder);
    if (dir_publish(draft->folder, target, err) < 0)
        return -1;
    free(TAKE(draft->folder));
    return 0;
}
