// virt.c - connect and disconnect; libvirt's event loop in a thread of its own, from the first
// connection until the program ends. A domain or network belongs to the cluster that the connection
// acts for by the id in its mark; by name and folder only where the version before wrote no id.
// SPDX-License-Identifier: Apache-2.0
#include "virt/virt.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "virt/call.h"
#include "virt/connection.h"
#include "virt/virt_error.h"

#include <stdlib.h>
#include <string.h>

#define OPEN_MS 20000
#define KEEPALIVE_INTERVAL 5 // seconds
#define KEEPALIVE_COUNT 3    // unanswered in a row: the connection is broken

// ---- the event loop ------------------------------------------------------------------------------

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool running;

static void *
serve_events(void *context)
{
    while (virEventRunDefaultImpl() == 0)
        continue;
    return context;
}

// Keeps libvirt from printing errors itself.
static void
ignore_libvirt_error(void *context, virErrorPtr error)
{
    (void) context;
    (void) error;
}

static int
start_loop(struct error *err)
{
    pthread_t thread;
    if (running)
        return 0;
    virSetErrorFunc(NULL, ignore_libvirt_error); // NULL would restore printing
    if (virEventRegisterDefaultImpl() < 0)
        return virt_error_set(err, "cannot set up libvirt's event loop");
    int number = thread_start(&thread, serve_events, NULL);
    if (number != 0)
        return error_errno(err, number, "cannot start a thread for libvirt's events");
    running = true;
    pthread_detach(thread);
    return 0;
}

// ---- the connection ------------------------------------------------------------------------------

// Without keepalives a daemon that hangs would block every call for good; unanswered ones break the
// connection. The test driver has none.
static int
run_open(struct call *call)
{
    call->conn = virConnectOpen(call->text);
    if (call->conn == NULL)
        return virt_error_set(&call->err, "cannot connect to libvirt at '%s'", call->text);
    if (virConnectSetKeepAlive(call->conn, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT) != 0)
        virResetLastError();
    return 0;
}

int
virt_open(const char *uri, struct virt **ret, struct error *err)
{
    pthread_mutex_lock(&lock);
    int result = start_loop(err);
    pthread_mutex_unlock(&lock);
    if (result < 0)
        return -1;
    CALL_AUTO struct call *call = call_new(NULL, NULL, NULL, "connecting to libvirt at '%s'", uri);
    call->text = str_dup(uri);
    if (call_run(&call, OPEN_MS, run_open, err) < 0)
        return -1;
    struct virt *virt = mem_zero(1, sizeof(*virt));
    virt->conn = TAKE(call->conn);
    *ret = virt;
    return 0;
}

void
virt_close(struct virt *virt)
{
    if (virt == NULL)
        return;
    virConnectClose(virt->conn);
    virt_act_for(virt, NULL);
    free(virt);
}

void
virt_settle(void)
{
    call_settle(CALL_MS);
}

// ---- the cluster it acts for ----------------------------------------------------------------------

void
virt_act_for(struct virt *virt, const struct virt_owner *owner)
{
    free(virt->cluster);
    free(virt->id);
    free(virt->folder);
    virt->acting = owner != NULL;
    virt->old = owner != NULL && owner->old;
    virt->cluster = owner != NULL ? str_dup(owner->cluster) : NULL;
    virt->id = owner != NULL ? str_dup(owner->id) : NULL;
    virt->folder = owner != NULL ? str_dup(owner->folder) : NULL;
}

bool
owner_has(const struct virt *virt, const struct mark *mark, const char *disk)
{
    if (mark->cluster == NULL)
        return false;
    if (!virt->acting)
        return mark->id == NULL;
    if (!str_equal(mark->cluster, virt->cluster))
        return false;
    if (mark->id != NULL && virt->id != NULL)
        return str_equal(mark->id, virt->id);
    if (mark->id != NULL)
        return mark->folder != NULL && str_equal(mark->folder, virt->folder);
    if (disk == NULL)
        return virt->old;
    return virt->folder != NULL && str_starts(disk, virt->folder) &&
           disk[strlen(virt->folder)] == '/';
}

int
owner_refuse(struct error *err, const char *kind, const char *name, const struct mark *mark,
    const char *cluster)
{
    if (mark->cluster == NULL)
        return error_set(err, ERR_CONFLICT,
            "the %s '%s' was not made by airbuild and is not touched: rename it, or choose another "
            "name in cluster.yaml",
            kind, name);
    FREE_AUTO char *owner = mark->folder != NULL
                                ? str_format("'%s' of the folder '%s'", mark->cluster, mark->folder)
                                : str_format("'%s'", mark->cluster);
    if (cluster == NULL || str_equal(mark->cluster, cluster))
        return error_set(err, ERR_CONFLICT,
            "the %s '%s' belongs to another cluster %s and is not touched: destroy that cluster "
            "where it was launched, or choose another name in cluster.yaml",
            kind, name, owner);
    return error_set(err, ERR_CONFLICT,
        "the %s '%s' belongs to the cluster %s, not to '%s', and is not touched: destroy that "
        "cluster, or choose another name in cluster.yaml",
        kind, name, owner, cluster);
}
