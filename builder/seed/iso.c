// iso.c - a NoCloud ISO by libarchive: three files, volume `cidata`. The only user of libarchive.
// SPDX-License-Identifier: Apache-2.0
#include "seed/seed.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

// The label cloud-init looks for, and Rock Ridge or Joliet because `user-data` is not an 8.3 name:
// https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
#define OPTIONS "volume-id=cidata,rockridge=useful,joliet,!pad"
#define MAX_SIZE ((size_t) 16 << 20)
#define DOCUMENTS 3

struct iso_document {
    const char *name, *text;
};

DEFINE_FREEP(struct archive, archive_free)
DEFINE_FREEP(struct archive_entry, archive_entry_free)
#define ARCHIVE_AUTO CLEANUP(archive_freep)
#define ENTRY_AUTO CLEANUP(archive_entry_freep)

// ---- write -------------------------------------------------------------------------------------

// libarchive's last error as ours.
static int
iso_failed(struct archive *archive, struct error *err)
{
    const char *why = archive_error_string(archive);
    return error_set(err, archive_errno(archive) == ENOSPC ? ERR_SPACE : ERR_FAILED,
        "cannot make the seed's ISO image: %s", why == NULL ? "libarchive gives no reason" : why);
}

static la_ssize_t
add_bytes(struct archive *archive, void *context, const void *bytes, size_t length)
{
    (void) archive;
    buf_add_bytes(context, bytes, length);
    return (la_ssize_t) length;
}

static int
write_image(const struct iso_document *documents, struct buf *ret, struct error *err)
{
    ARCHIVE_AUTO struct archive *archive = archive_write_new();
    if (archive == NULL)
        mem_exhausted();
    if (archive_write_set_format_iso9660(archive) != ARCHIVE_OK ||
        archive_write_set_options(archive, OPTIONS) != ARCHIVE_OK ||
        archive_write_open(archive, ret, NULL, add_bytes, NULL) != ARCHIVE_OK)
        return iso_failed(archive, err);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        size_t length = strlen(documents[i].text);
        ENTRY_AUTO struct archive_entry *entry = archive_entry_new();
        if (entry == NULL)
            mem_exhausted();
        archive_entry_set_pathname(entry, documents[i].name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0400);
        archive_entry_set_size(entry, (la_int64_t) length);
        archive_entry_set_mtime(entry, 0, 0);
        if (archive_write_header(archive, entry) != ARCHIVE_OK ||
            archive_write_data(archive, documents[i].text, length) != (la_ssize_t) length)
            return iso_failed(archive, err);
    }
    return archive_write_close(archive) == ARCHIVE_OK ? 0 : iso_failed(archive, err);
}

// ---- compare -----------------------------------------------------------------------------------

// True if the image holds these documents, each once, and no other file. The bytes of two such
// images differ, as libarchive adds the time.
static bool
image_holds(const char *image, size_t length, const struct iso_document *documents)
{
    ARCHIVE_AUTO struct archive *archive = archive_read_new();
    if (archive == NULL)
        mem_exhausted();
    if (archive_read_support_format_iso9660(archive) != ARCHIVE_OK ||
        archive_read_open_memory(archive, image, length) != ARCHIVE_OK)
        return false;
    bool found[DOCUMENTS] = {false};
    struct archive_entry *entry;
    int answer;
    while ((answer = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
        if (archive_entry_filetype(entry) != AE_IFREG)
            continue;
        size_t i = 0;
        while (i < DOCUMENTS && !str_equal(archive_entry_pathname(entry), documents[i].name))
            i++;
        if (i == DOCUMENTS || found[i])
            return false;
        size_t wanted = strlen(documents[i].text);
        FREE_AUTO char *text = mem_zero(1, wanted + 1);
        if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) != (la_int64_t) wanted ||
            archive_read_data(archive, text, wanted) != (la_ssize_t) wanted ||
            memcmp(text, documents[i].text, wanted) != 0)
            return false;
        found[i] = true;
    }
    return answer == ARCHIVE_EOF && found[0] && found[1] && found[2];
}

int
iso_write(const struct seed *seed, const char *path, struct error *err)
{
    const struct iso_document documents[DOCUMENTS] = {
        {"meta-data", seed->meta_data},
        {"user-data", seed->user_data},
        {"network-config", seed->network_config},
    };
    FREE_AUTO char *before = NULL;
    BUF_AUTO struct buf image = {0};
    ERROR_AUTO struct error unread = {0};
    size_t length = 0;
    struct stat info;
    if (lstat(path, &info) == 0 && (info.st_mode & (mode_t) 07777) == 0600 &&
        file_read(path, MAX_SIZE, &before, &length, &unread) == 0 &&
        image_holds(before, length, documents))
        return 0;
    if (write_image(documents, &image, err) < 0)
        return -1;
    return file_write(path, 0600, image.data, image.length, err);
}
