// host.c - a hypervisor's host, its abilities and load, as libvirt reports them.
// SPDX-License-Identifier: Apache-2.0
#include "virt/virt.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "virt/call.h"
#include "virt/connection.h"
#include "virt/reader.h"
#include "virt/virt_error.h"

#include <stdio.h>
#include <string.h>

#define STATS_MAX 16 // kinds of times or of memory
#define IDLE_MS 500
#define HOST_MS 60000 // the first call runs every emulator that libvirt finds

static char *
version_text(unsigned long version)
{
    return str_format("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

static int
run_look_host(struct call *call)
{
    struct virt_host *host = &call->host;
    FREE_AUTO char *xml = virConnectGetCapabilities(call->conn);
    if (xml == NULL)
        return virt_error_set(&call->err, "cannot read the host's capabilities from libvirt");
    READER_AUTO xmlXPathContextPtr reader = NULL;
    if (reader_new(xml, &reader, &call->err) < 0)
        return -1;
    host->arch = reader_get(reader, "/capabilities/host/cpu/arch");
    host->cpu =
        reader_get(reader, "/capabilities/host/cpu/model | /capabilities/host/cpu/feature/@name");
    // "+64055:+64055", the account of the security driver that changes owners of files ("dac").
    FREE_AUTO char *label =
        reader_get(reader, "/capabilities/host/secmodel[model='dac']/baselabel[@type='qemu'][1]");
    host->qemu_known =
        label != NULL && sscanf(label, "+%u:+%u", &host->qemu_user, &host->qemu_group) == 2;
    unsigned long version = 0;
    if (virConnectGetLibVersion(call->conn, &version) == 0)
        host->libvirt = version_text(version);
    const char *type = virConnectGetType(call->conn);
    if (type != NULL && virConnectGetVersion(call->conn, &version) == 0) {
        FREE_AUTO char *number = version_text(version);
        host->hypervisor = str_format("%s %s", type, number);
    }
    return 0;
}

int
virt_host_look(struct virt *virt, struct virt_host *ret, struct error *err)
{
    CALL_AUTO struct call *call = call_new(virt->conn, NULL, NULL, "inspecting the host");
    if (call_run(&call, HOST_MS, run_look_host, err) < 0)
        return -1;
    *ret = call->host;
    call->host = (struct virt_host){0};
    return 0;
}

// Returns the nanoseconds since some moment that all processors were idle, and in total; 0 when
// libvirt does not report them.
static void
look_times(virConnectPtr conn, double *ret_idle, double *ret_all)
{
    virNodeCPUStats stats[STATS_MAX] = {0};
    int count = 0; // libvirt accepts exactly the number it has
    *ret_idle = *ret_all = 0;
    if (virNodeGetCPUStats(conn, VIR_NODE_CPU_STATS_ALL_CPUS, NULL, &count, 0) < 0 ||
        count > STATS_MAX ||
        virNodeGetCPUStats(conn, VIR_NODE_CPU_STATS_ALL_CPUS, stats, &count, 0) < 0)
        return;
    for (int i = 0; i < count; i++) {
        bool idle = strcmp(stats[i].field, VIR_NODE_CPU_STATS_IDLE) == 0 ||
                    strcmp(stats[i].field, VIR_NODE_CPU_STATS_IOWAIT) == 0;
        *ret_idle += idle ? (double) stats[i].value : 0;
        *ret_all += (double) stats[i].value;
    }
}

static int
run_idle(struct call *call)
{
    virNodeInfo node = {0};
    double idle, all, idle_after, all_after;
    if (virNodeGetInfo(call->conn, &node) < 0)
        return virt_error_set(&call->err, "cannot read the host's data from libvirt");
    look_times(call->conn, &idle, &all);
    if (clock_sleep(IDLE_MS, &call->err) < 0)
        return -1;
    look_times(call->conn, &idle_after, &all_after);
    if (all_after > all) {
        call->cpus = node.cpus;
        call->idle = node.cpus * (idle_after - idle) / (all_after - all);
    }
    return 0;
}

int
virt_host_idle(struct virt *virt, double *ret_idle, unsigned *ret_cpus, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(virt->conn, NULL, NULL, "measuring the load of the host");
    if (call_run(&call, CALL_MS, run_idle, err) < 0)
        return -1;
    *ret_idle = call->idle;
    *ret_cpus = call->cpus;
    return 0;
}

static int
run_capacity(struct call *call)
{
    struct virt_capacity *capacity = &call->capacity;
    virNodeMemoryStats stats[STATS_MAX] = {0};
    virNodeInfo node = {0};
    int all = VIR_NODE_MEMORY_STATS_ALL_CELLS, count = 0; // libvirt accepts exactly what it has
    if (virNodeGetInfo(call->conn, &node) == 0)
        capacity->cpus = node.cpus;
    if (virNodeGetMemoryStats(call->conn, all, NULL, &count, 0) < 0 || count > STATS_MAX ||
        virNodeGetMemoryStats(call->conn, all, stats, &count, 0) < 0)
        return 0;
    for (int i = 0; i < count; i++) {
        uint64_t bytes = (uint64_t) stats[i].value * 1024;
        const char *kind = stats[i].field;
        if (strcmp(kind, VIR_NODE_MEMORY_STATS_TOTAL) == 0)
            capacity->memory_total = bytes;
        else if (strcmp(kind, VIR_NODE_MEMORY_STATS_FREE) == 0 ||
                 strcmp(kind, VIR_NODE_MEMORY_STATS_BUFFERS) == 0 ||
                 strcmp(kind, VIR_NODE_MEMORY_STATS_CACHED) == 0)
            capacity->memory_free += bytes;
    }
    return 0;
}

int
virt_host_capacity(struct virt *virt, struct virt_capacity *ret, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(virt->conn, NULL, NULL, "reading how much memory the host has");
    if (call_run(&call, CALL_MS, run_capacity, err) < 0)
        return -1;
    *ret = call->capacity;
    return 0;
}
