// fetch.h - inside store/ only: small files, kept in memory.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_STORE_FETCH_H
#define AIRBUILD_STORE_FETCH_H

#include "base/str.h"
#include "store/store.h"

enum { FETCH_SIGNATURE_MAX = 64 * 1024 };

// From the first server that has it, within 30 seconds. NUL-terminated; caller frees.
int fetch_bytes(
    const struct strv *urls, size_t max, char **ret_data, size_t *ret_length, struct error *err);

#endif
