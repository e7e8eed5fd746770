// reply.h - inside store/ only: what a server says of a file before it sends it. Pure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_STORE_REPLY_H
#define AIRBUILD_STORE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Start as {0}.
struct reply {
    long status;     // of HTTP; 0: none yet, or no HTTP
    bool html;       // it says that it is a web page
    char *validator; // a strong ETag, else a date of change; NULL: neither; owned
    bool has_etag;
    uint64_t range_start; // of status 206
    uint64_t total;       // bytes of the whole file; 0: unknown
};
void reply_clear(struct reply *reply);
void reply_header(struct reply *reply, const char *line, size_t length);
// Whether what follows are bytes of the file at url.
bool reply_is_file(const struct reply *reply, const char *url);

#endif
