// base_url.c - a disk image that is downloaded, Arch's official one or another, as base.
// SPDX-License-Identifier: Apache-2.0
#include "bake/source.h"

int
base_bake_url(const struct bake_job *job, struct error *err)
{
    (void) job;
    return error_set(err, ERR_NETWORK, "not yet");
}
