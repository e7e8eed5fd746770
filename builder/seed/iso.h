// iso.h - the ISO 9660 image that carries a node's seed: volume `cidata`, Rock Ridge and Joliet,
// made in-process.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_ISO_H
#define AIRBUILD_SEED_ISO_H

#include "base/error.h"
#include "seed/seed.h"

// Publish the image at path (0600, whole or not at all). A file there that holds the same documents
// is left alone.
int iso_write(const struct seed *seed, const char *path, struct error *err);

#endif
