// frozen_files.c - the files of a frozen set: what its manifest records of them, and what is there.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/frozen.h"

#include "base/compress.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"

#include <string.h>

enum { MANIFEST_MAX = 1 << 20, REASON_MAX = 4096 };

static const char *const node_files[] = {FROZEN_DISK, FROZEN_MEMORY, FROZEN_SEED};

char *
frozen_folder(const struct store *store)
{
    return path_join(store->folder, "frozen");
}

void
frozen_key(const json_t *depends, char ret_key[65])
{
    FREE_AUTO char *text = json_dumps(depends, JSON_COMPACT | JSON_SORT_KEYS);
    digest_bytes(text, strlen(text), ret_key);
}

// Returns the names of the files that a set has, in its folder.
static struct strv
file_names(const json_t *manifest)
{
    struct strv names = {0};
    const char *node;
    const json_t *image;
    strv_add(&names, FROZEN_SECRETS);
    json_t *images = json_object_get(json_object_get(manifest, "depends"), "images");
    json_object_foreach(images, node, image) for (size_t i = 0;
                                                  i < sizeof node_files / sizeof *node_files; i++)
        strv_addf(&names, "%s/%s", node, node_files[i]);
    return names;
}

static bool
is_memory(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash != NULL && str_equal(slash + 1, FROZEN_MEMORY);
}

int
frozen_record_files(const char *folder, json_t *manifest, struct error *err)
{
    STRV_AUTO struct strv names = file_names(manifest);
    json_auto_t *files = json_object();
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = path_join(folder, names.items[i]);
        char hex[DIGEST_HEX + 1];
        json_t *file = json_pack("{s:I}", "bytes", (json_int_t) file_size(path));
        json_object_set_new(files, names.items[i], file);
        if (is_memory(names.items[i]))
            continue;
        if (digest_file(path, hex, err) < 0)
            return -1;
        json_object_set_new(file, "sha256", json_string(hex));
    }
    json_object_set_new(manifest, "files", TAKE(files));
    return 0;
}

// ---- check ---------------------------------------------------------------------------------------

// Returns what is wrong with the names and sizes of the files, or NULL; caller frees.
static char *
compare_files(const struct frozen_set *set)
{
    STRV_AUTO struct strv names = file_names(set->manifest);
    const json_t *files = json_object_get(set->manifest, "files");
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = path_join(set->folder, names.items[i]);
        const json_t *bytes = json_object_get(json_object_get(files, names.items[i]), "bytes");
        long long wanted = json_is_integer(bytes) ? json_integer_value(bytes) : -1;
        int64_t size = file_size(path);
        if (size < 0)
            return str_format("lacks %s", names.items[i]);
        if (wanted < 0)
            return str_format("has no record of %s", names.items[i]);
        if (size != wanted)
            return str_format("has %lld bytes of %s where %lld were recorded", (long long) size,
                names.items[i], wanted);
    }
    return NULL;
}

// Reads the manifest, which must be that of the folder's name. Returns what is wrong with it.
static char *
read_manifest(struct frozen_set *set)
{
    FREE_AUTO char *path = path_join(set->folder, FROZEN_MANIFEST);
    ERROR_AUTO struct error err = {0};
    char key[DIGEST_HEX + 1];
    if (read_json_file(path, MANIFEST_MAX, &set->manifest, &err) < 0)
        return err.code == ERR_NOT_FOUND
                   ? str_dup("lacks " FROZEN_MANIFEST)
                   : str_format("has a damaged " FROZEN_MANIFEST " (%s)", err.message);
    set->newer = json_integer_value(json_object_get(set->manifest, "format")) > FROZEN_FORMAT;
    if (set->newer)
        return NULL;
    const json_t *depends = json_object_get(set->manifest, "depends");
    if (json_is_object(depends))
        frozen_key(depends, key);
    if (json_is_object(depends) && str_equal(key, set->key))
        return NULL;
    return str_dup("has the " FROZEN_MANIFEST " of another set");
}

struct frozen_set *
frozen_load(const char *sets, const char *key)
{
    struct frozen_set *set = mem_zero(1, sizeof *set);
    ERROR_AUTO struct error ignored = {0};
    FREE_AUTO char *reason = NULL;
    set->lock = -1;
    set->key = str_dup(key);
    set->folder = path_join(sets, key);
    set->damage = read_manifest(set);
    if (set->damage != NULL || set->newer)
        return set;
    FREE_AUTO char *mark = path_join(set->folder, FROZEN_DAMAGED);
    if (file_read(mark, REASON_MAX, &reason, NULL, &ignored) == 0)
        set->damage = str_format("is damaged (%s)", reason);
    else
        set->damage = compare_files(set);
    return set;
}

int
frozen_verify(const struct frozen_set *set, struct error *err)
{
    STRV_AUTO struct strv names = file_names(set->manifest);
    const json_t *files = json_object_get(set->manifest, "files");
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = path_join(set->folder, names.items[i]);
        const json_t *file = json_object_get(files, names.items[i]);
        char hex[DIGEST_HEX + 1] = "";
        int result =
            is_memory(names.items[i]) ? decompress_check(path, err) : digest_file(path, hex, err);
        if (result < 0 && err->code != ERR_DAMAGED)
            return -1;
        if (result == 0 && (is_memory(names.items[i]) ||
                               str_equal(hex, json_string_value(json_object_get(file, "sha256")))))
            continue;
        return error_set(err, ERR_DAMAGED, "the content of %s has changed", names.items[i]);
    }
    return 0;
}
