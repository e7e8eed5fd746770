// error.h - the one error value of airbuild: a cause, a sentence, context added on the way up.
// It never prints and never exits; only cli/ prints an error, once.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_ERROR_H
#define AIRBUILD_BASE_ERROR_H

#include "base/cleanup.h"

#include <stdarg.h>

// The cause of a failure. The numbers are the exit statuses of the program (airbuild.1, EXIT
// STATUS).
enum error_code {
    ERR_NONE = 0,
    ERR_FAILED = 1,     // anything without a cause of its own below
    ERR_USAGE = 2,      // the command line is wrong
    ERR_SPEC = 3,       // cluster.yaml, a recipe or a template is wrong
    ERR_ACCESS = 4,     // not permitted: root or membership of a group is needed
    ERR_LIBVIRT = 5,    // libvirt cannot be reached, or refused a call
    ERR_MISSING = 6,    // a program, package or file of the host is missing
    ERR_SPACE = 7,      // not enough disk space or memory
    ERR_NETWORK = 8,    // a mirror or URL cannot be reached
    ERR_CONFLICT = 9,   // something of that name is not ours, or differs from the spec
    ERR_DAMAGED = 10,   // an image or file is not what its digest says
    ERR_BUSY = 11,      // another airbuild holds the lock
    ERR_TIMEOUT = 12,   // a deadline passed
    ERR_GUEST = 13,     // a guest crashed, panicked or powered off while it was awaited
    ERR_NOT_FOUND = 14, // no such node, cluster, image or command
    ERR_VERDICT = 15,   // a check ran and its verdict is bad (doctor, status, drill)
    ERR_INTERRUPTED = 130,
};

// Start as `struct error err = {0};`, end with error_clear(); `ERROR_AUTO struct error err = {0};`
// does so itself.
struct error {
    enum error_code code;
    char *message; // one sentence: where, what and how to mend; owned; NULL when there is no error
};

// Set *err (what it held is freed). Always returns -1, so `return error_set(err, ...)` works. err
// is never NULL.
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int error_setv(struct error *err, enum error_code code, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

// As error_set, with ": " and strerror(number) appended; ENOSPC, EDQUOT and ENOMEM become
// ERR_SPACE, EACCES and EPERM ERR_ACCESS.
int error_errno(struct error *err, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Put "CONTEXT: " before the message that is there. Always returns -1.
int error_context(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Free what it holds and make it {0}. err may be NULL.
void error_clear(struct error *err);

// Short name of a cause for programs, "spec", "libvirt", ...; a constant.
const char *error_code_name(enum error_code code);

#define ERROR_AUTO CLEANUP(error_clear)

#endif
