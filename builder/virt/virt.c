// virt.c - connect and disconnect.
// SPDX-License-Identifier: Apache-2.0
#include "virt/internal.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

#define OPEN_MS 20000
#define KEEPALIVE_INTERVAL 5 // seconds
#define KEEPALIVE_COUNT 3    // unanswered in a row until the connection counts as broken

static int
run_open(struct call *call, struct error *err)
{
    call->conn = virConnectOpen(call->text);
    return call->conn != NULL ? 0 : fault_set(err, "cannot connect to libvirt at '%s'", call->text);
}

// A daemon that hangs would hold every call for ever; unanswered keepalives break the connection
// instead. The test driver knows none.
static void
watch_over(virConnectPtr conn)
{
    if (virConnectSetKeepAlive(conn, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT) != 0)
        virResetLastError();
}

static int
open_connection(const char *uri, virConnectPtr *ret, struct error *err)
{
    CALL_AUTO struct call *call = call_new(NULL, NULL, NULL, "connecting to libvirt at '%s'", uri);
    call->text = str_dup(uri);
    if (call_run(&call, OPEN_MS, run_open, err) < 0)
        return -1;
    *ret = TAKE(call->conn);
    return 0;
}

int
virt_open(const char *uri, struct virt **ret, struct error *err)
{
    virConnectPtr conn = NULL;
    fault_silence();
    if (loop_take(err) < 0)
        return -1;
    if (open_connection(uri, &conn, err) < 0) {
        loop_drop();
        return -1;
    }
    watch_over(conn);
    struct virt *virt = mem_zero(1, sizeof(*virt));
    virt->conn = conn;
    *ret = virt;
    return 0;
}

void
virt_close(struct virt *virt)
{
    if (virt == NULL)
        return;
    virConnectClose(virt->conn);
    loop_drop();
    virt_act_for(virt, NULL);
    free(virt);
}

void
virt_closep(struct virt **virt)
{
    virt_close(*virt);
    *virt = NULL;
}
