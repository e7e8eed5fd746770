// asset.c - see asset.h. scripts/assets writes the table of the files.
// SPDX-License-Identifier: Apache-2.0
#include "base/asset.h"

#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ASSET_MAX = 1024 * 1024, DEPTH_MAX = 8 };

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

static void
add_name(struct strv *names, const char *prefix, const char *name)
{
    if (str_starts(name, prefix) && !strv_has(names, name))
        strv_add(names, name);
}

// A folder that cannot be listed adds no names: asset_read reports why.
static void
add_folder(
    struct strv *names, const char *prefix, const char *folder, const char *below, unsigned depth)
{
    STRV_AUTO struct strv entries = {0};
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(folder, below);
    if (depth > DEPTH_MAX || dir_list(path, &entries, &err) < 0)
        return;
    for (size_t i = 0; i < entries.count; i++) {
        FREE_AUTO char *name = path_join(below, entries.items[i]);
        FREE_AUTO char *full = path_join(folder, name);
        struct stat info;
        if (stat(full, &info) < 0)
            continue;
        if (S_ISDIR(info.st_mode))
            add_folder(names, prefix, folder, name, depth + 1);
        else if (S_ISREG(info.st_mode))
            add_name(names, prefix, name);
    }
}

void
asset_list(const char *prefix, struct strv *ret_names)
{
    const char *folder = getenv("AIRBUILD_ASSETS");
    for (const struct asset *asset = asset_table; asset->name != NULL; asset++)
        add_name(ret_names, prefix, asset->name);
    if (folder != NULL) {
        add_folder(ret_names, prefix, folder, "images", 0);
        add_folder(ret_names, prefix, folder, "cloud-init", 0);
    }
    strv_sort(ret_names);
}
