// thread.h - threads that signals do not interrupt: those are for the main thread.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_THREAD_H
#define AIRBUILD_BASE_THREAD_H

#include <pthread.h>

// Starts function(context) in a thread with all signals blocked. Returns 0 or an errno.
int thread_start(pthread_t *ret, void *(*function)(void *context), void *context);

#endif
