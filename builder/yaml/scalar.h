// scalar.h - inside yaml/ only: the texts of scalars as numbers, and limits as texts.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_YAML_SCALAR_H
#define AIRBUILD_YAML_SCALAR_H

#include "base/str.h"

#include <stdbool.h>

// Each is false when text is none; *ret is untouched then.
bool scalar_bool(const char *text, bool *ret);
bool scalar_number(const char *text, unsigned long long *ret);      // decimal, no leading zero
bool scalar_size(const char *text, unsigned long long *ret);        // bytes
bool scalar_duration(const char *text, unsigned long long *ret);    // milliseconds
void scalar_add_size(struct buf *out, unsigned long long bytes);    // "512M"
void scalar_add_duration(struct buf *out, unsigned long long time); // of milliseconds: "2s"

#endif
