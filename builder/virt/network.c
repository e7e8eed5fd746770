// network.c - the cluster's network in libvirt: inspect, create, remove.
// SPDX-License-Identifier: Apache-2.0
#include "virt/network.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "virt/call.h"
#include "virt/connection.h"
#include "virt/domain.h"
#include "virt/reader.h"
#include "virt/virt_error.h"

#include <stdlib.h>

#define MARK "/network/metadata/*[local-name()='network' and namespace-uri()='" VIRT_NAMESPACE "']"

static const struct reader_fact facts[] = {
    {"bridge", "/network/bridge/@name", ""},
    {"mode", "/network/forward/@mode", ""},
    {"host's address", "/network/ip/@address", ""},
    {"prefix length", "/network/ip/@prefix", ""},
    {"names", "/network/dns/host/hostname", ""},
    {"addresses of the names", "/network/dns/host/@ip", ""},
};

static int
run_look_network(struct call *call)
{
    READER_AUTO xmlXPathContextPtr reader = NULL;
    struct virt_network_info *info = &call->network_info;
    call->network = virNetworkLookupByName(call->conn, call->name);
    if (call->network == NULL)
        return virGetLastErrorCode() == VIR_ERR_NO_NETWORK ? 0 : -1;
    info->exists = true;
    info->active = virNetworkIsActive(call->network) == 1;
    call->text = virNetworkGetXMLDesc(call->network, 0);
    if (call->text == NULL || reader_new(call->text, &reader, &call->err) < 0)
        return -1;
    info->cluster = reader_get(reader, MARK "/@cluster");
    info->id = reader_get(reader, MARK "/@id");
    info->folder = reader_get(reader, MARK "/@folder");
    return 0;
}

// Finds the network of the wanted one's name; when there is none, (*ret)->network is NULL.
static int
look_network(
    struct virt *virt, const struct virt_network *wanted, struct call **ret, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(virt->conn, NULL, NULL, "inspecting the network '%s'", wanted->name);
    call->name = str_dup(wanted->name);
    if (call_run(&call, CALL_MS, run_look_network, err) < 0)
        return -1;
    struct virt_network_info *info = &call->network_info;
    const struct mark mark = {info->cluster, info->id, info->folder};
    info->ours = str_equal(info->cluster, wanted->cluster) && owner_has(virt, &mark, NULL);
    // A network of the version before has no id, and no disk that would show the owner: it is not
    // ours when there are domains of another cluster of the same name.
    VIRT_DOMAIN_LIST_AUTO struct virt_domain_list list = {0};
    if (info->cluster != NULL && info->id == NULL && virt->acting &&
        virt_domain_list(virt, NULL, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        if (!list.items[i].ours && str_equal(list.items[i].cluster, info->cluster))
            info->ours = false;
    FREE_AUTO char *want = virt_network_xml(wanted);
    if (info->ours && reader_compare(call->text, want, facts, sizeof facts / sizeof *facts,
                          &info->difference, err) < 0)
        return -1;
    *ret = TAKE(call);
    return 0;
}

int
virt_network_look(struct virt *virt, const struct virt_network *wanted,
    struct virt_network_info *ret, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (look_network(virt, wanted, &found, err) < 0)
        return -1;
    *ret = found->network_info;
    found->network_info = (struct virt_network_info){0};
    return 0;
}

static int
run_define_network(struct call *call)
{
    call->network = virNetworkDefineXMLFlags(call->conn, call->text, VIR_NETWORK_DEFINE_VALIDATE);
    return call->network != NULL ? 0 : -1;
}

static int
run_on_network(struct call *call)
{
    return call->on_network(call->network);
}

static int
call_on_network(virNetworkPtr network, const char *doing, int (*function)(virNetworkPtr network),
    struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, NULL, network, "%s the network '%s'", doing, virNetworkGetName(network));
    call->on_network = function;
    return call_run(&call, CALL_MS, run_on_network, err);
}

static int
set_autostart(virNetworkPtr network)
{
    return virNetworkSetAutostart(network, 1);
}

static int
start_network(virNetworkPtr network, struct error *err)
{
    if (call_on_network(network, "starting", virNetworkCreate, err) < 0)
        return -1;
    return call_on_network(network, "starting with libvirt", set_autostart, err);
}

int
virt_network_ensure(struct virt *virt, const struct virt_network *wanted, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (look_network(virt, wanted, &found, err) < 0)
        return -1;
    const struct virt_network_info *info = &found->network_info;
    const struct mark mark = {info->cluster, info->id, info->folder};
    if (info->exists && !info->ours)
        return owner_refuse(err, "network", wanted->name, &mark, wanted->cluster);
    if (info->difference != NULL)
        return error_set(err, ERR_CONFLICT,
            "the network '%s' differs from cluster.yaml: %s; 'airbuild destroy' removes it, the "
            "next launch creates it again",
            wanted->name, info->difference);
    if (info->exists)
        return info->active ? 0 : start_network(found->network, err);
    CALL_AUTO struct call *call =
        call_new(virt->conn, NULL, NULL, "defining the network '%s'", wanted->name);
    call->text = virt_network_xml(wanted);
    // Not interrupted: a call that is given up could still create the network after the launch was
    // rolled back.
    interrupt_hold();
    int result = call_run(&call, CALL_MS, run_define_network, err);
    interrupt_release();
    if (result < 0)
        return -1;
    if (start_network(call->network, err) == 0)
        return 0;
    ERROR_AUTO struct error ignored = {0};
    call_on_network(call->network, "removing", virNetworkUndefine, &ignored);
    return -1;
}

int
virt_network_remove(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    const struct virt_network which = {.name = name, .cluster = cluster};
    if (look_network(virt, &which, &found, err) < 0)
        return -1;
    const struct virt_network_info *info = &found->network_info;
    const struct mark mark = {info->cluster, info->id, info->folder};
    if (!info->exists)
        return 0;
    if (!info->ours)
        return owner_refuse(err, "network", name, &mark, cluster);
    if (info->active && call_on_network(found->network, "stopping", virNetworkDestroy, err) < 0)
        return -1;
    return call_on_network(found->network, "removing", virNetworkUndefine, err);
}
