// digest.h - SHA-256 by libcrypto, random bytes, hex, base64.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_DIGEST_H
#define AIRBUILD_BASE_DIGEST_H

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_HEX 64 // characters of a SHA-256 in hex, without the NUL

struct digest; // a running SHA-256
struct digest *digest_new(void);
void digest_add(struct digest *digest, const void *data, size_t length);
// Add a field so that ("ab","c") and ("a","bc") differ: its length, then its bytes. NULL differs
// from "".
void digest_add_field(struct digest *digest, const char *text);
// Ends it; only digest_free may follow.
void digest_hex(struct digest *digest, char ret_hex[DIGEST_HEX + 1]);
void digest_free(struct digest *digest);
DEFINE_FREEP(struct digest, digest_free)
#define DIGEST_AUTO CLEANUP(digest_freep)

void digest_bytes(const void *data, size_t length, char ret_hex[DIGEST_HEX + 1]);
int digest_file(const char *path, char ret_hex[DIGEST_HEX + 1], struct error *err); // interruptible

// Adds the bytes that base64 text (RFC 4648, padded; blanks and line ends are skipped) stands for.
// Returns false, and adds nothing, when it is none.
struct buf;
bool base64_decode(const char *text, size_t length, struct buf *ret);

// length random characters of [A-Za-z0-9] (unbiased, from libcrypto's generator); caller frees.
char *random_text(size_t length);
// length random lowercase hex digits; caller frees.
char *random_hex(size_t length);
// Random version 4 UUID; caller frees.
char *random_uuid(void);

#endif
