// error.c - see error.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = str_formatv(format, args);
    va_end(args);
    free(err->message); // only now: it may be an argument
    *err = (struct error){code, message};
    return -1;
}

int
error_errno(struct error *err, int number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *what = str_formatv(format, args);
    va_end(args);
    enum error_code code = ERR_FAILED;
    if (number == ENOSPC || number == EDQUOT || number == ENOMEM)
        code = ERR_SPACE;
    else if (number == EACCES || number == EPERM)
        code = ERR_ACCESS;
    char room[128];
    return error_set(err, code, "%s: %s", what, strerror_r(number, room, sizeof room));
}

int
error_context(struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *context = str_formatv(format, args);
    va_end(args);
    enum error_code code = err->code == ERR_NONE ? ERR_FAILED : err->code;
    if (err->message == NULL)
        return error_set(err, code, "%s", context);
    return error_set(err, code, "%s: %s", context, err->message);
}

int
error_move(struct error *to, struct error *from)
{
    error_clear(to);
    *to = *from;
    *from = (struct error){0};
    return -1;
}

void
error_clear(struct error *err)
{
    if (err == NULL)
        return;
    free(err->message);
    *err = (struct error){0};
}

const char *
error_code_name(enum error_code code)
{
    static const char *const names[] = {"none", "failed", "usage", "spec", "access", "libvirt",
        "missing", "space", "network", "conflict", "damaged", "busy", "timeout", "guest",
        "not-found", "verdict"};
    if (code == ERR_INTERRUPTED)
        return "interrupted";
    return (size_t) code < sizeof names / sizeof *names ? names[code] : "failed";
}
