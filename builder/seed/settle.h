// settle.h - make the times inside an ISO image constant: libarchive puts the present into it.
// Internal to seed/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_SETTLE_H
#define AIRBUILD_SEED_SETTLE_H

#include "base/error.h"

#include <stddef.h>

// Set every time of a flat image (no folders) to 1970-01-01 00:00:00 UTC, in place.
// ERR_FAILED when the bytes are no ISO 9660 image.
int settle_times(char *image, size_t length, struct error *err);

#endif
