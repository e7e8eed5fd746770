// packages.c - downloaded packages kept by digest, and the sets (lock files) that name them.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "store/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { SET_MAX = 4 * 1024 * 1024 };

static char *
set_path(const struct store *store, const char *set)
{
    return str_format("%s/%s.json", store->sets, set);
}

// Move one file in under its digest; the digest and size go into the lock.
static int
keep_file(
    struct store *store, const char *folder, const char *name, struct jv *lock, struct error *err)
{
    char hex[DIGEST_HEX + 1];
    FREE_AUTO char *from = path_join(folder, name);
    if (digest_file(from, hex, err) < 0)
        return -1;
    FREE_AUTO char *to = path_join(store->packages, hex);
    struct jv *entry = jv_object();
    jv_push(lock, entry);
    jv_set_string(entry, "file", name);
    jv_set_string(entry, "sha256", hex);
    jv_set_int(entry, "bytes", file_size(from));
    if (file_exists(to) ? unlink(from) < 0 : rename(from, to) < 0)
        return error_errno(err, errno, "cannot keep the package '%s' as '%s'", name, to);
    return 0;
}

int
store_keep_packages(struct store *store, const char *set, const char *folder, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    JV_AUTO struct jv *lock = jv_array();
    CLOSE_AUTO int held = -1;
    if (store_lock_key(store, "packages", 60 * 1000, &held, err) < 0 ||
        dir_list(folder, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (keep_file(store, folder, names.items[i], lock, err) < 0)
            return -1;
    FREE_AUTO char *text = jv_print(lock, true);
    FREE_AUTO char *path = set_path(store, set);
    return file_write(path, 0644, text, strlen(text), err);
}

int
store_package_set(struct store *store, const char *set, struct jv **ret, struct error *err)
{
    FREE_AUTO char *path = set_path(store, set);
    FREE_AUTO char *text = NULL;
    size_t length = 0;
    if (file_read(path, SET_MAX, &text, &length, err) < 0)
        return -1;
    if (jv_parse(text, length, ret, err) < 0)
        return error_context(err, "the list of kept packages '%s'", path);
    return 0;
}

// A name with a slash would leave the folder. What is damaged is worth nothing: it goes, so that it
// is downloaded anew.
static int
lay_file(struct store *store, const struct jv *entry, const char *folder, struct error *err)
{
    const char *name = jv_get_string(entry, "file"), *wanted = jv_get_string(entry, "sha256");
    char hex[DIGEST_HEX + 1];
    if (name == NULL || wanted == NULL || strchr(name, '/') != NULL || !store_is_key(wanted))
        return error_set(err, ERR_DAMAGED, "a list of kept packages has an entry of another form");
    FREE_AUTO char *from = path_join(store->packages, wanted);
    FREE_AUTO char *to = path_join(folder, name);
    if (!file_exists(from))
        return error_set(err, ERR_DAMAGED, "the kept package '%s' ('%s') is gone", name, from);
    if ((link(from, to) < 0 && file_copy(from, to, 0644, err) < 0) || digest_file(to, hex, err) < 0)
        return -1;
    if (str_equal(hex, wanted))
        return 0;
    (void) unlink(from);
    (void) unlink(to);
    return error_set(err, ERR_DAMAGED, "the kept package '%s' ('%s') is damaged", name, from);
}

static int
lay_files(struct store *store, const struct jv *lock, const char *folder, struct error *err)
{
    for (size_t i = 0; i < jv_count(lock); i++)
        if (lay_file(store, jv_at(lock, i), folder, err) < 0)
            return -1;
    return 0;
}

int
store_lay_packages(struct store *store, const char *set, const char *folder, struct error *err)
{
    JV_AUTO struct jv *lock = NULL;
    FREE_AUTO char *path = set_path(store, set);
    if (store_package_set(store, set, &lock, err) < 0)
        return -1;
    if (lay_files(store, lock, folder, err) == 0)
        return 0;
    if (err->code != ERR_DAMAGED)
        return -1;
    (void) unlink(path);
    return error_set(
        err, ERR_DAMAGED, "%s; its set is forgotten, so try again with the network", err->message);
}
