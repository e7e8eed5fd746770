// partial.c - a file while it is downloaded.
// SPDX-License-Identifier: Apache-2.0
#include "fetch/partial.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { NOTE_MAX = 64 * 1024, BLOCK = 256 * 1024 };

// ---- opening ------------------------------------------------------------------------------------

static char *
partial_path(const char *folder, const char *wanted, const char *url, const char *suffix)
{
    char hex[DIGEST_HEX + 1];
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add_field(digest, wanted);
    digest_add_field(digest, url);
    digest_hex(digest, hex);
    return str_format("%s/.%s.%s", folder, hex, suffix);
}

static char *
read_note(const char *path, const char *url)
{
    ERROR_AUTO struct error unread = {0};
    json_auto_t *note = NULL;
    if (read_json_file(path, NOTE_MAX, &note, &unread) < 0 ||
        !str_equal(json_string_value(json_object_get(note, "url")), url))
        return NULL;
    return str_dup(json_string_value(json_object_get(note, "validator")));
}

// Digests the bytes of an earlier download; the next ones are written behind them.
static int
digest_existing(struct fetch_partial *partial, struct error *err)
{
    FREE_AUTO char *block = mem_zero(1, BLOCK);
    for (;;) {
        ssize_t count = read(partial->fd, block, BLOCK);
        if (count < 0)
            return error_errno(err, errno, "cannot read '%s'", partial->path);
        if (count == 0)
            return 0;
        digest_add(partial->digest, block, (size_t) count);
        partial->length += (uint64_t) count;
        if (interrupt_check(err) < 0)
            return -1;
    }
}

int
fetch_partial_open(const char *folder, const char *wanted, const char *url,
    struct fetch_partial *ret, struct error *err)
{
    *ret = (struct fetch_partial){.path = partial_path(folder, wanted, url, "part"),
        .note = partial_path(folder, wanted, url, "json"),
        .digest = digest_new()};
    ret->validator = read_note(ret->note, url);
    ret->fd = open(ret->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (ret->fd < 0)
        return error_errno(err, errno, "cannot create '%s'", ret->path);
    if (ret->validator == NULL)
        return fetch_partial_restart(ret, err);
    // Once the file changes, the note does not describe it any more.
    (void) unlink(ret->note);
    return digest_existing(ret, err);
}

// ---- writing ------------------------------------------------------------------------------------

int
fetch_partial_restart(void *context, struct error *err)
{
    struct fetch_partial *partial = context;
    digest_free(partial->digest);
    partial->digest = digest_new();
    partial->length = 0;
    if (ftruncate(partial->fd, 0) < 0 || lseek(partial->fd, 0, SEEK_SET) < 0)
        return error_errno(err, errno, "cannot empty '%s'", partial->path);
    return 0;
}

int
fetch_partial_put(void *context, const void *bytes, size_t length, struct error *err)
{
    struct fetch_partial *partial = context;
    digest_add(partial->digest, bytes, length);
    partial->length += length;
    if (file_write_all(partial->fd, bytes, length) < 0)
        return error_errno(err, errno, "cannot write '%s'", partial->path);
    return 0;
}

// ---- ending -------------------------------------------------------------------------------------

int
fetch_partial_save(struct fetch_partial *partial, const char *url, struct error *err)
{
    if (partial->validator == NULL || partial->length == 0) {
        fetch_partial_drop(partial);
        return 0;
    }
    json_auto_t *note = json_object();
    json_object_set_new(note, "url", text_to_json(url));
    json_object_set_new(note, "validator", text_to_json(partial->validator));
    return write_json_file(partial->note, 0600, note, err);
}

void
fetch_partial_drop(struct fetch_partial *partial)
{
    (void) unlink(partial->path);
    (void) unlink(partial->note);
}

void
fetch_partial_remove(const char *folder, const char *wanted, const char *url)
{
    PARTIAL_AUTO struct fetch_partial partial = {.path = partial_path(folder, wanted, url, "part"),
        .note = partial_path(folder, wanted, url, "json"),
        .fd = -1};
    fetch_partial_drop(&partial);
}

int
fetch_partial_publish(struct fetch_partial *partial, const char *to, struct error *err)
{
    FREE_AUTO char *folder = path_folder(to);
    if (fchmod(partial->fd, 0444) < 0 || fsync(partial->fd) < 0 || rename(partial->path, to) < 0)
        return error_errno(err, errno, "cannot create '%s'", to);
    (void) unlink(partial->note);
    return dir_sync(folder, err);
}

void
fetch_partial_close(struct fetch_partial *partial)
{
    if (partial->fd >= 0)
        close(partial->fd);
    free(partial->path);
    free(partial->note);
    free(partial->validator);
    digest_free(partial->digest);
    *partial = (struct fetch_partial){.fd = -1};
}
