// info.h - one field of an INFO text ("name:value" lines, as redis and sentinel print them). Pure.
// Internal to probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_INFO_H
#define AIRBUILD_PROBE_INFO_H

#include <stdbool.h>
#include <stddef.h>

// Copy the value of the first line "name:..." into ret, cut to size, printable. False, and "", when
// there is none.
bool info_text(const char *info, const char *name, char *ret, size_t size);
// Its number; otherwise when it is absent or no number.
long long info_number(const char *info, const char *name, long long otherwise);

#endif
