// download.c - downloads a file from one of several servers: resumes, retries, checks, publishes.
// SPDX-License-Identifier: Apache-2.0
#include "base/lock.h"
#include "fetch/fetch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "fetch/partial.h"
#include "fetch/signature.h"
#include "fetch/transfer.h"

#include <string.h>
#include <unistd.h>

enum {
    DEADLINE_MS = 2 * 60 * 60 * 1000,
    STALL_S = 30,
    PAUSE_MS = 1000,
    ROUNDS_IDLE_MAX = 4, // rounds over the mirrors without new bytes
    SHOW_MS = 10 * 1000,
    SIGNATURE_MAX = 64 * 1024,
};
static const uint64_t bytes_max = 8ULL << 30;

struct fetch_work {
    const struct fetch_job *job;
    const char *wanted; // the file's digest, or its first URL
    int64_t end_ms, shown_ms;
    char *signature; // NULL: none is wanted
    size_t signature_length;
    bool *refused;                // by mirror
    uint64_t farthest;            // bytes of the file that any server sent
    struct error damage, failure; // the first ERR_DAMAGED, the last other error
    char *sha256;                 // of the file, once it is there
};

static void
work_clear(struct fetch_work *work)
{
    free(work->signature);
    free(work->refused);
    free(work->sha256);
    error_clear(&work->damage);
    error_clear(&work->failure);
}

// ---- checks -------------------------------------------------------------------------------------

static int
check_signature(const struct fetch_work *work, const char *file, const char *url, struct error *err)
{
    struct fetch_signature signature = {.data = work->signature,
        .length = work->signature_length,
        .keyring = work->job->keyring,
        .known = work->job->known && work->job->sha256 != NULL,
        .origin = url};
    if (work->signature == NULL)
        return 0;
    progress_step(work->job->progress, work->job->task, "checking the signature");
    return fetch_signature_check(&signature, file, err);
}

// Caller frees.
static char *
signature_path(const struct fetch_work *work, const char *sha256)
{
    return str_format("%s/%s.sig", work->job->folder, sha256);
}

static int
save_signature(const struct fetch_work *work, const char *sha256, struct error *err)
{
    FREE_AUTO char *path = signature_path(work, sha256);
    if (work->signature == NULL)
        return 0;
    return file_write(path, 0444, work->signature, work->signature_length, err);
}

static int
check_and_publish(
    struct fetch_work *work, struct fetch_partial *partial, const char *url, struct error *err)
{
    char hex[DIGEST_HEX + 1];
    const char *wanted = work->job->sha256;
    digest_hex(partial->digest, hex);
    if (wanted != NULL && !str_equal(wanted, hex))
        return error_set(err, ERR_DAMAGED,
            "'%s' is refused: its SHA-256 is %s and should be %s; check the URL and the digest, or "
            "name another mirror",
            url, hex, wanted);
    FREE_AUTO char *path = path_join(work->job->folder, hex);
    if (check_signature(work, partial->path, url, err) < 0 || save_signature(work, hex, err) < 0 ||
        fetch_partial_publish(partial, path, err) < 0)
        return -1;
    work->sha256 = str_dup(hex);
    return 0;
}

// ---- one mirror ---------------------------------------------------------------------------------

// Reports bytes, total and rate; a line only every SHOW_MS, for plain logs.
static void
show_download(void *context, uint64_t now, uint64_t total, uint64_t rate)
{
    struct fetch_work *work = context;
    const struct fetch_job *job = work->job;
    int64_t time = clock_ms();
    if (total > 0)
        progress_part(job->progress, job->task, (double) now / (double) total);
    if (work->shown_ms != 0 && time - work->shown_ms < SHOW_MS && now != total)
        return;
    work->shown_ms = time;
    FREE_AUTO char *now_text = str_bytes(now), *total_text = str_bytes(total);
    FREE_AUTO char *rate_text = str_bytes(rate);
    progress_step(job->progress, job->task, "downloading: %s%s%s, %s/s", now_text,
        total > 0 ? " of " : "", total > 0 ? total_text : "", rate_text);
}

static enum fetch_end
try_mirror(struct fetch_work *work, const char *url, struct error *err)
{
    const struct fetch_job *job = work->job;
    PARTIAL_AUTO struct fetch_partial partial = {.fd = -1};
    FREE_AUTO char *validator = NULL;
    if (fetch_partial_open(job->folder, work->wanted, url, &partial, err) < 0)
        return FETCH_STOP;
    uint64_t from = partial.length;
    struct fetch_transfer transfer = {.url = url,
        .from = from,
        .validator = partial.validator,
        .max = job->max > 0 ? job->max : bytes_max,
        .end_ms = work->end_ms,
        .stall_s = job->stall_s > 0 ? job->stall_s : STALL_S,
        .restart = fetch_partial_restart,
        .put = fetch_partial_put,
        .context = &partial,
        .show = show_download,
        .show_context = work};
    progress_step(job->progress, job->task, "downloading '%s'", url);
    enum fetch_end end = fetch_transfer(&transfer, &validator, err);
    if (partial.length > work->farthest)
        work->farthest = partial.length;
    if (end == FETCH_DONE) {
        if (check_and_publish(work, &partial, url, err) == 0)
            return FETCH_DONE;
        fetch_partial_drop(&partial);
        if (err->code != ERR_DAMAGED)
            return FETCH_STOP;
        // A resumed file may be joined from two files, so its server gets another try.
        return from > 0 ? FETCH_AGAIN : FETCH_REFUSED;
    }
    if (validator != NULL) {
        free(partial.validator);
        partial.validator = TAKE(validator);
    }
    if (end == FETCH_REFUSED || err->code == ERR_SPACE)
        fetch_partial_drop(&partial);
    else
        fetch_partial_save(&partial, url);
    return end;
}

// ---- all mirrors --------------------------------------------------------------------------------

// 0: downloaded; 1: try another round; -1: no round can help.
static int
try_round(struct fetch_work *work, struct error *err)
{
    const struct strv *urls = work->job->urls;
    int answer = -1;
    for (size_t i = 0; i < urls->count; i++) {
        if (work->refused[i])
            continue;
        enum fetch_end end = try_mirror(work, urls->items[i], err);
        if (end == FETCH_DONE) {
            for (size_t j = 0; j < urls->count; j++)
                fetch_partial_remove(work->job->folder, work->wanted, urls->items[j]);
            return 0;
        }
        if (end == FETCH_STOP)
            return -1;
        work->refused[i] = end == FETCH_REFUSED;
        answer = end == FETCH_AGAIN ? 1 : answer;
        bool damage = err->code == ERR_DAMAGED && work->damage.code == ERR_NONE;
        error_move(damage ? &work->damage : &work->failure, err);
    }
    return answer;
}

static int
try_all(struct fetch_work *work, struct error *err)
{
    const struct fetch_job *job = work->job;
    int64_t pause_ms = job->pause_ms > 0 ? job->pause_ms : PAUSE_MS;
    for (int idle = 0; idle < ROUNDS_IDLE_MAX;) {
        uint64_t before = work->farthest;
        int answer = try_round(work, err);
        if (answer == 0)
            return 0;
        if (answer < 0)
            break;
        idle = work->farthest > before ? 0 : idle + 1;
        int64_t wait_ms = pause_ms << idle;
        if (idle == ROUNDS_IDLE_MAX || clock_left(work->end_ms) <= wait_ms)
            break;
        progress_step(
            job->progress, job->task, "waiting before the next try: %s", work->failure.message);
        if (clock_sleep(wait_ms, err) < 0)
            break;
    }
    if (err->code != ERR_NONE)
        return -1;
    return error_move(err, work->damage.code != ERR_NONE ? &work->damage : &work->failure);
}

// ---- earlier downloads --------------------------------------------------------------------------

// Sets work->sha256 if the file was downloaded before. One that has changed since is removed.
static int
find_downloaded(struct fetch_work *work, struct error *err)
{
    char hex[DIGEST_HEX + 1];
    const struct fetch_job *job = work->job;
    if (job->sha256 == NULL)
        return 0;
    FREE_AUTO char *path = path_join(job->folder, job->sha256);
    if (!file_exists(path))
        return 0;
    progress_step(job->progress, job->task, "checking the earlier download");
    if (digest_file(path, hex, err) < 0)
        return -1;
    if (!str_equal(hex, job->sha256)) {
        (void) unlink(path);
        return 0;
    }
    if (job->signatures != NULL && work->signature == NULL)
        return 0;
    if (check_signature(work, path, job->urls->items[0], err) < 0) {
        FREE_AUTO char *detached = signature_path(work, hex);
        (void) unlink(detached); // the next run downloads the signature again
        return -1;
    }
    if (save_signature(work, hex, err) < 0)
        return -1;
    work->sha256 = str_dup(hex);
    return 0;
}

static int
get_signature(struct fetch_work *work, struct error *err)
{
    const struct fetch_job *job = work->job;
    if (job->signatures == NULL)
        return 0;
    if (fetch_signature_tool(err) < 0)
        return -1;
    FREE_AUTO char *saved = job->sha256 == NULL ? NULL : signature_path(work, job->sha256);
    if (saved != NULL && file_exists(saved))
        return file_read(saved, SIGNATURE_MAX, &work->signature, &work->signature_length, err);
    if (!job->offline && fetch_text(job->signatures, SIGNATURE_MAX, &work->signature,
                             &work->signature_length, err) < 0)
        return error_context(err, "cannot download the signature");
    return 0;
}

int
fetch_file(const struct fetch_job *job, char **ret_path, char **ret_sha256, struct error *err)
{
    char hex[DIGEST_HEX + 1];
    CLOSE_AUTO int lock = -1;
    int64_t deadline_ms = job->deadline_ms > 0 ? job->deadline_ms : DEADLINE_MS;
    CLEANUP(work_clear)
    struct fetch_work work = {.job = job,
        .wanted = job->sha256 != NULL ? job->sha256 : job->urls->items[0],
        .end_ms = clock_ms() + deadline_ms,
        .refused = mem_zero(job->urls->count, sizeof(bool))};
    digest_bytes(work.wanted, strlen(work.wanted), hex);
    FREE_AUTO char *path = str_format("%s/download-%s", job->locks, hex);
    struct lock_report report = {job->progress, job->task, "downloads it"};
    if (lock_wait(path, deadline_ms, &report, &lock, err) < 0 || get_signature(&work, err) < 0 ||
        find_downloaded(&work, err) < 0)
        return -1;
    if (work.sha256 == NULL && job->offline)
        return error_set(err, ERR_NETWORK,
            "'%s' was not downloaded yet; run 'airbuild images' without --offline",
            job->urls->items[0]);
    if (work.sha256 == NULL && try_all(&work, err) < 0)
        return -1;
    *ret_path = path_join(job->folder, work.sha256);
    *ret_sha256 = TAKE(work.sha256);
    return 0;
}
