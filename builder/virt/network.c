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
run_find_network(struct call *call, struct error *err)
{
    call->network = virNetworkLookupByName(call->conn, call->name);
    if (call->network == NULL)
        return virGetLastErrorCode() == VIR_ERR_NO_NETWORK ? 0 : call_failed(call, err);
    call->active = virNetworkIsActive(call->network) == 1;
    call->text = virNetworkGetXMLDesc(call->network, 0);
    return call->text != NULL ? 0 : call_failed(call, err);
}

// Finds the network of that name, with its XML in text, and fills in info, which starts as {0}.
// When there is none, (*ret)->network is NULL.
static int
find_network(struct virt *virt, const char *name, const char *cluster, struct call **ret,
    struct virt_network_info *info, struct error *err)
{
    READER_AUTO struct reader *reader = NULL;
    CALL_AUTO struct call *call =
        call_new(virt->conn, NULL, NULL, "inspecting the network '%s'", name);
    call->name = str_dup(name);
    if (call_run(&call, CALL_MS, run_find_network, err) < 0)
        return -1;
    const struct call *found = *ret = TAKE(call);
    if (found->network == NULL)
        return 0;
    if (reader_new(found->text, &reader, err) < 0)
        return -1;
    info->exists = true;
    info->active = found->active;
    info->cluster = reader_get(reader, MARK "/@cluster");
    info->id = reader_get(reader, MARK "/@id");
    info->folder = reader_get(reader, MARK "/@folder");
    const struct mark mark = {info->cluster, info->id, info->folder};
    info->ours = str_equal(info->cluster, cluster) && owner_has(virt, &mark, NULL);
    if (info->cluster == NULL || info->id != NULL || !virt->acting)
        return 0;
    // A network of the version before has no id, and no disk that would show the owner: it is not
    // ours when there are domains of another cluster of the same name.
    VIRT_DOMAIN_LIST_AUTO struct virt_domain_list list = {0};
    if (virt_domain_list(virt, NULL, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        if (!list.items[i].ours && str_equal(list.items[i].cluster, info->cluster))
            info->ours = false;
    return 0;
}

static int
compare_network(struct virt *virt, const struct virt_network *wanted, struct call **ret,
    struct virt_network_info *info, struct error *err)
{
    FREE_AUTO char *want = virt_network_xml(wanted);
    if (find_network(virt, wanted->name, wanted->cluster, ret, info, err) < 0)
        return -1;
    if (!info->ours)
        return 0;
    return reader_compare(
        (*ret)->text, want, facts, sizeof facts / sizeof *facts, &info->difference, err);
}

int
virt_network_look(struct virt *virt, const struct virt_network *wanted,
    struct virt_network_info *ret, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    VIRT_NETWORK_INFO_AUTO struct virt_network_info info = {0};
    if (compare_network(virt, wanted, &found, &info, err) < 0)
        return -1;
    *ret = info;
    info = (struct virt_network_info){0};
    return 0;
}

void
virt_network_info_free(struct virt_network_info *info)
{
    free(info->cluster);
    free(info->id);
    free(info->folder);
    free(info->difference);
    *info = (struct virt_network_info){0};
}

static int
run_define_network(struct call *call, struct error *err)
{
    call->network = virNetworkDefineXMLFlags(call->conn, call->text, VIR_NETWORK_DEFINE_VALIDATE);
    return call->network != NULL ? 0 : call_failed(call, err);
}

static int
run_on_network(struct call *call, struct error *err)
{
    return call->on_network(call->network) < 0 ? call_failed(call, err) : 0;
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
virt_network_ensure(
    struct virt *virt, const struct virt_network *wanted, bool *ret_changed, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    VIRT_NETWORK_INFO_AUTO struct virt_network_info info = {0};
    if (compare_network(virt, wanted, &found, &info, err) < 0)
        return -1;
    const struct mark mark = {info.cluster, info.id, info.folder};
    if (info.exists && !info.ours)
        return owner_refuse(err, "network", wanted->name, &mark, wanted->cluster);
    if (info.difference != NULL)
        return error_set(err, ERR_CONFLICT,
            "the network '%s' differs from cluster.yaml: %s; 'airbuild destroy' removes it, the "
            "next "
            "launch creates it again",
            wanted->name, info.difference);
    if (ret_changed != NULL)
        *ret_changed = !info.active;
    if (info.exists)
        return info.active ? 0 : start_network(found->network, err);
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
    VIRT_NETWORK_INFO_AUTO struct virt_network_info info = {0};
    if (find_network(virt, name, cluster, &found, &info, err) < 0)
        return -1;
    if (!info.exists)
        return 0;
    const struct mark mark = {info.cluster, info.id, info.folder};
    if (!info.ours)
        return owner_refuse(err, "network", name, &mark, cluster);
    if (info.active && call_on_network(found->network, "stopping", virNetworkDestroy, err) < 0)
        return -1;
    return call_on_network(found->network, "removing", virNetworkUndefine, err);
}
