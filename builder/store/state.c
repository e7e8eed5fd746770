// state.c - small JSON files that airbuilds share: one member is changed at a time, under a lock.
// One of them caches the digests of the user's large files.
// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "store/store.h"

#include <errno.h>
#include <sys/stat.h>

#define DIGESTS "digests.json"

enum { STATE_MAX = 1024 * 1024, STATE_WAIT_MS = 30 * 1000 };

int
store_state_read(const struct store *store, const char *name, struct jv **ret, struct error *err)
{
    FREE_AUTO char *path = path_join(store->folder, name);
    if (jv_read(path, STATE_MAX, ret, err) == 0)
        return 0;
    if (err->code == ERR_NOT_FOUND) {
        error_clear(err);
        *ret = jv_object();
        return 0;
    }
    if (err->code != ERR_DAMAGED)
        return -1;
    return error_set(err, ERR_DAMAGED,
        "'%s' cannot be read (%s); remove the file, and airbuild writes a new one", path,
        err->message);
}

int
store_state_put(
    struct store *store, const char *name, const char *member, struct jv *value, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    JV_AUTO struct jv *owned = value, *state = NULL;
    FREE_AUTO char *path = path_join(store->folder, name);
    // The lock guards all of the folder, so temporary files there are leftovers.
    if (store_lock(store, "state", STATE_WAIT_MS, &lock, err) < 0 ||
        dir_sweep(store->folder, err) < 0)
        return -1;
    if (member == NULL)
        return jv_write(path, 0644, owned, err);
    if (store_state_read(store, name, &state, err) < 0)
        return -1;
    jv_set(state, member, TAKE(owned));
    return jv_write(path, 0644, state, err);
}

// ---- digests of the user's files ----------------------------------------------------------------

// Differs between two states of a file.
static char *
identity_of(const struct stat *info)
{
    return str_format("%llu:%llu:%lld:%lld.%09ld:%lld.%09ld", (unsigned long long) info->st_dev,
        (unsigned long long) info->st_ino, (long long) info->st_size,
        (long long) info->st_mtim.tv_sec, info->st_mtim.tv_nsec, (long long) info->st_ctim.tv_sec,
        info->st_ctim.tv_nsec);
}

// A cache that cannot be read is dropped: every file can be read again.
static struct jv *
read_digests(const struct store *store)
{
    ERROR_AUTO struct error err = {0};
    struct jv *digests = NULL;
    if (store_state_read(store, DIGESTS, &digests, &err) == 0)
        return digests;
    FREE_AUTO char *path = path_join(store->folder, DIGESTS);
    if (err.code == ERR_DAMAGED)
        (void) unlink(path);
    return jv_object();
}

int
store_file_digest(struct store *store, const char *path, char **ret_hex, struct error *err)
{
    struct stat info;
    char hex[DIGEST_HEX + 1];
    if (stat(path, &info) < 0)
        return error_errno(err, errno, "cannot examine '%s'", path);
    FREE_AUTO char *identity = identity_of(&info);
    JV_AUTO struct jv *digests = read_digests(store);
    const struct jv *known = jv_get(digests, path);
    if (str_equal(jv_get_string(known, "identity"), identity)) {
        *ret_hex = str_dup(jv_get_string(known, "sha256"));
        return 0;
    }
    if (digest_file(path, hex, err) < 0)
        return -1;
    struct jv *entry = jv_object();
    jv_set_string(entry, "identity", identity);
    jv_set_string(entry, "sha256", hex);
    if (store_state_put(store, DIGESTS, path, entry, err) < 0)
        return -1;
    *ret_hex = str_dup(hex);
    return 0;
}
