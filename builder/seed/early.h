// early.h - the files that a node needs before cloud-init runs. Internal to seed/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_EARLY_H
#define AIRBUILD_SEED_EARLY_H

#include "base/error.h"
#include "base/str.h"
#include "seed/seed.h"

// Appends to ret a tar archive with the files that cloud-init makes of the user-data, so that a
// node lays them down without it (images/files/common/usr/lib/airbuild/node-setup): those of
// write_files, the SSH host key, the interface's configuration, and, for make-login,
// etc/airbuild/login: the name of the first user and then its public keys, a line each. With
// seed->link also etc/airbuild/link, by which node-setup brings up the interface in place of
// systemd-networkd. ERR_FAILED when the user-data lacks any of these. seed->network must not be
// NULL.
int early_make(const struct seed *seed, struct buf *ret, struct error *err);

#endif
