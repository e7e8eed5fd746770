// partial.c - a file while it is downloaded.
// SPDX-License-Identifier: Apache-2.0
#include "fetch/partial.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTE_MAX = 64 * 1024, BLOCK = 256 * 1024 };

// ---- what is there ------------------------------------------------------------------------------

static char *
read_note(const char *path, const char *url)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    JV_AUTO struct jv *note = NULL;
    size_t length = 0;
    if (file_read(path, NOTE_MAX, &text, &length, &err) < 0 ||
        jv_parse(text, length, &note, &err) < 0 || !str_equal(jv_get_string(note, "url"), url))
        return NULL;
    return str_dup(jv_get_string(note, "validator"));
}

static int
digest_there(struct fetch_partial *partial, struct error *err)
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
        return error_errno(err, errno, "cannot make '%s'", ret->path);
    if (ret->validator == NULL)
        return fetch_partial_restart(ret, err);
    // A note without its file must not outlive it, and what begins to change has none.
    (void) unlink(ret->note);
    return digest_there(ret, err);
}

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
    const char *at = bytes;
    digest_add(partial->digest, bytes, length);
    partial->length += length;
    while (length > 0) {
        ssize_t count = write(partial->fd, at, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_errno(err, errno, "cannot write '%s'", partial->path);
        at += count;
        length -= (size_t) count;
    }
    return 0;
}

// ---- what becomes of it -------------------------------------------------------------------------

int
fetch_partial_save(struct fetch_partial *partial, const char *url, struct error *err)
{
    if (partial->validator == NULL || partial->length == 0) {
        fetch_partial_drop(partial);
        return 0;
    }
    JV_AUTO struct jv *note = jv_object();
    jv_set_string(note, "url", url);
    jv_set_string(note, "validator", partial->validator);
    FREE_AUTO char *text = jv_print(note, true);
    return file_write(partial->note, 0600, text, strlen(text), err);
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
    FREE_AUTO char *path = partial_path(folder, wanted, url, "part"),
                   *note = partial_path(folder, wanted, url, "json");
    (void) unlink(path);
    (void) unlink(note);
}

int
fetch_partial_publish(struct fetch_partial *partial, const char *to, struct error *err)
{
    FREE_AUTO char *folder = path_folder(to);
    if (fchmod(partial->fd, 0444) < 0 || fsync(partial->fd) < 0 || rename(partial->path, to) < 0)
        return error_errno(err, errno, "cannot make '%s'", to);
    (void) unlink(partial->note);
    return dir_sync(folder, err);
}

void
fetch_partial_close(struct fetch_partial *partial)
{
    if (partial->path != NULL && partial->fd >= 0)
        close(partial->fd);
    free(partial->path);
    free(partial->note);
    free(partial->validator);
    digest_free(partial->digest);
    *partial = (struct fetch_partial){.fd = -1};
}
