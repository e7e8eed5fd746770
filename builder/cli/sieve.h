// sieve.h - what a serial console wrote, made harmless for a terminal as it streams by: escape
// sequences (ECMA-48) and control characters but newline and tab are dropped, what is not UTF-8
// becomes '?'. A sequence ends at a newline at the latest, so none can swallow the rest.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_SIEVE_H
#define AIRBUILD_CLI_SIEVE_H

#include "base/str.h"

#include <stddef.h>

struct sieve { // start as {0}; keeps what a piece ended within
    enum sieve_state { SIEVE_TEXT, SIEVE_ESCAPE, SIEVE_CSI, SIEVE_STRING } state;
    char pending[5]; // of a character that is not whole yet
    size_t pending_length;
};

void sieve_add(struct sieve *sieve, const char *data, size_t length, struct buf *ret);

#endif
