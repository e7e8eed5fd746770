// iso.c - a NoCloud ISO by libarchive: the documents and airbuild.tar, volume `cidata`.
// SPDX-License-Identifier: Apache-2.0
#include "seed/seed.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "seed/archive.h"
#include "seed/early.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

// The label cloud-init looks for, and Rock Ridge or Joliet because `user-data` is not an 8.3 name:
// https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
#define OPTIONS "volume-id=cidata,rockridge=useful,joliet,!pad"
#define MAX_SIZE ((size_t) 16 << 20)
#define DOCUMENTS 4 // at most

struct iso_document {
    const char *name, *data;
    size_t length;
};

struct iso_documents {
    struct iso_document items[DOCUMENTS];
    size_t count;
};

// ---- write -------------------------------------------------------------------------------------

static int
write_image(const struct iso_documents *documents, struct buf *ret, struct error *err)
{
    ARCHIVE_AUTO struct archive *archive = archive_write_new();
    if (archive == NULL)
        mem_exhausted();
    if (archive_write_set_format_iso9660(archive) != ARCHIVE_OK ||
        archive_write_set_options(archive, OPTIONS) != ARCHIVE_OK ||
        archive_write_open(archive, ret, NULL, archive_add_bytes, NULL) != ARCHIVE_OK)
        return archive_failed(archive, err);
    for (size_t i = 0; i < documents->count; i++) {
        const struct iso_document *document = &documents->items[i];
        if (archive_add_file(archive, document->name, 0400, document->data, document->length, err) <
            0)
            return -1;
    }
    return archive_write_close(archive) == ARCHIVE_OK ? 0 : archive_failed(archive, err);
}

// ---- compare -----------------------------------------------------------------------------------

// True if the image holds these documents, each once, and no other file. The bytes of two such
// images differ, as libarchive adds the time.
static bool
image_holds(const char *image, size_t length, const struct iso_documents *documents)
{
    ARCHIVE_AUTO struct archive *archive = archive_read_new();
    if (archive == NULL)
        mem_exhausted();
    if (archive_read_support_format_iso9660(archive) != ARCHIVE_OK ||
        archive_read_open_memory(archive, image, length) != ARCHIVE_OK)
        return false;
    bool found[DOCUMENTS] = {false};
    size_t count = 0;
    struct archive_entry *entry;
    int answer;
    while ((answer = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
        if (archive_entry_filetype(entry) != AE_IFREG)
            continue;
        size_t i = 0;
        while (i < documents->count &&
               !str_equal(archive_entry_pathname(entry), documents->items[i].name))
            i++;
        if (i == documents->count || found[i])
            return false;
        size_t wanted = documents->items[i].length;
        FREE_AUTO char *text = mem_zero(1, wanted + 1);
        if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) != (la_int64_t) wanted ||
            archive_read_data(archive, text, wanted) != (la_ssize_t) wanted ||
            memcmp(text, documents->items[i].data, wanted) != 0)
            return false;
        found[i] = true;
        count++;
    }
    return answer == ARCHIVE_EOF && count == documents->count;
}

static void
add_document(struct iso_documents *documents, const char *name, const char *data, size_t length)
{
    documents->items[documents->count++] = (struct iso_document){name, data, length};
}

int
iso_write(const struct seed *seed, const char *path, struct error *err)
{
    BUF_AUTO struct buf early = {0};
    struct iso_documents documents = {.count = 0};
    add_document(&documents, "meta-data", seed->meta_data, strlen(seed->meta_data));
    add_document(&documents, "user-data", seed->user_data, strlen(seed->user_data));
    add_document(&documents, "network-config", seed->network_config, strlen(seed->network_config));
    if (seed->network != NULL) {
        if (early_make(seed, &early, err) < 0)
            return -1;
        add_document(&documents, "airbuild.tar", early.data, early.length);
    }
    FREE_AUTO char *before = NULL;
    BUF_AUTO struct buf image = {0};
    ERROR_AUTO struct error unread = {0};
    size_t length = 0;
    struct stat info;
    if (lstat(path, &info) == 0 && (info.st_mode & (mode_t) 07777) == 0600 &&
        file_read(path, MAX_SIZE, &before, &length, &unread) == 0 &&
        image_holds(before, length, &documents))
        return 0;
    if (write_image(&documents, &image, err) < 0)
        return -1;
    return file_write(path, 0600, image.data, image.length, err);
}
