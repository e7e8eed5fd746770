// asset.c - see asset.h. scripts/assets writes the table of the files.
// SPDX-License-Identifier: Apache-2.0
#include "base/asset.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fts.h>
#include <stdlib.h>
#include <string.h>

enum { ASSET_MAX = 1024 * 1024 };

struct asset {
    const char *name;
    const char *start;
    const char *end;
};

extern const struct asset asset_table[]; // ends with a NULL name

int
asset_read(const char *name, char **ret_data, size_t *ret_length, struct error *err)
{
    const char *folder = getenv("AIRBUILD_ASSETS");
    STRV_AUTO struct strv parts = {0};
    strv_split(&parts, name, '/');
    // Recipes choose names: only those inside the folder are read from it.
    if (folder != NULL && name[0] != '/' && !strv_has(&parts, "..")) {
        FREE_AUTO char *path = path_join(folder, name);
        int answer = file_read(path, ASSET_MAX, ret_data, ret_length, err);
        if (answer == 0 || err->code != ERR_NOT_FOUND)
            return answer;
        error_clear(err);
    }
    for (const struct asset *asset = asset_table; asset->name != NULL; asset++) {
        if (strcmp(asset->name, name) != 0)
            continue;
        size_t length = (size_t) (asset->end - asset->start);
        *ret_data = str_ndup(asset->start, length);
        if (ret_length != NULL)
            *ret_length = length;
        return 0;
    }
    return error_set(err, ERR_NOT_FOUND,
        "airbuild has no built-in file '%s'; put it into the folder AIRBUILD_ASSETS", name);
}

int
asset_fill(
    const char *name, const struct asset_slot *slots, size_t count, char **ret, struct error *err)
{
    FREE_AUTO char *data = NULL;
    BUF_AUTO struct buf filled = {0};
    if (asset_read(name, &data, NULL, err) < 0)
        return -1;
    const char *at = data;
    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(at, slots[i].slot);
        if (found == NULL)
            return error_set(err, ERR_DAMAGED,
                "the page '%s' has no '%s'; remove it from the folder that AIRBUILD_ASSETS names",
                name, slots[i].slot);
        buf_add_bytes(&filled, at, (size_t) (found - at));
        buf_add(&filled, slots[i].text);
        at = found + strlen(slots[i].slot);
    }
    buf_add(&filled, at);
    *ret = buf_take(&filled);
    return 0;
}

bool
asset_is_own(const char *name)
{
    const char *folder = getenv("AIRBUILD_ASSETS");
    FREE_AUTO char *path = folder == NULL ? NULL : path_join(folder, name);
    return path != NULL && file_exists(path);
}

static void
add_name(struct strv *names, const char *prefix, const char *name)
{
    if (str_starts(name, prefix) && !strv_has(names, name))
        strv_add(names, name);
}

void
asset_list(const char *prefix, struct strv *ret_names)
{
    const char *folder = getenv("AIRBUILD_ASSETS");
    for (const struct asset *asset = asset_table; asset->name != NULL; asset++)
        add_name(ret_names, prefix, asset->name);
    if (folder != NULL) {
        FREE_AUTO char *images = path_join(folder, "images");
        FREE_AUTO char *seeds = path_join(folder, "cloud-init");
        size_t begin = strlen(images) - strlen("images");
        FTS *tree = fts_open((char *const[]){images, seeds, NULL}, FTS_LOGICAL | FTS_NOCHDIR, NULL);
        if (tree == NULL)
            mem_exhausted();
        // A folder that cannot be listed adds no names: asset_read reports why.
        for (const FTSENT *entry; (entry = fts_read(tree)) != NULL;)
            if (entry->fts_info == FTS_F)
                add_name(ret_names, prefix, entry->fts_path + begin);
        fts_close(tree);
    }
    strv_sort(ret_names);
}
