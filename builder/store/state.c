// state.c - small JSON files that airbuilds share: one member is changed at a time, under a lock.
// One of them caches the digests of the user's large files.
// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "store/store.h"

#include <errno.h>
#include <sys/stat.h>

#define DIGESTS "digests.json"

enum { STATE_MAX = 1024 * 1024, STATE_WAIT_MS = 30 * 1000 };

int
store_state_read(const struct store *store, const char *name, json_t **ret, struct error *err)
{
    FREE_AUTO char *path = path_join(store->folder, name);
    if (read_json_file(path, STATE_MAX, ret, err) == 0)
        return 0;
    if (err->code == ERR_NOT_FOUND) {
        error_clear(err);
        *ret = json_object();
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
    struct store *store, const char *name, const char *member, json_t *value, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    json_auto_t *owned = value, *state = NULL;
    FREE_AUTO char *path = path_join(store->folder, name);
    // The lock guards all of the folder, so temporary files there are leftovers.
    if (store_lock(store, "state", STATE_WAIT_MS, &lock, err) < 0 ||
        dir_sweep(store->folder, err) < 0)
        return -1;
    if (member == NULL)
        return write_json_file(path, 0644, owned, err);
    if (store_state_read(store, name, &state, err) < 0)
        return -1;
    json_object_set_new(state, member, TAKE(owned));
    return write_json_file(path, 0644, state, err);
}

// ---- digests of the user's files ----------------------------------------------------------------

int
store_file_digest(struct store *store, const char *path, char **ret_hex, struct error *err)
{
    struct stat info;
    char hex[DIGEST_HEX + 1];
    json_auto_t *digests = NULL;
    ERROR_AUTO struct error unread = {0};
    if (stat(path, &info) < 0)
        return error_errno(err, errno, "cannot examine '%s'", path);
    // Differs between two states of a file.
    FREE_AUTO char *identity = str_format("%llu:%llu:%lld:%lld.%09ld:%lld.%09ld",
        (unsigned long long) info.st_dev, (unsigned long long) info.st_ino,
        (long long) info.st_size, (long long) info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
        (long long) info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
    // A cache that cannot be read is dropped: every file can be read again.
    FREE_AUTO char *cache = path_join(store->folder, DIGESTS);
    if (store_state_read(store, DIGESTS, &digests, &unread) < 0 && unread.code == ERR_DAMAGED)
        (void) unlink(cache);
    const json_t *known = json_object_get(digests, path);
    if (str_equal(json_string_value(json_object_get(known, "identity")), identity)) {
        *ret_hex = str_dup(json_string_value(json_object_get(known, "sha256")));
        return 0;
    }
    if (digest_file(path, hex, err) < 0)
        return -1;
    json_t *entry = json_pack("{s:o, s:s}", "identity", text_to_json(identity), "sha256", hex);
    if (store_state_put(store, DIGESTS, path, entry, err) < 0)
        return -1;
    *ret_hex = str_dup(hex);
    return 0;
}
