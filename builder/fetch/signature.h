// signature.h - inside fetch/ only: detached OpenPGP signatures, checked by gpgv.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_SIGNATURE_H
#define AIRBUILD_FETCH_SIGNATURE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

int fetch_signature_tool(struct error *err); // ERR_MISSING: no gpgv

struct fetch_signature {
    const char *data; // the detached signature, binary or armored
    size_t length;
    const char *keyring; // path of public keys, binary or armored; NULL: those airbuild carries
    const char *origin;  // what people know the signed file by
    // The file has a digest that was known before any server was asked: then it counts that the key
    // was valid when it signed, though it expired since.
    bool known;
};

// Checks the file, by a temporary folder beside it. ERR_DAMAGED: the signature is not of that file,
// not of a known key, or of one that expired or was revoked.
int fetch_signature_check(
    const struct fetch_signature *signature, const char *file, struct error *err);

// Armored OpenPGP (RFC 9580, 6) as bytes; false when it is not armored so. Caller frees.
bool fetch_dearmor(const char *text, char **ret_data, size_t *ret_length);

#endif
