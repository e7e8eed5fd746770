// partial.h - inside store/ only: a file while it is downloaded, its SHA-256 running along, and
// what an interrupted download left of it.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_STORE_PARTIAL_H
#define AIRBUILD_STORE_PARTIAL_H

#include "base/digest.h"
#include "store/inside.h"

struct partial {
    char *path; // HOME/store/downloads/.DIGEST.part, DIGEST of what is wanted and the URL
    char *note; // HOME/store/downloads/.DIGEST.json: what it is resumed with
    int fd;
    uint64_t length;
    char *validator; // NULL: cannot be resumed
    struct digest *digest;
};

// What is there is read, if it can be resumed; else it begins anew. wanted: what the caller's lock
// is named by, so that nobody without that lock writes the same file.
int partial_open(const struct store *store, const char *wanted, const char *url,
    struct partial *ret, struct error *err);
int partial_restart(void *partial, struct error *err);
int partial_put(void *partial, const void *bytes, size_t length, struct error *err);
// Leave it for another time when it can be resumed, else as partial_drop.
int partial_keep(struct partial *partial, const char *url, struct error *err);
void partial_drop(struct partial *partial); // nothing is left of it
// Nor of another one.
void partial_forget(const struct store *store, const char *wanted, const char *url);
// It becomes the file to, read-only and whole.
int partial_publish(struct partial *partial, const char *to, struct error *err);
void partial_close(struct partial *partial);
#define PARTIAL_AUTO __attribute__((cleanup(partial_close)))

#endif
