// download.c - a file from one of several servers: resumed, tried again, checked, kept.
// SPDX-License-Identifier: Apache-2.0
#include "store/download.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "store/fetch.h"
#include "store/inside.h"
#include "store/partial.h"
#include "store/signature.h"
#include "store/transfer.h"

#include <string.h>
#include <unistd.h>

enum {
    DEADLINE_MS = 2 * 60 * 60 * 1000,
    STALL_MS = 30 * 1000,
    PAUSE_MS = 1000,
    ROUNDS_IDLE_MAX = 4, // rounds over the mirrors that bring nothing
    TELL_MS = 10 * 1000,
};
static const uint64_t bytes_max = 8ULL << 30;

struct download_work {
    struct store *store;
    const struct download *download;
    const char *wanted; // its digest, or the first of its URLs
    int64_t end_ms, begin_ms, told_ms;
    uint64_t begin_bytes; // that were there already
    char *signature;      // bytes of it; NULL: none is wanted
    size_t signature_length;
    bool *refused;     // by mirror
    uint64_t farthest; // bytes of the file that any server sent
    bool progress;     // this round came farther
    struct error first, last;
    char *path, *sha256; // what it came to
};

static void
work_clear(struct download_work *work)
{
    free(work->signature);
    free(work->refused);
    free(work->path);
    free(work->sha256);
    error_clear(&work->first);
    error_clear(&work->last);
}

static int64_t
or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

// ---- checks -------------------------------------------------------------------------------------

static int
check_signature(
    const struct download_work *work, const char *file, const char *url, struct error *err)
{
    struct signature signature = {.data = work->signature,
        .length = work->signature_length,
        .keyring = work->download->keyring,
        .known = work->download->known && work->download->sha256 != NULL,
        .origin = url};
    if (work->signature == NULL)
        return 0;
    progress_step(work->download->progress, work->download->task, "checking the signature");
    return signature_check(work->store, &signature, file, err);
}

static int
check_download_digest(
    const struct download *download, const char *hex, const char *url, struct error *err)
{
    if (download->sha256 == NULL || str_equal(download->sha256, hex))
        return 0;
    return error_set(err, ERR_DAMAGED,
        "'%s' is refused: its SHA-256 is %s and should be %s; check the URL and the digest, or "
        "name another mirror",
        url, hex, download->sha256);
}

// Where the signature of a file that was downloaded is kept; caller frees.
static char *
kept_signature(const struct download_work *work, const char *sha256)
{
    return str_format("%s/%s.sig", work->store->downloads, sha256);
}

static int
keep_signature(const struct download_work *work, const char *sha256, struct error *err)
{
    FREE_AUTO char *path = kept_signature(work, sha256);
    if (work->signature == NULL)
        return 0;
    return file_write(path, 0444, work->signature, work->signature_length, err);
}

static int
publish(struct download_work *work, struct partial *partial, const char *hex, struct error *err)
{
    work->sha256 = str_dup(hex);
    work->path = path_join(work->store->downloads, hex);
    if (keep_signature(work, hex, err) < 0)
        return -1;
    return partial_publish(partial, work->path, err);
}

// A resumed file of another digest may be put together from two: that server gets another chance.
static enum transfer_end
finish_download(struct download_work *work, struct partial *partial, const char *url, bool resumed,
    struct error *err)
{
    char hex[DIGEST_HEX + 1];
    digest_hex(partial->digest, hex);
    if (check_download_digest(work->download, hex, url, err) < 0 ||
        check_signature(work, partial->path, url, err) < 0) {
        partial_drop(partial);
        if (err->code != ERR_DAMAGED)
            return TRANSFER_STOP;
        return resumed ? TRANSFER_AGAIN : TRANSFER_REFUSED;
    }
    if (publish(work, partial, hex, err) == 0)
        return TRANSFER_DONE;
    partial_drop(partial);
    return TRANSFER_STOP;
}

// ---- one mirror ---------------------------------------------------------------------------------

// Bytes, total and rate, in lines that are not too many for a plain log.
static void
show_download(void *context, uint64_t now, uint64_t total)
{
    struct download_work *work = context;
    const struct download *download = work->download;
    int64_t time = clock_ms(), since = time - work->begin_ms;
    if (total > 0)
        progress_part(download->progress, download->task, (double) now / (double) total);
    if (work->told_ms != 0 && time - work->told_ms < TELL_MS && now != total)
        return;
    work->told_ms = time;
    uint64_t came = now > work->begin_bytes ? now - work->begin_bytes : 0;
    FREE_AUTO char *now_text = str_bytes(now), *total_text = str_bytes(total);
    FREE_AUTO char *rate = str_bytes(since > 0 ? came * 1000 / (uint64_t) since : 0);
    progress_step(download->progress, download->task, "downloading: %s%s%s, %s/s", now_text,
        total > 0 ? " of " : "", total > 0 ? total_text : "", rate);
}

static enum transfer_end
try_mirror(struct download_work *work, const char *url, struct error *err)
{
    const struct download *download = work->download;
    PARTIAL_AUTO struct partial partial = {.fd = -1};
    FREE_AUTO char *validator = NULL;
    if (partial_open(work->store, work->wanted, url, &partial, err) < 0)
        return TRANSFER_STOP;
    uint64_t from = partial.length;
    struct transfer_tell told = {.tell = show_download, .context = work};
    struct transfer transfer = {.url = url,
        .from = from,
        .validator = partial.validator,
        .max = download->max > 0 ? download->max : bytes_max,
        .end_ms = work->end_ms,
        .stall_ms = or_default(download->stall_ms, STALL_MS),
        .restart = partial_restart,
        .put = partial_put,
        .context = &partial,
        .told = &told};
    work->begin_bytes = from;
    work->begin_ms = clock_ms();
    progress_step(download->progress, download->task, "downloading '%s'", url);
    enum transfer_end end = transfer_run(&transfer, &validator, err);
    work->progress = work->progress || partial.length > work->farthest;
    work->farthest = partial.length > work->farthest ? partial.length : work->farthest;
    if (end == TRANSFER_DONE)
        return finish_download(work, &partial, url, from > 0, err);
    if (validator != NULL) {
        free(partial.validator);
        partial.validator = TAKE(validator);
    }
    ERROR_AUTO struct error unkept = {0};
    if (end == TRANSFER_REFUSED || err->code == ERR_SPACE ||
        partial_keep(&partial, url, &unkept) < 0)
        partial_drop(&partial);
    return end;
}

// ---- all mirrors --------------------------------------------------------------------------------

// What is told at last: damage before all else, then what the last server said.
static void
note_failure(struct download_work *work, struct error *err)
{
    struct error *to =
        err->code == ERR_DAMAGED && work->first.code == ERR_NONE ? &work->first : &work->last;
    error_clear(to);
    *to = *err;
    *err = (struct error){0};
}

// What other mirrors began is of no use any more.
static int
remove_other_partials(const struct download_work *work)
{
    for (size_t i = 0; i < work->download->urls->count; i++)
        partial_forget(work->store, work->wanted, work->download->urls->items[i]);
    return 0;
}

// 0: there; 1: go on; -1: no more.
static int
try_round(struct download_work *work, struct error *err)
{
    const struct strv *urls = work->download->urls;
    int answer = -1;
    work->progress = false;
    for (size_t i = 0; i < urls->count; i++) {
        if (work->refused[i])
            continue;
        enum transfer_end end = try_mirror(work, urls->items[i], err);
        if (end == TRANSFER_DONE)
            return remove_other_partials(work);
        if (end == TRANSFER_STOP)
            return -1;
        work->refused[i] = end == TRANSFER_REFUSED;
        answer = end == TRANSFER_AGAIN ? 1 : answer;
        note_failure(work, err);
    }
    return answer;
}

static int
give_up_download(struct download_work *work, struct error *err)
{
    struct error *told = work->first.code != ERR_NONE ? &work->first : &work->last;
    if (err->code != ERR_NONE)
        return -1;
    *err = *told;
    *told = (struct error){0};
    return -1;
}

static int
try_all(struct download_work *work, struct error *err)
{
    int64_t pause_ms = or_default(work->download->pause_ms, PAUSE_MS);
    for (int idle = 0; idle < ROUNDS_IDLE_MAX;) {
        int answer = try_round(work, err);
        if (answer == 0)
            return 0;
        if (answer < 0)
            break;
        idle = work->progress ? 0 : idle + 1;
        int64_t wait_ms = pause_ms << idle;
        if (idle == ROUNDS_IDLE_MAX || clock_left(work->end_ms) <= wait_ms)
            break;
        progress_step(work->download->progress, work->download->task, "waiting to try it again: %s",
            work->last.message);
        if (clock_sleep(wait_ms, err) < 0)
            break;
    }
    return give_up_download(work, err);
}

// ---- what is there ------------------------------------------------------------------------------

// A file that was changed since it was checked is worth nothing.
static int
find_downloaded(struct download_work *work, struct error *err)
{
    char hex[DIGEST_HEX + 1];
    const struct download *download = work->download;
    if (download->sha256 == NULL)
        return 0;
    FREE_AUTO char *path = path_join(work->store->downloads, download->sha256);
    if (!file_exists(path))
        return 0;
    progress_step(download->progress, download->task, "reading what was downloaded before");
    if (digest_file(path, hex, err) < 0)
        return -1;
    if (!str_equal(hex, download->sha256)) {
        (void) unlink(path);
        return 0;
    }
    if (download->signatures != NULL && work->signature == NULL)
        return 0;
    if (check_signature(work, path, download->urls->items[0], err) < 0) {
        FREE_AUTO char *detached = kept_signature(work, hex);
        (void) unlink(detached); // another may fit, next time
        return -1;
    }
    if (keep_signature(work, hex, err) < 0)
        return -1;
    work->path = TAKE(path);
    work->sha256 = str_dup(hex);
    return 0;
}

static int
read_kept_signature(struct download_work *work, struct error *err)
{
    if (work->download->sha256 == NULL)
        return 0;
    FREE_AUTO char *path = kept_signature(work, work->download->sha256);
    if (!file_exists(path))
        return 0;
    return file_read(path, FETCH_SIGNATURE_MAX, &work->signature, &work->signature_length, err);
}

static int
get_signature(struct download_work *work, struct error *err)
{
    if (work->download->signatures == NULL)
        return 0;
    if (signature_check_tool(err) < 0 || read_kept_signature(work, err) < 0)
        return -1;
    if (work->signature != NULL || work->download->offline)
        return 0;
    if (fetch_bytes(work->download->signatures, FETCH_SIGNATURE_MAX, &work->signature,
            &work->signature_length, err) < 0)
        return error_context(err, "the signature cannot be had");
    return 0;
}

static int
download_locked(struct download_work *work, struct error *err)
{
    if (get_signature(work, err) < 0 || find_downloaded(work, err) < 0)
        return -1;
    if (work->path != NULL)
        return 0;
    if (work->download->offline)
        return error_set(err, ERR_NETWORK,
            "'%s' was not downloaded yet; run 'airbuild images' without --offline",
            work->download->urls->items[0]);
    return try_all(work, err);
}

// One at a time, by what is wanted.
static int
lock_wanted(const struct download_work *work, int64_t wait_ms, int *ret_fd, struct error *err)
{
    char hex[DIGEST_HEX + 1];
    digest_bytes(work->wanted, strlen(work->wanted), hex);
    FREE_AUTO char *name = str_format("download-%s", hex);
    if (store_lock_key(work->store, name, 0, ret_fd, err) == 0)
        return 0;
    if (err->code != ERR_BUSY)
        return -1;
    error_clear(err);
    progress_step(work->download->progress, work->download->task,
        "waiting for process %ld, which downloads it", store_maker(work->store, name));
    return store_lock_key(work->store, name, wait_ms, ret_fd, err);
}

int
store_download(struct store *store, const struct download *download, char **ret_path,
    char **ret_sha256, struct error *err)
{
    CLOSE_AUTO int lock = -1;
    int64_t deadline_ms = or_default(download->deadline_ms, DEADLINE_MS);
    __attribute__((cleanup(work_clear))) struct download_work work = {.store = store,
        .download = download,
        .wanted = download->sha256 != NULL ? download->sha256 : download->urls->items[0],
        .end_ms = clock_ms() + deadline_ms,
        .refused = mem_zero(download->urls->count, sizeof(bool))};
    if (lock_wanted(&work, deadline_ms, &lock, err) < 0 || download_locked(&work, err) < 0)
        return -1;
    *ret_path = TAKE(work.path);
    *ret_sha256 = TAKE(work.sha256);
    return 0;
}
