// debian.h - inside bake/ only: Debian: mmdebstrap, apt and dpkg.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_DEBIAN_H
#define AIRBUILD_BAKE_DEBIAN_H

#include "bake/make.h"

// Appends the arguments of mmdebstrap. kept: WORK/packages holds all it would download. Pure.
void debian_arguments(const struct bake_job *job, bool kept, struct strv *ret);

// Returns the cause of a failure of apt or mmdebstrap. ERR_NETWORK: no mirror answered, or not with
// packages; ERR_SPACE; ERR_SPEC: a package that the mirror does not have; else ERR_FAILED. text:
// their output; may be NULL.
enum error_code apt_cause(const char *text);
// Returns the first error in it; caller frees, never NULL.
char *apt_reason(const char *text);

#endif
