// interrupt.h - interruption by SIGINT (Ctrl-C), SIGTERM and SIGHUP.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_INTERRUPT_H
#define AIRBUILD_BASE_INTERRUPT_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>

// From here on the first signal sets a flag and makes interrupt_fd readable; the second one ends
// the program.
int interrupt_install(struct error *err);
bool interrupt_pending(void);
int interrupt_fd(void); // for poll; -1 before interrupt_install
// Returns -1 and sets ERR_INTERRUPTED when a signal is pending, else 0.
int interrupt_check(struct error *err);
// Acknowledges the signal, so that the clean-up may wait again. The next one ends the program.
void interrupt_acknowledge(void);
// Between these a signal stays pending without being reported; a second one still ends the program.
// They nest.
void interrupt_hold(void);
void interrupt_release(void);
// Starts function(context) in a thread with all signals blocked: they are for the main thread.
// Returns 0 or an errno.
int thread_start(pthread_t *ret, void *(*function)(void *context), void *context);

#endif
