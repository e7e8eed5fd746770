// interrupt.c - see interrupt.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t signals_seen, signals_heeded, holds;
static int event_fd = -1;

// Makes event_fd readable. This and on_signal call only what signal-safety(7) allows.
static void
wake_pollers(void)
{
    uint64_t one = 1;
    ssize_t written = write(event_fd, &one, sizeof one);
    (void) written;
}

static void
on_signal(int number)
{
    int saved = errno;
    if (signals_seen) {
        signal(number, SIG_DFL);
        raise(number); // delivered when this handler returns
    }
    signals_seen = 1;
    if (holds == 0)
        wake_pollers();
    errno = saved;
}

int
interrupt_install(struct error *err)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    if (event_fd >= 0)
        return 0;
    event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_fd < 0)
        return error_errno(err, errno, "cannot receive signals");
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    return 0;
}

bool
interrupt_pending(void)
{
    return signals_seen != 0 && signals_heeded == 0 && holds == 0;
}

// Drains event_fd, so that pollers agree with interrupt_check.
static void
clear_wakeup(void)
{
    eventfd_t ignored;
    if (event_fd >= 0)
        eventfd_read(event_fd, &ignored);
}

void
interrupt_acknowledge(void)
{
    signals_heeded = signals_seen;
    clear_wakeup();
}

void
interrupt_hold(void)
{
    if (++holds == 1)
        clear_wakeup();
}

void
interrupt_release(void)
{
    if (--holds == 0 && interrupt_pending())
        wake_pollers();
}

int
interrupt_fd(void)
{
    return event_fd;
}

int
interrupt_check(struct error *err)
{
    if (!interrupt_pending())
        return 0;
    return error_set(
        err, ERR_INTERRUPTED, "interrupted by a signal; run the same command again to continue");
}

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
