// error.c - see error.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
replace(struct error *err, enum error_code code, char *message)
{
    // The old message may be an argument of the new one, so it is freed last.
    free(err->message);
    err->message = message;
    err->code = code;
}

int
error_setv(struct error *err, enum error_code code, const char *format, va_list args)
{
    replace(err, code, str_formatv(format, args));
    return -1;
}

int
error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_setv(err, code, format, args);
    va_end(args);
    return -1;
}

static enum error_code
code_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case ENOMEM:
        return ERR_SPACE;
    case EACCES:
    case EPERM:
        return ERR_ACCESS;
    default:
        return ERR_FAILED;
    }
}

int
error_errno(struct error *err, int number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *what = str_formatv(format, args);
    va_end(args);
    char room[128];
    const char *why = strerror_r(number, room, sizeof room);
    return error_set(err, code_of_errno(number), "%s: %s", what, why);
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
    replace(to, from->code, from->message);
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
    switch (code) {
    case ERR_NONE:
        return "none";
    case ERR_FAILED:
        return "failed";
    case ERR_USAGE:
        return "usage";
    case ERR_SPEC:
        return "spec";
    case ERR_ACCESS:
        return "access";
    case ERR_LIBVIRT:
        return "libvirt";
    case ERR_MISSING:
        return "missing";
    case ERR_SPACE:
        return "space";
    case ERR_NETWORK:
        return "network";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_DAMAGED:
        return "damaged";
    case ERR_BUSY:
        return "busy";
    case ERR_TIMEOUT:
        return "timeout";
    case ERR_GUEST:
        return "guest";
    case ERR_NOT_FOUND:
        return "not-found";
    case ERR_VERDICT:
        return "verdict";
    case ERR_INTERRUPTED:
        return "interrupted";
    }
    return "failed";
}
