// error.h - the error value: a cause and a sentence, to which callers add context. Only cli/ prints
// it.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_ERROR_H
#define AIRBUILD_BASE_ERROR_H

#include "base/cleanup.h"

// Causes; the numbers are the exit statuses of the program (airbuild.1, EXIT STATUS).
enum error_code {
    ERR_NONE = 0,
    ERR_FAILED = 1,     // any other cause
    ERR_USAGE = 2,      // the command line is wrong
    ERR_SPEC = 3,       // cluster.yaml, a recipe or a template is wrong
    ERR_ACCESS = 4,     // permission denied: needs root or membership of a group
    ERR_LIBVIRT = 5,    // libvirt cannot be reached, or refused a call
    ERR_MISSING = 6,    // a program, package or file of the host is missing
    ERR_SPACE = 7,      // not enough disk space or memory
    ERR_NETWORK = 8,    // a mirror or URL cannot be reached
    ERR_CONFLICT = 9,   // an object of that name belongs to others, or differs from the spec
    ERR_DAMAGED = 10,   // an image or file does not match its digest, or is malformed
    ERR_BUSY = 11,      // another airbuild holds the lock
    ERR_TIMEOUT = 12,   // timed out
    ERR_GUEST = 13,     // a guest crashed, panicked or powered off during a wait
    ERR_NOT_FOUND = 14, // no such node, cluster, image or command
    ERR_VERDICT = 15,   // doctor, status or drill found a fault
    ERR_INTERRUPTED = 130,
};

// Start as `ERROR_AUTO struct error err = {0};`, or without ERROR_AUTO and call error_clear at the
// end.
struct error {
    enum error_code code;
    char *message; // one sentence: where, what and how to fix it; owned; NULL without an error
};

// Replaces *err; err must not be NULL. Returns -1, for `return error_set(err, ...)`.
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Does the same with ": " and strerror(number) appended. ENOSPC, EDQUOT and ENOMEM are ERR_SPACE,
// EACCES and EPERM ERR_ACCESS.
int error_errno(struct error *err, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Puts "CONTEXT: " before the message. Returns -1.
int error_context(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Moves from to to, frees what to held, and leaves {0} behind. Returns -1.
int error_move(struct error *to, struct error *from);

// Frees the message and sets *err to {0}. err may be NULL.
void error_clear(struct error *err);

// Returns the name of a cause for programs, such as "spec"; a constant.
const char *error_code_name(enum error_code code);

#define ERROR_AUTO CLEANUP(error_clear)

#endif
