// fault.h - shared by the parts of fault.so: points and the fault at the chosen one. See fault.c.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_FAULT_H
#define AIRBUILD_TESTS_FAULT_H

// Calls with 32 and with 64 bit offsets are both replaced.
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

// Returns the function that this object replaces.
void *fault_real(const char *name);
#define REAL(name) (__extension__(__typeof__(&name)) fault_real(#name))

// Counts a call on subject and returns its number. Signals the process if it is the chosen one.
int fault_point(const char *call, const char *subject);
void fault_passed(int number); // after the call
bool fault_full(void);         // the disk is full
int fault_log(void);           // descriptor of the log; -1: none

// A point whose call needs no space.
#define PASS(type, name, subject, call)           \
    do {                                          \
        int number_ = fault_point(name, subject); \
        type result_ = call;                      \
        fault_passed(number_);                    \
        return result_;                           \
    } while (0)

// A point whose call returns failure on a full disk.
#define NEED(type, name, subject, failure, call)  \
    do {                                          \
        int number_ = fault_point(name, subject); \
        if (fault_full()) {                       \
            errno = ENOSPC;                       \
            return failure;                       \
        }                                         \
        type result_ = call;                      \
        fault_passed(number_);                    \
        return result_;                           \
    } while (0)

#endif
