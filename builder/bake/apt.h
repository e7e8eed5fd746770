// apt.h - inside bake/ only: what apt and mmdebstrap mean by their complaints. Pure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_APT_H
#define AIRBUILD_BAKE_APT_H

#include "base/error.h"

// ERR_NETWORK: no mirror answered, or not with packages; ERR_SPACE; ERR_SPEC: a package that the
// mirror does not have; else ERR_FAILED. text: all they said; may be NULL.
enum error_code apt_cause(const char *text);
// The sentence that tells it best, the first error; caller frees, never NULL.
char *apt_reason(const char *text);

#endif
