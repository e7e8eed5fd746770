// call.c - calls into libvirt, which may never return: each runs in a thread, and its caller
// waits until a deadline.
// SPDX-License-Identifier: Apache-2.0
#include "virt/call.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "virt/virt_error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#define SETTLE_POLL_MS 10

static atomic_int given_up; // calls whose threads go on

struct call *
call_new(virConnectPtr conn, virDomainPtr domain, virNetworkPtr network, const char *what, ...)
{
    struct call *call = mem_zero(1, sizeof(*call));
    va_list args;
    va_start(args, what);
    call->what = str_formatv(what, args);
    va_end(args);
    if (conn != NULL && virConnectRef(conn) == 0)
        call->conn = conn;
    if (domain != NULL && virDomainRef(domain) == 0)
        call->domain = domain;
    if (network != NULL && virNetworkRef(network) == 0)
        call->network = network;
    call->done = -1;
    return call;
}

void
call_freep(struct call **pointer)
{
    struct call *call = TAKE(*pointer);
    if (call == NULL)
        return;
    for (int i = 0; i < call->count; i++)
        virDomainFree(call->domains[i]);
    free(call->domains);
    if (call->domain != NULL)
        virDomainFree(call->domain);
    if (call->network != NULL)
        virNetworkFree(call->network);
    if (call->stream != NULL)
        virStreamFree(call->stream);
    if (call->conn != NULL)
        virConnectClose(call->conn);
    virt_domain_info_free(&call->info);
    virt_network_info_free(&call->network_info);
    virt_host_free(&call->host);
    free(call->what);
    free(call->name);
    free(call->text);
    free(call->path);
    error_clear(&call->err);
    cleanup_close(&call->done);
    free(call);
}

// Once done is readable, the call belongs to the caller again.
static void *
serve_call(void *context)
{
    struct call *call = context;
    int done = call->done;
    call->result = call->function(call);
    if (call->result < 0 && call->err.code == ERR_NONE)
        virt_error_set(&call->err, "%s", call->what);
    if (atomic_exchange(&call->state, CALL_ENDED) == CALL_GIVEN_UP) {
        call_freep(&call);
        given_up--;
    } else
        eventfd_write(done, 1);
    return NULL;
}

void
call_settle(int64_t timeout_ms)
{
    for (int64_t end = clock_ms() + timeout_ms; given_up > 0 && clock_left(end) > 0;)
        poll(NULL, 0, SETTLE_POLL_MS);
}

static int
call_wait(const struct call *call, int64_t timeout_ms, struct error *err)
{
    int64_t end = clock_ms() + timeout_ms;
    for (;;) {
        struct pollfd fds[] = {{call->done, POLLIN, 0}, {interrupt_fd(), POLLIN, 0}};
        int64_t left = clock_left(end);
        poll(fds, 2, (int) left);
        if (fds[0].revents != 0)
            return 0;
        if (interrupt_check(err) < 0)
            return error_context(err, "%s", call->what);
        if (left == 0)
            return error_set(err, ERR_TIMEOUT,
                "%s took longer than %lld s: check that libvirtd still answers "
                "('virsh list') and look at its log",
                call->what, (long long) (timeout_ms / 1000));
    }
}

static int
call_start(struct call *call, call_function *function, struct error *err)
{
    pthread_t id;
    call->function = function;
    call->done = eventfd(0, EFD_CLOEXEC);
    atomic_init(&call->state, CALL_RUNNING);
    int number = call->done < 0 ? errno : thread_start(&id, serve_call, call);
    if (number != 0)
        return error_errno(err, number, "%s: cannot start a thread", call->what);
    pthread_detach(id);
    return 0;
}

int
call_finish(struct call **pointer, int64_t timeout_ms, struct error *err)
{
    struct call *call = *pointer;
    if (call_wait(call, timeout_ms, err) < 0) {
        // The thread goes on with the call, unless it has just ended; then wait until it is done
        // with it.
        eventfd_t ignored;
        if (atomic_exchange(&call->state, CALL_GIVEN_UP) == CALL_RUNNING) {
            *pointer = NULL;
            given_up++;
        } else {
            eventfd_read(call->done, &ignored);
        }
        return -1;
    }
    return call->result >= 0 ? 0 : error_move(err, &call->err);
}

int
call_run(struct call **call, int64_t timeout_ms, call_function *function, struct error *err)
{
    if (call_start(*call, function, err) < 0)
        return -1;
    return call_finish(call, timeout_ms, err);
}

int
call_start_all(
    struct call **calls, size_t count, call_function *function, int result, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (result == 0 && calls[i] != NULL)
            result = call_start(calls[i], function, err);
        if (result < 0)
            call_freep(&calls[i]);
    }
    return result;
}

int
call_finish_all(
    struct call **calls, size_t count, int64_t timeout_ms, int result, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        ERROR_AUTO struct error failure = {0};
        if (calls[i] != NULL && call_finish(&calls[i], timeout_ms, &failure) < 0 && result == 0)
            result = error_move(err, &failure);
        call_freep(&calls[i]);
    }
    return result;
}
