// baking.c - a bake under way shows itself by a lock, so that nothing it needs is pruned.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "store/inside.h"

#include <unistd.h>

#define PREFIX "baking-"

int
store_bake_begin(struct store *store, char **ret_mark, int *ret_fd, struct error *err)
{
    FREE_AUTO char *random = random_hex(16);
    FREE_AUTO char *name = str_format(PREFIX "%s", random);
    if (store_lock_key(store, name, 0, ret_fd, err) < 0)
        return -1;
    *ret_mark = path_join(store->locks, name);
    return 0;
}

void
store_bake_end(char *mark, int fd)
{
    if (mark != NULL)
        (void) unlink(mark);
    if (fd >= 0)
        close(fd);
    free(mark);
}

// A mark that nobody holds is of a bake that was killed.
int
store_is_baking(const struct store *store, bool *ret, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    *ret = false;
    if (dir_list(store->locks, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        CLOSE_AUTO int lock = -1;
        if (!str_starts(names.items[i], PREFIX))
            continue;
        if (store_lock_key(store, names.items[i], 0, &lock, err) == 0) {
            FREE_AUTO char *path = path_join(store->locks, names.items[i]);
            (void) unlink(path);
            continue;
        }
        if (err->code != ERR_BUSY)
            return -1;
        error_clear(err);
        *ret = true;
    }
    return 0;
}
