// archive.c - see archive.h.
// SPDX-License-Identifier: Apache-2.0
#include "seed/archive.h"

#include "base/str.h"

#include <errno.h>

int
archive_failed(struct archive *archive, struct error *err)
{
    const char *why = archive_error_string(archive);
    return error_set(err, archive_errno(archive) == ENOSPC ? ERR_SPACE : ERR_FAILED,
        "cannot make the seed's ISO image: %s", why == NULL ? "libarchive gives no reason" : why);
}

la_ssize_t
archive_add_bytes(struct archive *archive, void *context, const void *bytes, size_t length)
{
    (void) archive;
    buf_add_bytes(context, bytes, length);
    return (la_ssize_t) length;
}

int
archive_add_file(struct archive *archive, const char *path, mode_t mode, const char *data,
    size_t length, struct error *err)
{
    ENTRY_AUTO struct archive_entry *entry = archive_entry_new();
    if (entry == NULL)
        mem_exhausted();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, mode);
    archive_entry_set_size(entry, (la_int64_t) length);
    archive_entry_set_mtime(entry, 0, 0);
    if (archive_write_header(archive, entry) != ARCHIVE_OK ||
        archive_write_data(archive, data, length) != (la_ssize_t) length)
        return archive_failed(archive, err);
    return 0;
}
