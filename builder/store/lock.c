// lock.c - the locks of a store. Each process that bakes, imports or exports holds a lock of its
// own, its mark. A process that removes images waits until no mark is held, and blocks new ones.
// SPDX-License-Identifier: Apache-2.0
#include "base/lock.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "store/store.h"

#define PREFIX "baking-"
#define GATE "gate" // held during a removal, and for a moment when a bake begins

enum { LOOK_AGAIN_MS = 100 };

void
store_set_patience(struct store *store, struct progress *progress, int64_t wait_ms)
{
    store->progress = progress;
    store->wait_ms = wait_ms;
}

int
store_lock(
    const struct store *store, const char *name, int64_t wait_ms, int *ret_fd, struct error *err)
{
    FREE_AUTO char *path = path_join(store->locks, name);
    return lock_take(path, wait_ms, ret_fd, err);
}

int
store_share(
    const struct store *store, const char *name, int64_t wait_ms, int *ret_fd, struct error *err)
{
    FREE_AUTO char *path = path_join(store->locks, name);
    return lock_share(path, wait_ms, ret_fd, err);
}

int
store_try_lock(const struct store *store, const char *name, int *ret_fd, struct error *err)
{
    if (store_lock(store, name, 0, ret_fd, err) == 0)
        return 1;
    if (err->code != ERR_BUSY)
        return -1;
    error_clear(err);
    return 0;
}

static int
wait_lock(
    const struct store *store, const char *name, const char *does, int *ret_fd, struct error *err)
{
    FREE_AUTO char *path = path_join(store->locks, name);
    struct lock_report report = {store->progress, "store", does};
    return lock_wait(path, store->wait_ms, &report, ret_fd, err);
}

int
store_lock_image(const struct store *store, const char *key, int *ret_fd, struct error *err)
{
    FREE_AUTO char *does = str_format("makes or removes '%.12s'", key);
    return wait_lock(store, key, does, ret_fd, err);
}

// ---- bakes --------------------------------------------------------------------------------------

int
store_bake_begin(struct store *store, struct error *err)
{
    CLOSE_AUTO int gate = -1;
    FREE_AUTO char *random = random_hex(16);
    FREE_AUTO char *name = str_format(PREFIX "%s", random);
    if (wait_lock(store, GATE, "removes images", &gate, err) < 0 ||
        store_lock(store, name, 0, &store->mark_fd, err) < 0)
        return -1;
    store->mark = path_join(store->locks, name);
    return 0;
}

void
store_bake_end(struct store *store)
{
    if (store->mark == NULL)
        return;
    (void) unlink(store->mark);
    close(store->mark_fd);
    free(TAKE(store->mark));
}

// ---- removals -----------------------------------------------------------------------------------

// *ret_pid: a process that bakes, -1 when there is none. Removes the marks of killed bakes.
static int
find_baker(const struct store *store, long *ret_pid, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    *ret_pid = -1;
    if (dir_list(store->locks, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        CLOSE_AUTO int lock = -1;
        FREE_AUTO char *path = path_join(store->locks, names.items[i]);
        if (!str_starts(names.items[i], PREFIX))
            continue;
        int taken = store_try_lock(store, names.items[i], &lock, err);
        if (taken < 0)
            return -1;
        if (taken == 0)
            *ret_pid = lock_holder(path);
        else
            (void) unlink(path);
    }
    return 0;
}

int
store_alone(const struct store *store, int *ret_fd, struct error *err)
{
    int64_t end_ms = clock_ms() + store->wait_ms;
    for (;;) {
        CLOSE_AUTO int gate = -1;
        long pid = -1;
        if (wait_lock(store, GATE, "removes images", &gate, err) < 0 ||
            find_baker(store, &pid, err) < 0)
            return -1;
        if (pid < 0) {
            *ret_fd = TAKE_FD(gate);
            return 0;
        }
        if (clock_left(end_ms) == 0)
            return error_set(err, ERR_BUSY,
                "another airbuild (process %ld) bakes, imports or exports images, and none is "
                "removed meanwhile; wait for it to end and try again",
                pid);
        progress_step(
            store->progress, "store", "waiting for process %ld, which works with images", pid);
        close(TAKE_FD(gate));
        if (clock_sleep(LOOK_AGAIN_MS, err) < 0)
            return -1;
    }
}
