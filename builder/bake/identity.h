// identity.h - inside bake/ only: what tells one machine from another is taken out of an image, and
// looked for once more before the image is published.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_IDENTITY_H
#define AIRBUILD_BAKE_IDENTITY_H

#include "bake/guest.h"

// machine-id (empty, so that no boot counts as the first one by systemd's reckoning;
// machine-id(5)), SSH host keys, random seed, leases, logs, cloud-init state, package caches, data
// of services. ERR_FAILED names what is still there.
int identity_remove(struct guest *guest, struct error *err);

#endif
