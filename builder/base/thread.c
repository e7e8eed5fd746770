// thread.c - see thread.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <signal.h>

int
thread_start(pthread_t *ret, void *(*function)(void *context), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(ret, NULL, function, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number;
}
