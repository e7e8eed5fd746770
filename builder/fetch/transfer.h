// transfer.h - inside fetch/ only: one request to one server, by libcurl. Where the bytes go is the
// caller's.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_TRANSFER_H
#define AIRBUILD_FETCH_TRANSFER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fetch_end {
    FETCH_DONE,
    FETCH_AGAIN,   // this server may do better another time
    FETCH_REFUSED, // not from this server
    FETCH_STOP,    // not from any: interrupted, deadline, no space
};

struct fetch_transfer {
    const char *url;
    uint64_t from;         // resume behind so many bytes; 0: from the start
    const char *validator; // of the bytes that are there: an ETag or a date; needed when from > 0
    uint64_t max;          // bytes of the whole file
    bool page;             // a web page is what is wanted
    int64_t end_ms;        // as clock_ms counts
    int64_t stall_s;       // leave a server that is slower than 1 KiB a second for so long
    // The server starts anew: what is there is worth nothing. Called before put, at most once.
    int (*restart)(void *context, struct error *err);
    int (*put)(void *context, const void *bytes, size_t length, struct error *err);
    void *context;
    // Called with the bytes that came and that there are (0: unknown), of the whole file; may be
    // NULL.
    void (*show)(void *context, uint64_t now, uint64_t total);
    void *show_context;
};

// ret_validator: what to resume with, NULL when the server gives nothing that tells files apart;
// caller frees.
enum fetch_end fetch_transfer(
    const struct fetch_transfer *transfer, char **ret_validator, struct error *err);

#endif
