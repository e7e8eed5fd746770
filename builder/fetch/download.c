// download.c - downloads a file from one of several servers: resumes, retries, checks, publishes.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "fetch/signature.h"
#include "fetch/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum {
    DEADLINE_MS = 2 * 60 * 60 * 1000,
    STALL_S = 30,
    PAUSE_MS = 1000,
    ROUNDS_IDLE_MAX = 4, // rounds over the mirrors without new bytes
    SIGNATURE_MAX = 64 * 1024,
    NOTE_MAX = 64 * 1024,
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

// ---- a partial file -----------------------------------------------------------------------------

// A file while it is downloaded.
struct partial {
    char *path;      // FOLDER/.DIGEST.part, DIGEST of what the lock is named after and of the URL
    char *note;      // FOLDER/.DIGEST.json: the URL and the validator of a file that can be resumed
    char *validator; // NULL: cannot be resumed
    int fd;
};

static void
partial_close(struct partial *partial)
{
    if (partial->fd >= 0)
        close(partial->fd);
    free(partial->path);
    free(partial->note);
    free(partial->validator);
}
#define PARTIAL_AUTO CLEANUP(partial_close)

static struct partial
closed_partial(const struct fetch_work *work, const char *url)
{
    const char *folder = work->job->folder;
    char hex[DIGEST_HEX + 1];
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add_field(digest, work->wanted);
    digest_add_field(digest, url);
    digest_hex(digest, hex);
    return (struct partial){.path = str_format("%s/.%s.part", folder, hex),
        .note = str_format("%s/.%s.json", folder, hex),
        .fd = -1};
}

// Opens the file of an earlier download, if it can be resumed, else an empty one.
static int
partial_open(struct partial *partial, const char *url, struct error *err)
{
    json_auto_t *note = NULL;
    ERROR_AUTO struct error unread = {0};
    if (read_json_file(partial->note, NOTE_MAX, &note, &unread) == 0 &&
        str_equal(json_string_value(json_object_get(note, "url")), url))
        partial->validator = str_dup(json_string_value(json_object_get(note, "validator")));
    int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    partial->fd = open(partial->path, partial->validator == NULL ? flags | O_TRUNC : flags, 0600);
    if (partial->fd < 0)
        return error_errno(err, errno, "cannot create '%s'", partial->path);
    if (partial->validator != NULL) // once the file changes, the note does not describe it any more
        (void) unlink(partial->note);
    return 0;
}

// Bytes.
static uint64_t
partial_length(const struct partial *partial)
{
    off_t end = lseek(partial->fd, 0, SEEK_END);
    return end < 0 ? 0 : (uint64_t) end;
}

static void
partial_drop(const struct partial *partial)
{
    (void) unlink(partial->path);
    (void) unlink(partial->note);
}

// ---- checks -------------------------------------------------------------------------------------

// Caller frees.
static char *
signature_path(const struct fetch_work *work, const char *sha256)
{
    return str_format("%s/%s.sig", work->job->folder, sha256);
}

// Checks the file by the signature, if one is wanted, and then keeps that.
static int
check_signature(const struct fetch_work *work, const char *file, const char *sha256,
    const char *url, struct error *err)
{
    const struct fetch_job *job = work->job;
    FREE_AUTO char *path = signature_path(work, sha256);
    if (work->signature == NULL)
        return 0;
    progress_step(job->progress, job->task, "checking the signature");
    if (fetch_signature_check(job, work->signature, work->signature_length, url, file, err) < 0)
        return -1;
    return file_write(path, 0444, work->signature, work->signature_length, err);
}

static int
check_and_publish(
    struct fetch_work *work, const struct partial *partial, const char *url, struct error *err)
{
    char hex[DIGEST_HEX + 1];
    const struct fetch_job *job = work->job;
    if (digest_file(partial->path, hex, err) < 0)
        return -1;
    if (job->sha256 != NULL && !str_equal(job->sha256, hex))
        return error_set(err, ERR_DAMAGED,
            "'%s' is refused: its SHA-256 is %s and should be %s; check the URL and the digest, or "
            "name another mirror",
            url, hex, job->sha256);
    FREE_AUTO char *path = path_join(job->folder, hex);
    if (check_signature(work, partial->path, hex, url, err) < 0)
        return -1;
    if (fchmod(partial->fd, 0444) < 0 || fsync(partial->fd) < 0 || rename(partial->path, path) < 0)
        return error_errno(err, errno, "cannot create '%s'", path);
    work->sha256 = str_dup(hex);
    return dir_sync(job->folder, err);
}

// ---- one mirror ---------------------------------------------------------------------------------

static enum fetch_end
try_mirror(struct fetch_work *work, const char *url, struct error *err)
{
    const struct fetch_job *job = work->job;
    PARTIAL_AUTO struct partial partial = closed_partial(work, url);
    if (partial_open(&partial, url, err) < 0)
        return FETCH_STOP;
    uint64_t from = partial_length(&partial);
    struct fetch_transfer transfer = {.url = url,
        .fd = partial.fd,
        .path = partial.path,
        .from = from,
        .validator = &partial.validator,
        .max = job->max > 0 ? job->max : bytes_max,
        .end_ms = work->end_ms,
        .stall_s = job->stall_s > 0 ? job->stall_s : STALL_S,
        .progress = job->progress,
        .task = job->task,
        .shown_ms = &work->shown_ms};
    progress_step(job->progress, job->task, "downloading '%s'", url);
    enum fetch_end end = fetch_transfer(&transfer, err);
    uint64_t length = partial_length(&partial);
    if (length > work->farthest)
        work->farthest = length;
    if (end == FETCH_DONE) {
        if (check_and_publish(work, &partial, url, err) == 0)
            return FETCH_DONE;
        partial_drop(&partial);
        if (err->code != ERR_DAMAGED)
            return FETCH_STOP;
        // A resumed file may be joined from two files, so its server gets another try.
        return from > 0 ? FETCH_AGAIN : FETCH_REFUSED;
    }
    // Keeps the bytes for a later download, if that can resume this one.
    ERROR_AUTO struct error unsaved = {0};
    json_auto_t *note = json_pack(
        "{s:o, s:o}", "url", text_to_json(url), "validator", text_to_json(partial.validator));
    if (end == FETCH_REFUSED || err->code == ERR_SPACE || partial.validator == NULL ||
        length == 0 || write_json_file(partial.note, 0600, note, &unsaved) < 0)
        partial_drop(&partial);
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
            for (size_t j = 0; j < urls->count; j++) {
                PARTIAL_AUTO struct partial partial = closed_partial(work, urls->items[j]);
                partial_drop(&partial);
            }
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
    if (check_signature(work, path, hex, job->urls->items[0], err) < 0) {
        FREE_AUTO char *detached = signature_path(work, hex);
        if (err->code == ERR_DAMAGED)
            (void) unlink(detached); // the next run downloads the signature again
        return -1;
    }
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
