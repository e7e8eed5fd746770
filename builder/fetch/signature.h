// signature.h - inside fetch/ only: checks detached OpenPGP signatures by gpgv.
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
    const char *origin;  // of the signed file, for messages
    // The file has a digest that is not from a server. Then a key that has expired is accepted if
    // it was valid when it signed.
    bool known;
};

// Checks the file, in a temporary folder beside it. ERR_DAMAGED: the signature is of another file,
// or of a key that is unknown, has expired or was revoked.
int fetch_signature_check(
    const struct fetch_signature *signature, const char *file, struct error *err);

// Decodes armored OpenPGP (RFC 9580, 6); false: it is not armored. Caller frees.
bool fetch_dearmor(const char *text, char **ret_data, size_t *ret_length);

#endif
