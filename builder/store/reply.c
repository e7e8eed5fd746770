// reply.c - what a server says of a file before it sends it (RFC 9110).
// SPDX-License-Identifier: Apache-2.0
#include "store/reply.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { VALIDATOR_MAX = 256 };

void
reply_clear(struct reply *reply)
{
    free(reply->validator);
    *reply = (struct reply){0};
}

// The value of a header of that name, else NULL; lines end with CR LF, and names know no case.
static char *
header_value(const char *line, size_t length, const char *name)
{
    size_t skip = strlen(name);
    if (length < skip || strncasecmp(line, name, skip) != 0)
        return NULL;
    while (skip < length && (line[skip] == ' ' || line[skip] == '\t'))
        skip++;
    while (length > skip && strchr("\r\n \t", line[length - 1]) != NULL)
        length--;
    return str_ndup(line + skip, length - skip);
}

static uint64_t
leading_number(const char *text)
{
    unsigned long long number = 0;
    FREE_AUTO char *digits = str_ndup(text, strspn(text, "0123456789"));
    return str_to_u64(digits, UINT64_MAX, &number) ? number : 0;
}

static void
set_validator(struct reply *reply, char *value, bool etag)
{
    bool usable = value[0] != '\0' && strlen(value) <= VALIDATOR_MAX &&
                  !(etag && str_starts(value, "W/")) && (etag || !reply->has_etag);
    if (!usable) {
        free(value);
        return;
    }
    free(reply->validator);
    reply->validator = value;
    reply->has_etag = etag;
}

void
reply_header(struct reply *reply, const char *line, size_t length)
{
    char *value;
    if (length > 5 && strncmp(line, "HTTP/", 5) == 0) {
        FREE_AUTO char *text = str_ndup(line, length);
        const char *blank = strchr(text, ' ');
        reply_clear(reply);
        reply->status = blank == NULL ? -1 : (long) leading_number(blank + 1);
    } else if ((value = header_value(line, length, "content-type:")) != NULL) {
        reply->html = strncasecmp(value, "text/html", 9) == 0;
        free(value);
    } else if ((value = header_value(line, length, "content-range:")) != NULL) {
        reply->range_start = str_starts(value, "bytes ") ? leading_number(value + 6) : UINT64_MAX;
        free(value);
    } else if ((value = header_value(line, length, "etag:")) != NULL) {
        set_validator(reply, value, true);
    } else if ((value = header_value(line, length, "last-modified:")) != NULL) {
        set_validator(reply, value, false);
    }
}

bool
reply_is_file(const struct reply *reply, const char *url)
{
    return str_starts(url, "file:") || reply->status == 200 || reply->status == 206;
}
