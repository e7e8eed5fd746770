// call.c - libvirt's calls block for as long as they like; here each has a thread, and whoever
// waits a deadline.
// SPDX-License-Identifier: Apache-2.0
#include "virt/internal.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>

struct call {
    atomic_int holders; // the thread and the one that waits; the last frees
    atomic_bool ended;  // function has returned
    int done;           // eventfd: readable from then on
    int (*function)(void *argument, struct error *err);
    void *argument;
    void (*release)(void *argument);
    int result;
    struct error err;
};

static void
call_leave(struct call *call)
{
    if (atomic_fetch_sub(&call->holders, 1) > 1)
        return;
    if (call->argument != NULL)
        call->release(call->argument);
    error_clear(&call->err);
    close(call->done);
    free(call);
}

static void *
call_thread(void *context)
{
    struct call *call = context;
    call->result = call->function(call->argument, &call->err);
    atomic_store(&call->ended, true);
    eventfd_write(call->done, 1);
    call_leave(call);
    return NULL;
}

static int
call_start(struct call *call)
{
    pthread_attr_t detached;
    sigset_t all, before;
    pthread_t thread;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&thread, &detached, call_thread, call);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return number;
}

static int
call_wait(const struct call *call, const char *what, int64_t timeout_ms, struct error *err)
{
    int64_t end = clock_ms() + timeout_ms;
    for (;;) {
        struct pollfd fds[] = {{call->done, POLLIN, 0}, {interrupt_fd(), POLLIN, 0}};
        int64_t left = clock_left(end);
        poll(fds, 2, (int) left);
        if (atomic_load(&call->ended))
            return 0;
        if (interrupt_check(err) < 0)
            return error_context(err, "%s", what);
        if (left == 0)
            return error_set(err, ERR_TIMEOUT,
                "%s took longer than %lld s: see whether libvirtd still answers "
                "('virsh list') and look at its log",
                what, (long long) (timeout_ms / 1000));
    }
}

// The thread has ended the call: hand its argument back, or its error on.
static int
call_outcome(struct call *call, struct error *err)
{
    if (call->result == 0) {
        call->argument = NULL;
        return 0;
    }
    error_clear(err);
    *err = call->err;
    call->err = (struct error){0};
    return -1;
}

int
call_run(const char *what, int64_t timeout_ms, int (*function)(void *argument, struct error *err),
    void *argument, void (*release)(void *argument), struct error *err)
{
    struct call *call = mem_zero(1, sizeof(*call));
    *call = (struct call){
        .done = eventfd(0, EFD_CLOEXEC),
        .function = function,
        .argument = argument,
        .release = release,
    };
    atomic_init(&call->holders, 2);
    int number = call->done < 0 ? errno : call_start(call);
    if (number != 0) {
        atomic_store(&call->holders, 1);
        call_leave(call);
        return error_errno(err, number, "%s: cannot start a thread", what);
    }
    int result = call_wait(call, what, timeout_ms, err);
    if (result == 0)
        result = call_outcome(call, err);
    call_leave(call);
    return result;
}

struct domain_call {
    virDomainPtr domain;
    char *what;
    int (*function)(virDomainPtr domain, unsigned flags);
    unsigned flags;
};

static int
domain_call_run(void *argument, struct error *err)
{
    struct domain_call *call = argument;
    if (call->function(call->domain, call->flags) < 0)
        return fault_set(err, "%s", call->what);
    return 0;
}

static void
domain_call_release(void *argument)
{
    struct domain_call *call = argument;
    virDomainFree(call->domain);
    free(call->what);
    free(call);
}

int
call_domain(virDomainPtr domain, const char *what, int64_t timeout_ms,
    int (*function)(virDomainPtr domain, unsigned flags), unsigned flags, struct error *err)
{
    struct domain_call *call = mem_zero(1, sizeof(*call));
    virDomainRef(domain);
    *call = (struct domain_call){domain, str_dup(what), function, flags};
    if (call_run(what, timeout_ms, domain_call_run, call, domain_call_release, err) < 0)
        return -1;
    domain_call_release(call);
    return 0;
}
