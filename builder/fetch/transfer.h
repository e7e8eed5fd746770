// transfer.h - inside fetch/ only: one download from one server, by libcurl.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_TRANSFER_H
#define AIRBUILD_FETCH_TRANSFER_H

#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fetch_end {
    FETCH_DONE,
    FETCH_AGAIN,   // failed, but a retry may succeed
    FETCH_REFUSED, // a retry with this server will fail, too
    FETCH_STOP,    // no server can help: interrupted, deadline, no space
};

struct fetch_transfer {
    const char *url;
    struct buf *text; // gets the bytes; NULL: they are appended to the file
    int fd;           // with O_APPEND; emptied when the server sends the whole file again
    const char *path; // of fd, for messages
    uint64_t from;    // bytes that the file has already
    char **validator; // their ETag or date; becomes what the server sends, if any; NULL with text
    uint64_t max;     // bytes of the whole file
    bool page;        // an HTML page is expected; else it is an error
    int64_t end_ms;   // deadline, as clock_ms counts
    int64_t stall_s;  // give up after this time below 1 KiB a second
    struct progress *progress;
    const char *task;  // for progress
    int64_t *shown_ms; // when progress was last reported; NULL: it is not
};

enum fetch_end fetch_transfer(const struct fetch_transfer *transfer, struct error *err);

#endif
