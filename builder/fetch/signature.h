// signature.h - inside fetch/ only: checks detached OpenPGP signatures by gpgv.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_FETCH_SIGNATURE_H
#define AIRBUILD_FETCH_SIGNATURE_H

#include "fetch/fetch.h"

int fetch_signature_tool(struct error *err); // ERR_MISSING: no gpgv

// Checks the file of that job by a detached signature (binary or armored), in a temporary folder
// beside it. url: of the file, for messages. A key that has expired is accepted if it was valid
// when it signed and the digest is known. ERR_DAMAGED: the signature is of another file, or of a
// key that is unknown, has expired or was revoked.
int fetch_signature_check(const struct fetch_job *job, const char *signature, size_t length,
    const char *url, const char *file, struct error *err);

// Decodes armored OpenPGP (RFC 9580, 6); false: it is not armored. Caller frees.
bool fetch_dearmor(const char *text, char **ret_data, size_t *ret_length);

#endif
