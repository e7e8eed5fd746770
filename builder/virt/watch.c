// watch.c - libvirt's events, queued by the event loop's thread, read by the caller's.
// SPDX-License-Identifier: Apache-2.0
#include "virt/watch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "virt/connection.h"
#include "virt/virt_error.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#define QUEUE_MAX 1024
#define ANY (-1)

// Lives until libvirt has released the last callback, some time after it was deregistered.
struct watch_queue {
    atomic_int holders;
    pthread_mutex_t lock;
    struct virt_event events[QUEUE_MAX]; // a ring
    size_t first, count;
    int fd; // eventfd; 1 while count > 0
    struct strv names;
};

struct virt_watch {
    struct virt *virt;
    struct watch_queue *queue;
    int callback; // libvirt's id; -1: not registered
    bool close_callback;
};

void
virt_event_free(struct virt_event *event)
{
    free(event->domain);
    *event = (struct virt_event){0};
}

// ---- the queue -----------------------------------------------------------------------------------

static void
queue_leave(void *context)
{
    struct watch_queue *queue = context;
    if (atomic_fetch_sub(&queue->holders, 1) > 1)
        return;
    for (size_t i = 0; i < queue->count; i++)
        virt_event_free(&queue->events[(queue->first + i) % QUEUE_MAX]);
    strv_free(&queue->names);
    pthread_mutex_destroy(&queue->lock);
    cleanup_close(&queue->fd);
    free(queue);
}

static void
queue_add(
    struct watch_queue *queue, enum virt_event_kind kind, const char *name, const char *reason)
{
    if (*name != '\0' && !strv_has(&queue->names, name))
        return;
    pthread_mutex_lock(&queue->lock);
    if (queue->count == QUEUE_MAX) {
        virt_event_free(&queue->events[queue->first]);
        queue->first = (queue->first + 1) % QUEUE_MAX;
        queue->count--;
    }
    queue->events[(queue->first + queue->count++) % QUEUE_MAX] =
        (struct virt_event){kind, str_dup(name), reason};
    if (queue->count == 1)
        eventfd_write(queue->fd, 1);
    pthread_mutex_unlock(&queue->lock);
}

static bool
queue_take(struct watch_queue *queue, struct virt_event *ret)
{
    eventfd_t ignored;
    pthread_mutex_lock(&queue->lock);
    bool found = queue->count > 0;
    if (found) {
        *ret = queue->events[queue->first];
        queue->first = (queue->first + 1) % QUEUE_MAX;
        if (--queue->count == 0)
            eventfd_read(queue->fd, &ignored);
    }
    pthread_mutex_unlock(&queue->lock);
    return found;
}

// ---- callbacks -------------------------------------------------------------------------------

static const struct {
    int event, detail; // of libvirt; detail ANY: every other one
    enum virt_event_kind kind;
    const char *reason;
} lifecycle[] = {
    {VIR_DOMAIN_EVENT_STARTED, ANY, VIRT_EVENT_STARTED, ""},
    {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED, VIRT_EVENT_SUSPENDED,
        "by request"},
    {VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR, VIRT_EVENT_SUSPENDED,
        "its disk failed or is full"},
    {VIR_DOMAIN_EVENT_SUSPENDED, ANY, VIRT_EVENT_SUSPENDED, ""},
    {VIR_DOMAIN_EVENT_PMSUSPENDED, ANY, VIRT_EVENT_SUSPENDED, ""},
    {VIR_DOMAIN_EVENT_RESUMED, ANY, VIRT_EVENT_RESUMED, ""},
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, VIRT_EVENT_STOPPED, "shut down"},
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIRT_EVENT_STOPPED,
        "power pulled"},
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SAVED, VIRT_EVENT_STOPPED, "saved"},
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED, VIRT_EVENT_CRASHED,
        "panicked, or its emulator died"},
    {VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED, VIRT_EVENT_CRASHED,
        "its emulator failed"},
    {VIR_DOMAIN_EVENT_STOPPED, ANY, VIRT_EVENT_STOPPED, ""},
    {VIR_DOMAIN_EVENT_CRASHED, ANY, VIRT_EVENT_PANICKED, "its kernel panicked"},
};

static int
on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *context)
{
    (void) conn;
    for (size_t i = 0; i < sizeof lifecycle / sizeof lifecycle[0]; i++) {
        if (lifecycle[i].event != event ||
            (lifecycle[i].detail != detail && lifecycle[i].detail != ANY))
            continue;
        queue_add(context, lifecycle[i].kind, virDomainGetName(domain), lifecycle[i].reason);
        break;
    }
    return 0;
}

static void
on_close(virConnectPtr conn, int reason, void *context)
{
    (void) conn;
    (void) reason;
    queue_add(context, VIRT_EVENT_LOST, "", "the connection to libvirt broke");
}

// ---- the watch -------------------------------------------------------------------------------

int
virt_watch_new(
    struct virt *virt, const struct strv *names, struct virt_watch **ret, struct error *err)
{
    if (virt->watched)
        return error_set(err, ERR_BUSY, "this connection to libvirt has a watch already");
    VIRT_WATCH_AUTO struct virt_watch *watch = mem_zero(1, sizeof(*watch));
    watch->virt = virt;
    watch->callback = -1;
    virt->watched = true;
    struct watch_queue *queue = watch->queue = mem_zero(1, sizeof(*queue));
    atomic_init(&queue->holders, 1);
    pthread_mutex_init(&queue->lock, NULL);
    for (size_t i = 0; i < names->count; i++)
        strv_add(&queue->names, names->items[i]);
    queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->fd < 0)
        return error_errno(err, errno, "cannot make an event descriptor");
    atomic_fetch_add(&queue->holders, 1);
    // As VIR_DOMAIN_EVENT_CALLBACK, through the type that compilers let be cast to any function.
    watch->callback =
        virConnectDomainEventRegisterAny(virt->conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
            VIR_DOMAIN_EVENT_CALLBACK((void (*)(void)) on_lifecycle), queue, queue_leave);
    if (watch->callback < 0) {
        atomic_fetch_sub(&queue->holders, 1);
        return virt_error_set(err, "cannot subscribe to libvirt's events");
    }
    // It has no function to free the queue, as some drivers drop it without calling that. Once
    // unregistered it no longer runs (libvirt holds its lock meanwhile).
    watch->close_callback = virConnectRegisterCloseCallback(virt->conn, on_close, queue, NULL) == 0;
    *ret = TAKE(watch);
    return 0;
}

void
virt_watch_freep(struct virt_watch **pointer)
{
    struct virt_watch *watch = TAKE(*pointer);
    if (watch == NULL)
        return;
    if (watch->callback >= 0)
        virConnectDomainEventDeregisterAny(watch->virt->conn, watch->callback);
    if (watch->close_callback)
        virConnectUnregisterCloseCallback(watch->virt->conn, on_close);
    queue_leave(watch->queue);
    watch->virt->watched = false;
    free(watch);
}

int
virt_watch_next(
    struct virt_watch *watch, int64_t timeout_ms, struct virt_event *ret, struct error *err)
{
    int64_t end = clock_ms() + timeout_ms;
    for (;;) {
        if (queue_take(watch->queue, ret))
            return 1;
        if (interrupt_check(err) < 0)
            return -1;
        int64_t left = clock_left(end);
        if (left == 0)
            return 0;
        struct pollfd fds[] = {{watch->queue->fd, POLLIN, 0}, {interrupt_fd(), POLLIN, 0}};
        poll(fds, 2, (int) (left < INT32_MAX ? left : INT32_MAX));
    }
}
