// settle.c - walk the volume descriptors and folder records of an ISO image and make their times
// constant. The layout is that of ECMA-119 (sections 8.4, 9.1) and, for Rock Ridge's TF entries, of
// IEEE P1282 4.1.6.
// SPDX-License-Identifier: Apache-2.0
#include "seed/settle.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    SECTOR = 2048,
    FIRST_DESCRIPTOR = 16, // sector
    DESCRIPTOR_PRIMARY = 1,
    DESCRIPTOR_SUPPLEMENTARY = 2, // Joliet's
    DESCRIPTOR_END = 255,
    // In a volume descriptor: the root folder's record, and times as texts.
    ROOT_RECORD = 156,
    CREATED = 813,
    MODIFIED = 830,
    EFFECTIVE = 864,
    // In a folder record.
    RECORD_EXTENT = 2,
    RECORD_SIZE = 10,
    RECORD_TIME = 18,
    RECORD_NAME_LENGTH = 32,
    RECORD_NAME = 33,
    // In a TF entry: length, flags, and the times after them.
    ENTRY_LENGTH = 2,
    ENTRY_FLAGS = 4,
    ENTRY_TIMES = 5,
    ENTRY_LONG_FORM = 0x80,
};

static const unsigned char record_time[7] = {70, 1, 1, 0, 0, 0, 0};  // years since 1900, ..., zone
static const unsigned char descriptor_time[17] = "1970010100000000"; // and a zone of 0

static uint32_t
little_endian(const unsigned char *at)
{
    return (uint32_t) at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 |
           (uint32_t) at[3] << 24;
}

// Rock Ridge's entries, from at to end: times are in those called TF.
static void
settle_entries(unsigned char *at, const unsigned char *end)
{
    while (end - at > ENTRY_TIMES && at[ENTRY_LENGTH] > ENTRY_FLAGS - 1 &&
           at[ENTRY_LENGTH] <= end - at) {
        unsigned char *next = at + at[ENTRY_LENGTH];
        if (memcmp(at, "TF", 2) == 0 && (at[ENTRY_FLAGS] & ENTRY_LONG_FORM) == 0)
            for (unsigned char *time = at + ENTRY_TIMES; next - time >= (int) sizeof record_time;
                 time += sizeof record_time)
                memcpy(time, record_time, sizeof record_time);
        at = next;
    }
}

static void
settle_record(unsigned char *record)
{
    memcpy(record + RECORD_TIME, record_time, sizeof record_time);
    size_t name = record[RECORD_NAME_LENGTH], entries = RECORD_NAME + name + (name % 2 == 0);
    if (entries < record[0])
        settle_entries(record + entries, record + record[0]);
}

// A record's length is its first byte; 0 fills the rest of a sector.
static bool
settle_folder(unsigned char *folder, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = folder[at];
        if (length == 0) {
            at = (at / SECTOR + 1) * SECTOR;
            continue;
        }
        if (length <= RECORD_NAME || length > size - at)
            return false;
        settle_record(folder + at);
        at += length;
    }
    return true;
}

static bool
settle_descriptor(unsigned char *descriptor, unsigned char *image, size_t length)
{
    memcpy(descriptor + CREATED, descriptor_time, sizeof descriptor_time);
    memcpy(descriptor + MODIFIED, descriptor_time, sizeof descriptor_time);
    memcpy(descriptor + EFFECTIVE, descriptor_time, sizeof descriptor_time);
    unsigned char *root = descriptor + ROOT_RECORD;
    settle_record(root);
    size_t start = (size_t) little_endian(root + RECORD_EXTENT) * SECTOR;
    size_t size = little_endian(root + RECORD_SIZE);
    return start <= length && size <= length - start && settle_folder(image + start, size);
}

// After the descriptors libarchive leaves a note: "INFO ", the time as a text, its version.
static bool
settle_note(unsigned char *note, const unsigned char *end)
{
    static const char mark[] = {'I', 'N', 'F', 'O', ' '};
    if (end - note < SECTOR)
        return false;
    if (memcmp(note, mark, sizeof mark) == 0)
        memset(note + sizeof mark, 0, SECTOR - sizeof mark);
    return true;
}

static bool
normalize_times(unsigned char *image, size_t length)
{
    for (size_t at = FIRST_DESCRIPTOR * SECTOR; at + SECTOR <= length; at += SECTOR) {
        unsigned char *descriptor = image + at;
        if (memcmp(descriptor + 1, "CD001", 5) != 0)
            return false;
        if (descriptor[0] == DESCRIPTOR_END)
            return settle_note(descriptor + SECTOR, image + length);
        if ((descriptor[0] == DESCRIPTOR_PRIMARY || descriptor[0] == DESCRIPTOR_SUPPLEMENTARY) &&
            !settle_descriptor(descriptor, image, length))
            return false;
    }
    return false;
}

int
settle_times(char *image, size_t length, struct error *err)
{
    if (normalize_times((unsigned char *) image, length))
        return 0;
    return error_set(err, ERR_FAILED,
        "libarchive made something else than an ISO image; report it with the version of "
        "libarchive");
}
