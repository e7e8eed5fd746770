// info.c - find a field in an INFO text.
// SPDX-License-Identifier: Apache-2.0
#include "probe/info.h"

#include "probe/resp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *
find(const char *info, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = info; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1;
    }
    return NULL;
}

bool
info_text(const char *info, const char *name, char *ret, size_t size)
{
    const char *value = find(info, name);
    size_t length = value == NULL ? 0 : strcspn(value, "\r\n");
    resp_copy_text(ret, length < size ? length + 1 : size, value);
    return value != NULL;
}

long long
info_number(const char *info, const char *name, long long otherwise)
{
    char text[32];
    if (!info_text(info, name, text, sizeof text))
        return otherwise;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return end == text || *end != '\0' || errno != 0 ? otherwise : number;
}
