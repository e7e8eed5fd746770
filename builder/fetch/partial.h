// partial.h - inside fetch/ only: a file while it is downloaded, and its SHA-256 so far.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_PARTIAL_H
#define AIRBUILD_FETCH_PARTIAL_H

#include "base/crypto.h"

#include <stdint.h>

struct fetch_partial {
    char *path; // FOLDER/.DIGEST.part, DIGEST of wanted and the URL
    char *note; // FOLDER/.DIGEST.json: the validator of a file that can be resumed
    int fd;
    uint64_t length;
    char *validator; // NULL: cannot be resumed
    struct digest *digest;
};

// Opens the file of an earlier download, if it can be resumed, else an empty one. wanted: the name
// that the caller's lock is made of, so that the lock guards the file.
int fetch_partial_open(const char *folder, const char *wanted, const char *url,
    struct fetch_partial *ret, struct error *err);
int fetch_partial_restart(void *partial, struct error *err); // empties it
int fetch_partial_put(void *partial, const void *bytes, size_t length, struct error *err);
// Keeps it for a later download if it can be resumed, else drops it.
void fetch_partial_save(struct fetch_partial *partial, const char *url);
void fetch_partial_drop(struct fetch_partial *partial); // removes its files
// Drops a partial file that is not open.
void fetch_partial_remove(const char *folder, const char *wanted, const char *url);
// Rename it to its final path, read-only.
int fetch_partial_publish(struct fetch_partial *partial, const char *to, struct error *err);
void fetch_partial_close(struct fetch_partial *partial);
#define PARTIAL_AUTO CLEANUP(fetch_partial_close)

#endif
