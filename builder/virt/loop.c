// loop.c - libvirt's event loop in a thread of its own, alive while a connection is.
// SPDX-License-Identifier: Apache-2.0
#include "virt/internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool registered;
static unsigned users;
static pthread_t thread;
static int waker; // libvirt's id of the timer that ends the loop's wait
static atomic_bool stopping;

static void
stop_now(int timer, void *context)
{
    (void) timer;
    (void) context;
    atomic_store(&stopping, true);
}

static void *
serve(void *context)
{
    (void) context;
    while (!atomic_load(&stopping))
        if (virEventRunDefaultImpl() < 0)
            return NULL;
    return NULL;
}

// Signals are the main thread's.
static int
start_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&thread, NULL, serve, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number;
}

static int
start(struct error *err)
{
    if (!registered && virEventRegisterDefaultImpl() < 0)
        return fault_set(err, "cannot set up libvirt's event loop");
    registered = true;
    atomic_store(&stopping, false);
    waker = virEventAddTimeout(-1, stop_now, NULL, NULL);
    if (waker < 0)
        return fault_set(err, "cannot set up libvirt's event loop");
    int number = start_thread();
    if (number != 0) {
        virEventRemoveTimeout(waker);
        return error_errno(err, number, "cannot start a thread for libvirt's events");
    }
    return 0;
}

int
loop_take(struct error *err)
{
    pthread_mutex_lock(&lock);
    int result = users > 0 ? 0 : start(err);
    if (result == 0)
        users++;
    pthread_mutex_unlock(&lock);
    return result;
}

void
loop_drop(void)
{
    pthread_mutex_lock(&lock);
    if (--users == 0) {
        virEventUpdateTimeout(waker, 0);
        pthread_join(thread, NULL);
        virEventRemoveTimeout(waker);
    }
    pthread_mutex_unlock(&lock);
}
