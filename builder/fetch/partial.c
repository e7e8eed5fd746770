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

// Caller closes it.
static struct fetch_partial
closed_partial(const char *folder, const char *wanted, const char *url)
{
    char hex[DIGEST_HEX + 1];
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add_field(digest, wanted);
    digest_add_field(digest, url);
    digest_hex(digest, hex);
    return (struct fetch_partial){.path = str_format("%s/.%s.part", folder, hex),
        .note = str_format("%s/.%s.json", folder, hex),
        .fd = -1};
}

int
fetch_partial_open(const char *folder, const char *wanted, const char *url,
    struct fetch_partial *ret, struct error *err)
{
    json_auto_t *note = NULL;
    ERROR_AUTO struct error unread = {0};
    *ret = closed_partial(folder, wanted, url);
    ret->digest = digest_new();
    if (read_json_file(ret->note, NOTE_MAX, &note, &unread) == 0 &&
        str_equal(json_string_value(json_object_get(note, "url")), url))
        ret->validator = str_dup(json_string_value(json_object_get(note, "validator")));
    ret->fd = open(ret->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (ret->fd < 0)
        return error_errno(err, errno, "cannot create '%s'", ret->path);
    if (ret->validator == NULL)
        return fetch_partial_restart(ret, err);
    // Once the file changes, the note does not describe it any more.
    (void) unlink(ret->note);
    // The next bytes are written behind those that are read here.
    FREE_AUTO char *block = mem_zero(1, BLOCK);
    for (;;) {
        ssize_t count = read(ret->fd, block, BLOCK);
        if (count < 0)
            return error_errno(err, errno, "cannot read '%s'", ret->path);
        if (count == 0)
            return 0;
        digest_add(ret->digest, block, (size_t) count);
        ret->length += (uint64_t) count;
        if (interrupt_check(err) < 0)
            return -1;
    }
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

void
fetch_partial_save(struct fetch_partial *partial, const char *url)
{
    ERROR_AUTO struct error unsaved = {0};
    json_auto_t *note = json_pack(
        "{s:o, s:o}", "url", text_to_json(url), "validator", text_to_json(partial->validator));
    if (partial->validator == NULL || partial->length == 0 ||
        write_json_file(partial->note, 0600, note, &unsaved) < 0)
        fetch_partial_drop(partial);
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
    PARTIAL_AUTO struct fetch_partial partial = closed_partial(folder, wanted, url);
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
