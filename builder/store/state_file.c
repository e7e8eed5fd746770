// state_file.c - small files of JSON in a store that several airbuilds read and change: one member
// at a time, under a lock.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/file.h"
#include "store/internal.h"

#include <string.h>
#include <unistd.h>

#define LOCK_NAME "state"

enum { STATE_MAX = 1024 * 1024, LOCK_WAIT_MS = 30 * 1000 };

int
store_state_read(const struct store *store, const char *name, struct jv **ret, struct error *err)
{
    FREE_AUTO char *path = path_join(store->folder, name), *text = NULL;
    size_t length = 0;
    if (file_read(path, STATE_MAX, &text, &length, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        error_clear(err);
        *ret = jv_object();
        return 0;
    }
    if (jv_parse(text, length, ret, err) == 0)
        return 0;
    return error_set(err, ERR_DAMAGED,
        "'%s' cannot be read (%s); remove it, and what it remembers is asked for again", path,
        err->message);
}

static int
write_state(const struct store *store, const char *name, const struct jv *state, struct error *err)
{
    FREE_AUTO char *path = path_join(store->folder, name);
    FREE_AUTO char *text = jv_print(state, true);
    return file_write(path, 0644, text, strlen(text), err);
}

static int
put_locked(const struct store *store, const char *name, const char *member, struct jv *value,
    struct error *err)
{
    JV_AUTO struct jv *owned = value;
    JV_AUTO struct jv *state = NULL;
    // Who writes into this folder has the lock.
    if (dir_sweep(store->folder, err) < 0)
        return -1;
    if (member == NULL)
        return write_state(store, name, owned, err);
    if (store_state_read(store, name, &state, err) < 0)
        return -1;
    jv_set(state, member, TAKE(owned));
    return write_state(store, name, state, err);
}

int
store_state_put(
    struct store *store, const char *name, const char *member, struct jv *value, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    if (store_lock_key(store, LOCK_NAME, LOCK_WAIT_MS, &lock, err) < 0) {
        jv_free(value);
        return -1;
    }
    return put_locked(store, name, member, value, err);
}
