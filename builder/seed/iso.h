// iso.h - the ISO 9660 image that carries a node's seed: volume `cidata`, Rock Ridge and Joliet,
// made in-process. Equal documents give equal bytes, whenever and in whichever time zone they are
// written.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_ISO_H
#define AIRBUILD_SEED_ISO_H

#include "base/error.h"
#include "base/str.h"
#include "seed/seed.h"

// The image's bytes, a multiple of 2048, appended to *ret (which starts as {0}).
int iso_build(const struct seed *seed, struct buf *ret, struct error *err);

// Publish the image at path (0600, whole or not at all). Nothing is written when it is there
// already.
int iso_write(const struct seed *seed, const char *path, struct error *err);

#endif
