// fault.h - what the parts of the shared object share: points, and what happens at the chosen one.
// fault.c says what it is for.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_FAULT_H
#define AIRBUILD_TESTS_FAULT_H

// Both names of a call whose offsets have 32 or 64 bits are replaced.
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

// The function of that name which would be called without this object.
void *fault_real(const char *name);
#define REAL(name) (__extension__(__typeof__(&name)) fault_real(#name))

// A call on subject begins: its number. Ends the process when that is the chosen one.
int fault_point(const char *call, const char *subject);
void fault_passed(int number); // the call returned
bool fault_full(void);         // the disk is full by now
int fault_log(void);           // descriptor of the log; -1: none

// A point whose call needs no space. result: of the call.
#define PASS(type, name, subject, call)           \
    do {                                          \
        int number_ = fault_point(name, subject); \
        type result_ = call;                      \
        fault_passed(number_);                    \
        return result_;                           \
    } while (0)

// A point whose call fails on a full disk: failure is what it returns then.
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
