// watch.c - libvirt's events, queued by the event loop's thread, read by the caller's.
// SPDX-License-Identifier: Apache-2.0
#include "virt/watch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "virt/connection.h"
#include "virt/virt_error.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#define QUEUE_MAX 1024
#define CALLBACKS 3

// Lives until libvirt has released the last callback, some time after it was deregistered.
struct watch_queue {
    atomic_int holders;
    pthread_mutex_t lock;
    struct virt_event events[QUEUE_MAX]; // a ring
    size_t first, count;
    int fd; // eventfd; 1 while count > 0
    struct strv names;
    bool all;
};

struct virt_watch {
    struct virt *virt;
    struct watch_queue *queue;
    int callbacks[CALLBACKS]; // libvirt's ids, -1: not registered
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
    if (!queue->all && *name != '\0' && !strv_has(&queue->names, name))
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

static void
on_stopped(struct watch_queue *queue, const char *name, int detail)
{
    switch (detail) {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
        queue_add(queue, VIRT_EVENT_STOPPED, name, "shut down");
        break;
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
        queue_add(queue, VIRT_EVENT_STOPPED, name, "power pulled");
        break;
    case VIR_DOMAIN_EVENT_STOPPED_SAVED:
        queue_add(queue, VIRT_EVENT_STOPPED, name, "saved");
        break;
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
        queue_add(queue, VIRT_EVENT_CRASHED, name, "panicked, or its emulator died");
        break;
    case VIR_DOMAIN_EVENT_STOPPED_FAILED:
        queue_add(queue, VIRT_EVENT_CRASHED, name, "its emulator failed");
        break;
    default:
        queue_add(queue, VIRT_EVENT_STOPPED, name, "");
    }
}

static void
on_suspended(struct watch_queue *queue, const char *name, int detail)
{
    const char *reason = "";
    if (detail == VIR_DOMAIN_EVENT_SUSPENDED_PAUSED)
        reason = "by request";
    else if (detail == VIR_DOMAIN_EVENT_SUSPENDED_IOERROR)
        reason = "its disk failed or is full";
    queue_add(queue, VIRT_EVENT_SUSPENDED, name, reason);
}

static int
on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *context)
{
    (void) conn;
    struct watch_queue *queue = context;
    const char *name = virDomainGetName(domain);
    if (event == VIR_DOMAIN_EVENT_STARTED)
        queue_add(queue, VIRT_EVENT_STARTED, name, "");
    else if (event == VIR_DOMAIN_EVENT_SUSPENDED || event == VIR_DOMAIN_EVENT_PMSUSPENDED)
        on_suspended(queue, name, detail);
    else if (event == VIR_DOMAIN_EVENT_RESUMED)
        queue_add(queue, VIRT_EVENT_RESUMED, name, "");
    else if (event == VIR_DOMAIN_EVENT_STOPPED)
        on_stopped(queue, name, detail);
    else if (event == VIR_DOMAIN_EVENT_CRASHED)
        queue_add(queue, VIRT_EVENT_PANICKED, name, "its kernel panicked");
    return 0;
}

static void
on_reboot(virConnectPtr conn, virDomainPtr domain, void *context)
{
    (void) conn;
    queue_add(context, VIRT_EVENT_REBOOTED, virDomainGetName(domain), "");
}

static void
on_agent(virConnectPtr conn, virDomainPtr domain, int state, int reason, void *context)
{
    (void) conn;
    (void) reason;
    bool up = state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED;
    queue_add(
        context, up ? VIRT_EVENT_AGENT_UP : VIRT_EVENT_AGENT_DOWN, virDomainGetName(domain), "");
}

static void
on_close(virConnectPtr conn, int reason, void *context)
{
    (void) conn;
    (void) reason;
    queue_add(context, VIRT_EVENT_LOST, "", "the connection to libvirt broke");
}

// ---- the watch -------------------------------------------------------------------------------

static int
queue_new(const struct strv *names, struct watch_queue **ret, struct error *err)
{
    struct watch_queue *queue = mem_zero(1, sizeof(*queue));
    queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->fd < 0) {
        int number = errno;
        free(queue);
        return error_errno(err, number, "cannot make an event descriptor");
    }
    atomic_init(&queue->holders, 1);
    pthread_mutex_init(&queue->lock, NULL);
    queue->all = names == NULL;
    for (size_t i = 0; names != NULL && i < names->count; i++)
        strv_add(&queue->names, names->items[i]);
    *ret = queue;
    return 0;
}

static int
add_callback(struct virt_watch *watch, int index, int event,
    virConnectDomainEventGenericCallback function, struct error *err)
{
    atomic_fetch_add(&watch->queue->holders, 1);
    watch->callbacks[index] = virConnectDomainEventRegisterAny(
        watch->virt->conn, NULL, event, function, watch->queue, queue_leave);
    if (watch->callbacks[index] >= 0)
        return 0;
    atomic_fetch_sub(&watch->queue->holders, 1);
    return virt_error_set(err, "cannot subscribe to libvirt's events");
}

// Gives no function to free the queue, as some drivers drop the callback without calling it. Once
// unregistered the callback no longer runs (libvirt holds its lock meanwhile).
static void
add_close_callback(struct virt_watch *watch)
{
    watch->close_callback =
        virConnectRegisterCloseCallback(watch->virt->conn, on_close, watch->queue, NULL) == 0;
}

// VIR_DOMAIN_EVENT_CALLBACK through void (*)(void), which compilers let be cast to any function.
#define ANY_EVENT(function) VIR_DOMAIN_EVENT_CALLBACK((void (*)(void))(function))

static int
add_callbacks(struct virt_watch *watch, struct error *err)
{
    if (add_callback(watch, 0, VIR_DOMAIN_EVENT_ID_LIFECYCLE, ANY_EVENT(on_lifecycle), err) < 0 ||
        add_callback(watch, 1, VIR_DOMAIN_EVENT_ID_REBOOT, ANY_EVENT(on_reboot), err) < 0 ||
        add_callback(watch, 2, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, ANY_EVENT(on_agent), err) < 0)
        return -1;
    add_close_callback(watch);
    return 0;
}

int
virt_watch_new(
    struct virt *virt, const struct strv *names, struct virt_watch **ret, struct error *err)
{
    if (virt->watched)
        return error_set(err, ERR_BUSY, "this connection to libvirt has a watch already");
    VIRT_WATCH_AUTO struct virt_watch *watch = mem_zero(1, sizeof(*watch));
    watch->virt = virt;
    for (int i = 0; i < CALLBACKS; i++)
        watch->callbacks[i] = -1;
    virt->watched = true;
    if (queue_new(names, &watch->queue, err) < 0 || add_callbacks(watch, err) < 0)
        return -1;
    *ret = TAKE(watch);
    return 0;
}

void
virt_watch_free(struct virt_watch *watch)
{
    if (watch == NULL)
        return;
    for (int i = 0; i < CALLBACKS; i++)
        if (watch->callbacks[i] >= 0)
            virConnectDomainEventDeregisterAny(watch->virt->conn, watch->callbacks[i]);
    if (watch->close_callback)
        virConnectUnregisterCloseCallback(watch->virt->conn, on_close);
    if (watch->queue != NULL)
        queue_leave(watch->queue);
    watch->virt->watched = false;
    free(watch);
}

void
virt_watch_freep(struct virt_watch **watch)
{
    virt_watch_free(*watch);
    *watch = NULL;
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
