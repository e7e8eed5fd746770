// apt.c - apt tells causes only in words; these have been the same since apt 1.0.
// SPDX-License-Identifier: Apache-2.0
#include "bake/apt.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

enum error_code
apt_cause(const char *text)
{
    static const char *const space[] = {
        "No space left on device", "not enough free space", "don't have enough free space", NULL};
    static const char *const package[] = {"Unable to locate package",
        "has no installation candidate", "Couldn't find any package by", NULL};
    static const char *const network[] = {"Could not resolve", "Could not connect",
        "Failed to fetch", "Unable to fetch", "Temporary failure", "Connection timed out",
        "Network is unreachable", "does not have a Release file", NULL};
    if (str_has_any(text, space))
        return ERR_SPACE;
    if (str_has_any(text, package))
        return ERR_SPEC;
    return str_has_any(text, network) ? ERR_NETWORK : ERR_FAILED;
}

// What comes after the first error is mostly about the first error.
char *
apt_reason(const char *text)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, text == NULL ? "" : text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *error = strstr(lines.items[i], "E: ");
        if (error != NULL)
            return str_ndup(error + 3, strnlen(error + 3, 300));
    }
    return str_dup("it gave no reason");
}
