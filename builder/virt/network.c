// network.c - the cluster's network in libvirt: look, make, remove.
// SPDX-License-Identifier: Apache-2.0
#include "virt/network.h"

#include "base/cleanup.h"
#include "virt/internal.h"
#include "virt/reader.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
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
lookup_network(struct virt *virt, const char *name, virNetworkPtr *ret, struct error *err)
{
    *ret = virNetworkLookupByName(virt->conn, name);
    if (*ret == NULL && virGetLastErrorCode() != VIR_ERR_NO_NETWORK)
        return fault_set(err, "cannot look for the network '%s'", name);
    return 0;
}

// One of the version before has no id and no disk that would tell whose it is: it is not ours when
// machines are there of a cluster of the same name that is not.
static int
has_namesake(struct virt *virt, const char *cluster, bool *ret, struct error *err)
{
    VIRT_DOMAIN_LIST_AUTO struct virt_domain_list list = {0};
    *ret = false;
    if (virt_domain_list(virt, NULL, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        *ret |= !list.items[i].ours && str_equal(list.items[i].cluster, cluster);
    return 0;
}

// Fills what our metadata say and whose it is.
static int
describe_network(struct virt *virt, virNetworkPtr network, const char *cluster,
    struct virt_network_info *info, char **ret_xml, struct error *err)
{
    READER_AUTO struct reader *reader = NULL;
    const char *name = virNetworkGetName(network);
    FREE_AUTO char *xml = virNetworkGetXMLDesc(network, 0);
    if (xml == NULL)
        return fault_set(err, "cannot look at the network '%s'", name);
    if (reader_new(xml, &reader, err) < 0)
        return -1;
    info->cluster = reader_get(reader, MARK "/@cluster");
    info->id = reader_get(reader, MARK "/@id");
    info->folder = reader_get(reader, MARK "/@folder");
    const struct mark mark = {info->cluster, info->id, info->folder};
    bool namesake = false;
    if (info->cluster != NULL && info->id == NULL && virt->acting &&
        has_namesake(virt, info->cluster, &namesake, err) < 0)
        return -1;
    info->ours = str_equal(info->cluster, cluster) && !namesake && owner_has(virt, &mark, NULL);
    *ret_xml = TAKE(xml);
    return 0;
}

static int
inspect_network(struct virt *virt, virNetworkPtr network, const struct virt_network *wanted,
    struct virt_network_info *info, struct error *err)
{
    FREE_AUTO char *have = NULL;
    FREE_AUTO char *want = virt_network_xml(wanted);
    if (describe_network(virt, network, wanted->cluster, info, &have, err) < 0)
        return -1;
    info->exists = true;
    info->active = virNetworkIsActive(network) == 1;
    if (!info->ours)
        return 0;
    return reader_compare(have, want, facts, COUNT(facts), &info->difference, err);
}

int
virt_network_look(struct virt *virt, const struct virt_network *wanted,
    struct virt_network_info *ret, struct error *err)
{
    NETWORK_AUTO virNetworkPtr network = NULL;
    VIRT_NETWORK_INFO_AUTO struct virt_network_info info = {0};
    if (lookup_network(virt, wanted->name, &network, err) < 0)
        return -1;
    if (network != NULL && inspect_network(virt, network, wanted, &info, err) < 0)
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
define(struct virt *virt, const struct virt_network *wanted, virNetworkPtr *ret, struct error *err)
{
    FREE_AUTO char *xml = virt_network_xml(wanted);
    *ret = virNetworkDefineXMLFlags(virt->conn, xml, VIR_NETWORK_DEFINE_VALIDATE);
    if (*ret == NULL)
        return fault_set(err, "cannot define the network '%s'", wanted->name);
    return 0;
}

struct network_call {
    virNetworkPtr network;
    char *what;
    int (*function)(virNetworkPtr network);
};

static int
network_call_run(void *argument, struct error *err)
{
    struct network_call *call = argument;
    return call->function(call->network) < 0 ? fault_set(err, "%s", call->what) : 0;
}

static void
network_call_release(void *argument)
{
    struct network_call *call = argument;
    virNetworkFree(call->network);
    free(call->what);
    free(call);
}

static int
call_on_network(virNetworkPtr network, const char *doing, int (*function)(virNetworkPtr network),
    struct error *err)
{
    struct network_call *call = mem_zero(1, sizeof(*call));
    virNetworkRef(network);
    call->network = network;
    call->what = str_format("%s the network '%s'", doing, virNetworkGetName(network));
    call->function = function;
    FREE_AUTO char *what = str_dup(call->what);
    if (call_run(what, CALL_MS, network_call_run, call, network_call_release, err) < 0)
        return -1;
    network_call_release(call);
    return 0;
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

// What does not start is not left behind.
static int
make_virt_network(struct virt *virt, const struct virt_network *wanted, struct error *err)
{
    NETWORK_AUTO virNetworkPtr network = NULL;
    ERROR_AUTO struct error ignored = {0};
    if (define(virt, wanted, &network, err) < 0)
        return -1;
    if (start_network(network, err) == 0)
        return 0;
    call_on_network(network, "removing", virNetworkUndefine, &ignored);
    return -1;
}

static int
start_again(struct virt *virt, const char *name, struct error *err)
{
    NETWORK_AUTO virNetworkPtr network = NULL;
    if (lookup_network(virt, name, &network, err) < 0)
        return -1;
    if (network == NULL)
        return error_set(err, ERR_NOT_FOUND, "the network '%s' has just vanished: try again", name);
    return start_network(network, err);
}

int
virt_network_ensure(
    struct virt *virt, const struct virt_network *wanted, bool *ret_changed, struct error *err)
{
    VIRT_NETWORK_INFO_AUTO struct virt_network_info info = {0};
    if (virt_network_look(virt, wanted, &info, err) < 0)
        return -1;
    const struct mark mark = {info.cluster, info.id, info.folder};
    if (info.exists && !info.ours)
        return fault_foreign(err, "network", wanted->name, &mark, wanted->cluster);
    if (info.difference != NULL)
        return error_set(err, ERR_CONFLICT,
            "the network '%s' is not what cluster.yaml says: %s; 'airbuild destroy' removes it, "
            "the "
            "next launch makes it anew",
            wanted->name, info.difference);
    if (ret_changed != NULL)
        *ret_changed = !info.active;
    if (!info.exists)
        return make_virt_network(virt, wanted, err);
    return info.active ? 0 : start_again(virt, wanted->name, err);
}

int
virt_network_remove(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    NETWORK_AUTO virNetworkPtr network = NULL;
    VIRT_NETWORK_INFO_AUTO struct virt_network_info info = {0};
    FREE_AUTO char *xml = NULL;
    if (lookup_network(virt, name, &network, err) < 0)
        return -1;
    if (network == NULL)
        return 0;
    if (describe_network(virt, network, cluster, &info, &xml, err) < 0)
        return -1;
    const struct mark mark = {info.cluster, info.id, info.folder};
    if (!info.ours)
        return fault_foreign(err, "network", name, &mark, cluster);
    if (virNetworkIsActive(network) == 1 &&
        call_on_network(network, "stopping", virNetworkDestroy, err) < 0)
        return -1;
    return call_on_network(network, "removing", virNetworkUndefine, err);
}
