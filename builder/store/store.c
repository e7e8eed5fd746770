// store.c - opening a store: its folders, and the drafts that interrupted bakes left.
// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"

#include <string.h>

bool
store_is_key(const char *name)
{
    return strlen(name) == DIGEST_HEX && strspn(name, "0123456789abcdef") == DIGEST_HEX;
}

int
store_keys(const char *folder, struct strv *ret_keys, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(folder, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (store_is_key(names.items[i]))
            strv_add(ret_keys, names.items[i]);
    return 0;
}

static int
sweep_drafts(const struct store *store, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    if (dir_list(store->images, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        CLOSE_AUTO int lock = -1;
        const char *name = names.items[i];
        FREE_AUTO char *folder = path_join(store->images, name);
        if (name[0] != '.' || !store_is_key(name + 1))
            continue;
        // A draft whose lock is held is still being made.
        int taken = store_try_lock(store, name + 1, &lock, err);
        if (taken < 0 || (taken > 0 && dir_remove(folder, err) < 0))
            return -1;
    }
    return 0;
}

static int
make_folders(struct store *store, const char *home, struct error *err)
{
    if (dir_make_top(home, 0711, err) < 0)
        return -1;
    FREE_AUTO char *canonical = realpath(home, NULL);
    if (canonical == NULL)
        return error_set(err, ERR_FAILED, "cannot follow the path '%s'; check its links", home);
    store->folder = path_join(canonical, "store");
    store->images = path_join(store->folder, "images");
    store->locks = path_join(store->folder, "locks");
    store->packages = path_join(store->folder, "packages");
    store->sets = path_join(store->packages, "sets");
    store->downloads = path_join(store->folder, "downloads");
    store->users = path_join(store->folder, "users");
    const char *folders[] = {
        store->images, store->locks, store->sets, store->downloads, store->users};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (dir_make(folders[i], STORE_FOLDER_MODE, err) < 0)
            return -1;
    return 0;
}

int
store_open(const char *home, struct store **ret, struct error *err)
{
    STORE_AUTO struct store *store = mem_zero(1, sizeof *store);
    if (make_folders(store, home, err) < 0 || sweep_drafts(store, err) < 0)
        return error_context(err, "cannot use the image store in '%s'", home);
    *ret = TAKE(store);
    return 0;
}

void
store_free(struct store *store)
{
    if (store == NULL)
        return;
    store_bake_end(store);
    free(store->folder);
    free(store->images);
    free(store->locks);
    free(store->packages);
    free(store->sets);
    free(store->downloads);
    free(store->users);
    free(store);
}
