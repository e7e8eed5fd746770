// iso.c - a NoCloud ISO by libarchive: three files, volume `cidata`. The only user of libarchive.
// SPDX-License-Identifier: Apache-2.0
#include "seed/iso.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "seed/settle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

// The label cloud-init looks for, and Rock Ridge or Joliet because `user-data` is no 8.3 name:
// https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
#define OPTIONS "volume-id=cidata,rockridge=useful,joliet,!pad"
#define MAX_SIZE ((size_t) 16 << 20)

static void
free_archive(struct archive **archive)
{
    archive_write_free(*archive);
}

static void
free_entry(struct archive_entry **entry)
{
    archive_entry_free(*entry);
}

#define ARCHIVE_AUTO CLEANUP(free_archive)
#define ENTRY_AUTO CLEANUP(free_entry)

// libarchive's last error as ours.
static int
iso_failed(struct archive *archive, struct error *err)
{
    const char *why = archive_error_string(archive);
    return error_set(err, archive_errno(archive) == ENOSPC ? ERR_SPACE : ERR_FAILED,
        "cannot make the seed's ISO image: %s", why == NULL ? "libarchive does not say why" : why);
}

static la_ssize_t
add_bytes(struct archive *archive, void *context, const void *bytes, size_t length)
{
    (void) archive;
    buf_add_bytes(context, bytes, length);
    return (la_ssize_t) length;
}

static int
add_iso_file(struct archive *archive, const char *name, const char *text, struct error *err)
{
    ENTRY_AUTO struct archive_entry *entry = archive_entry_new();
    if (entry == NULL)
        mem_exhausted();
    size_t length = strlen(text);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0400);
    archive_entry_set_size(entry, (la_int64_t) length);
    archive_entry_set_mtime(entry, 0, 0);
    if (archive_write_header(archive, entry) != ARCHIVE_OK ||
        archive_write_data(archive, text, length) != (la_ssize_t) length)
        return iso_failed(archive, err);
    return 0;
}

static int
write_archive(const struct seed *seed, struct buf *ret, struct error *err)
{
    ARCHIVE_AUTO struct archive *archive = archive_write_new();
    if (archive == NULL)
        mem_exhausted();
    if (archive_write_set_format_iso9660(archive) != ARCHIVE_OK ||
        archive_write_set_options(archive, OPTIONS) != ARCHIVE_OK ||
        archive_write_open(archive, ret, NULL, add_bytes, NULL) != ARCHIVE_OK)
        return iso_failed(archive, err);
    if (add_iso_file(archive, "meta-data", seed->meta_data, err) < 0 ||
        add_iso_file(archive, "user-data", seed->user_data, err) < 0 ||
        add_iso_file(archive, "network-config", seed->network_config, err) < 0)
        return -1;
    return archive_write_close(archive) == ARCHIVE_OK ? 0 : iso_failed(archive, err);
}

int
iso_build(const struct seed *seed, struct buf *ret, struct error *err)
{
    if (write_archive(seed, ret, err) == 0 && settle_times(ret->data, ret->length, err) == 0)
        return 0;
    buf_free(ret);
    return -1;
}

int
iso_write(const struct seed *seed, const char *path, struct error *err)
{
    BUF_AUTO struct buf image = {0};
    FREE_AUTO char *old = NULL;
    ERROR_AUTO struct error unread = {0};
    size_t length = 0;
    struct stat info;
    if (iso_build(seed, &image, err) < 0)
        return -1;
    if (file_read(path, MAX_SIZE, &old, &length, &unread) == 0 && length == image.length &&
        memcmp(old, image.data, length) == 0 && lstat(path, &info) == 0 &&
        (info.st_mode & (mode_t) 07777) == 0600)
        return 0;
    return file_write(path, 0600, image.data, image.length, err);
}
