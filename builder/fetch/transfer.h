// transfer.h - inside fetch/ only: one download from one server, by libcurl. The caller stores the
// bytes.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_TRANSFER_H
#define AIRBUILD_FETCH_TRANSFER_H

#include "base/error.h"

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
    uint64_t from;         // bytes that the caller has already
    const char *validator; // their ETag or date; needed when from > 0
    uint64_t max;          // bytes of the whole file
    bool page;             // an HTML page is expected; else it is an error
    int64_t end_ms;        // deadline, as clock_ms counts
    int64_t stall_s;       // give up after this time below 1 KiB a second
    // Drop the bytes of from, as the server sends the whole file. Called before put, at most once,
    // and only when from > 0.
    int (*restart)(void *context, struct error *err);
    int (*put)(void *context, const void *bytes, size_t length, struct error *err);
    void *context;
    // Gets the bytes so far and in all (0: unknown), of the whole file, and the average bytes a
    // second. May be NULL.
    void (*show)(void *context, uint64_t now, uint64_t total, uint64_t rate);
    void *show_context;
};

// *ret_validator: to resume with, NULL when the server sends none; caller frees. ret_validator may
// be NULL.
enum fetch_end fetch_transfer(
    const struct fetch_transfer *transfer, char **ret_validator, struct error *err);

#endif
