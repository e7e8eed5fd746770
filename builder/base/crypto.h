// crypto.h - SHA-256, base64 and random text, by libcrypto.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_CRYPTO_H
#define AIRBUILD_BASE_CRYPTO_H

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_HEX 64 // characters of a SHA-256 in hex, without the NUL

struct digest; // a running SHA-256
struct digest *digest_new(void);
void digest_add(struct digest *digest, const void *data, size_t length);
// Adds a field: its length, then its bytes, so that ("ab", "c") and ("a", "bc") differ. NULL
// differs from "".
void digest_add_field(struct digest *digest, const char *text);
// Ends the digest; call only digest_free after it.
void digest_hex(struct digest *digest, char ret_hex[DIGEST_HEX + 1]);
void digest_free(struct digest *digest);
DEFINE_FREEP(struct digest, digest_free)
#define DIGEST_AUTO CLEANUP(digest_freep)

void digest_bytes(const void *data, size_t length, char ret_hex[DIGEST_HEX + 1]);
int digest_file(const char *path, char ret_hex[DIGEST_HEX + 1], struct error *err); // interruptible

// Adds the bytes of base64 text (RFC 4648, padded; blanks and line ends are skipped). Returns
// false, and adds nothing, when the text is not valid.
struct buf;
bool base64_decode(const char *text, size_t length, struct buf *ret);

// Return random text that the caller frees.
char *random_text(size_t length); // [A-Za-z0-9]
char *random_hex(size_t length);  // lower-case hex digits
char *random_uuid(void);          // version 4

#endif
