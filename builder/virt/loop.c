// loop.c - libvirt's event loop in a thread of its own, alive while a connection is.
// SPDX-License-Identifier: Apache-2.0
#include "virt/internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#define SETTLE_S 5

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool registered;
static unsigned users;
static pthread_t thread;
static int waker; // libvirt's id of the timer that ends the loop's wait
static atomic_bool stopping;

static pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_made = PTHREAD_COND_INITIALIZER;
static unsigned long turns; // that the loop has made

static void
rest(int timer, void *context)
{
    (void) context;
    virEventUpdateTimeout(timer, -1);
}

static void *
serve(void *context)
{
    (void) context;
    while (!atomic_load(&stopping) && virEventRunDefaultImpl() == 0) {
        pthread_mutex_lock(&turn_lock);
        turns++;
        pthread_cond_broadcast(&turn_made);
        pthread_mutex_unlock(&turn_lock);
    }
    return NULL;
}

bool
loop_settle(void)
{
    struct timespec end;
    int result = 0;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += SETTLE_S;
    pthread_mutex_lock(&turn_lock);
    unsigned long before = turns;
    virEventUpdateTimeout(waker, 0);
    while (turns == before && result == 0)
        result = pthread_cond_timedwait(&turn_made, &turn_lock, &end);
    pthread_mutex_unlock(&turn_lock);
    return result == 0;
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
start_loop(struct error *err)
{
    if (!registered && virEventRegisterDefaultImpl() < 0)
        return fault_set(err, "cannot set up libvirt's event loop");
    registered = true;
    atomic_store(&stopping, false);
    waker = virEventAddTimeout(-1, rest, NULL, NULL);
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
    int result = users > 0 ? 0 : start_loop(err);
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
        atomic_store(&stopping, true);
        virEventUpdateTimeout(waker, 0);
        pthread_join(thread, NULL);
        virEventRemoveTimeout(waker);
    }
    pthread_mutex_unlock(&lock);
}
