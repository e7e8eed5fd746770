// packages.c - keeps downloaded packages by digest, and the lists (sets) that name them.
// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

enum { SET_MAX = 4 * 1024 * 1024 };

static char *
set_path(const struct store *store, const char *set)
{
    return str_format("%s/%s.json", store->sets, set);
}

int
store_keep_packages(struct store *store, const char *set, const char *folder, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    json_auto_t *list = json_array();
    CLOSE_AUTO int held = -1;
    if (store_lock(store, "packages", 60 * 1000, &held, err) < 0 ||
        dir_list(folder, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        char hex[DIGEST_HEX + 1];
        FREE_AUTO char *from = path_join(folder, name);
        if (digest_file(from, hex, err) < 0)
            return -1;
        FREE_AUTO char *to = path_join(store->packages, hex);
        json_array_append_new(list, json_pack("{s:o, s:s, s:I}", "file", text_to_json(name),
                                        "sha256", hex, "bytes", (json_int_t) file_size(from)));
        if (file_exists(to) ? unlink(from) < 0 : rename(from, to) < 0)
            return error_errno(err, errno, "cannot keep the package '%s' as '%s'", name, to);
    }
    FREE_AUTO char *path = set_path(store, set);
    return write_json_file(path, 0644, list, err);
}

int
store_package_set(struct store *store, const char *set, json_t **ret, struct error *err)
{
    FREE_AUTO char *path = set_path(store, set);
    if (read_json_file(path, SET_MAX, ret, err) == 0)
        return 0;
    return err->code == ERR_DAMAGED ? error_context(err, "the list of kept packages '%s'", path)
                                    : -1;
}

// A name with a slash would leave the folder. A damaged package is removed, so that the next bake
// downloads it again.
static int
lay_file(struct store *store, const json_t *entry, const char *folder, struct error *err)
{
    const char *name = json_string_value(json_object_get(entry, "file")),
               *wanted = json_string_value(json_object_get(entry, "sha256"));
    char hex[DIGEST_HEX + 1];
    if (name == NULL || wanted == NULL || strchr(name, '/') != NULL || !store_is_key(wanted))
        return error_set(err, ERR_DAMAGED, "a list of kept packages has an invalid entry");
    FREE_AUTO char *from = path_join(store->packages, wanted);
    FREE_AUTO char *to = path_join(folder, name);
    if (!file_exists(from))
        return error_set(err, ERR_DAMAGED, "the kept package '%s' ('%s') is missing", name, from);
    if ((link(from, to) < 0 && file_copy(from, to, 0644, err) < 0) || digest_file(to, hex, err) < 0)
        return -1;
    if (str_equal(hex, wanted))
        return 0;
    (void) unlink(from);
    (void) unlink(to);
    return error_set(err, ERR_DAMAGED, "the kept package '%s' ('%s') is damaged", name, from);
}

int
store_lay_packages(struct store *store, const char *set, const char *folder, struct error *err)
{
    json_auto_t *list = NULL;
    int answer = 0;
    if (store_package_set(store, set, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(list) && answer == 0; i++)
        answer = lay_file(store, json_array_get(list, i), folder, err);
    if (answer == 0 || err->code != ERR_DAMAGED)
        return answer;
    FREE_AUTO char *path = set_path(store, set);
    (void) unlink(path);
    return error_set(err, ERR_DAMAGED,
        "%s; airbuild dropped its package list, so try again with the network", err->message);
}
