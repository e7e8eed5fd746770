// partial.h - inside fetch/ only: a file while it is downloaded, its SHA-256 running along, and
// what an interrupted download left of it.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_PARTIAL_H
#define AIRBUILD_FETCH_PARTIAL_H

#include "base/digest.h"

#include <stdint.h>

struct fetch_partial {
    char *path; // FOLDER/.DIGEST.part, DIGEST of what is wanted and the URL
    char *note; // FOLDER/.DIGEST.json: what it is resumed with
    int fd;
    uint64_t length;
    char *validator; // NULL: cannot be resumed
    struct digest *digest;
};

// What is there is read, if it can be resumed; else it begins anew. wanted: what the caller's lock
// is named by, so that nobody without that lock writes the same file.
int fetch_partial_open(const char *folder, const char *wanted, const char *url,
    struct fetch_partial *ret, struct error *err);
int fetch_partial_restart(void *partial, struct error *err);
int fetch_partial_put(void *partial, const void *bytes, size_t length, struct error *err);
// Leave it for another time when it can be resumed, else as fetch_partial_drop.
int fetch_partial_save(struct fetch_partial *partial, const char *url, struct error *err);
void fetch_partial_drop(struct fetch_partial *partial); // nothing is left of it
// Nor of another one.
void fetch_partial_remove(const char *folder, const char *wanted, const char *url);
// It becomes the file to, read-only and whole.
int fetch_partial_publish(struct fetch_partial *partial, const char *to, struct error *err);
void fetch_partial_close(struct fetch_partial *partial);
#define PARTIAL_AUTO __attribute__((cleanup(fetch_partial_close)))

#endif
