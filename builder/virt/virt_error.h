// virt_error.h - libvirt's errors translated into ours. Inside virt/ only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_VIRT_ERROR_H
#define AIRBUILD_VIRT_VIRT_ERROR_H

#include "base/error.h"

#include <libvirt/virterror.h>
#include <stdbool.h>

// Sets "WHAT: libvirt's message; what to do" from the last libvirt error of this thread. Always
// returns -1. Call it directly after the failure: every other call into libvirt, even
// virDomainGetName among its arguments, resets the last error.
int virt_error_set(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The same for a given error, by its code, domain and errno, never by its words, which are in the
// daemon's language. message: libvirt's, in one line. Pure.
int virt_error_translate(
    struct error *err, const virError *fault, const char *message, const char *what);
// Returns whether the last call failed because the driver does not know one of its flags.
static inline bool
virt_error_is_unknown_flag(void)
{
    return virGetLastErrorCode() == VIR_ERR_INVALID_ARG;
}

#endif
