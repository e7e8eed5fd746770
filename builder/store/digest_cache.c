// digest_cache.c - the digest of a large file of the user, remembered until the file changes.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "store/internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY "digests.json"

// What tells one state of a file from another.
static char *
identity_of(const struct stat *info)
{
    return str_format("%llu:%llu:%lld:%lld.%09ld:%lld.%09ld", (unsigned long long) info->st_dev,
        (unsigned long long) info->st_ino, (long long) info->st_size,
        (long long) info->st_mtim.tv_sec, info->st_mtim.tv_nsec, (long long) info->st_ctim.tv_sec,
        info->st_ctim.tv_nsec);
}

// A memory that cannot be read is worth nothing here: every file can be read again.
static struct jv *
read_known(const struct store *store)
{
    ERROR_AUTO struct error err = {0};
    struct jv *known = NULL;
    if (store_state_read(store, MEMORY, &known, &err) == 0)
        return known;
    FREE_AUTO char *path = path_join(store->folder, MEMORY);
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
        return error_errno(err, errno, "cannot look at '%s'", path);
    FREE_AUTO char *identity = identity_of(&info);
    JV_AUTO struct jv *known = read_known(store);
    const struct jv *entry = jv_get(known, path);
    if (str_equal(jv_get_string(entry, "identity"), identity)) {
        *ret_hex = str_dup(jv_get_string(entry, "sha256"));
        return 0;
    }
    if (digest_file(path, hex, err) < 0)
        return -1;
    struct jv *fresh = jv_object();
    jv_set_string(fresh, "identity", identity);
    jv_set_string(fresh, "sha256", hex);
    if (store_state_put(store, MEMORY, path, fresh, err) < 0)
        return -1;
    *ret_hex = str_dup(hex);
    return 0;
}
