// doctor_net.c - is the subnet free, are the names known on this host; see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/hosts.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define ROUTES_MAX (4 << 20)

struct route {
    char interface[IF_NAMESIZE];
    uint32_t address; // host order
    unsigned prefix;
};

static uint32_t
mask_of(unsigned prefix)
{
    return prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
}

bool
doctor_ranges_overlap(uint32_t a, unsigned a_prefix, uint32_t b, unsigned b_prefix)
{
    uint32_t mask = mask_of(a_prefix < b_prefix ? a_prefix : b_prefix);
    return (a & mask) == (b & mask);
}

// A line of /proc/net/route, whose numbers are in network order as the machine reads them.
static bool
parse_route(const char *line, struct route *ret)
{
    unsigned destination = 0, mask = 0;
    _Static_assert(IF_NAMESIZE == 16, "the format below");
    if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", ret->interface, &destination, &mask) != 3)
        return false;
    ret->address = ntohl(destination);
    ret->prefix = (unsigned) __builtin_popcount(mask);
    return true;
}

static char *
route_text(const struct route *route)
{
    FREE_AUTO char *address = address_write(route->address);
    return str_format("%s/%u by %s", address, route->prefix, route->interface);
}

char *
doctor_route_clash(const char *text, const char *subnet, const char *bridge, bool *ret_wider)
{
    struct subnet wanted;
    STRV_AUTO struct strv lines = {0};
    *ret_wider = false;
    if (!subnet_read(subnet, &wanted))
        return NULL;
    strv_split(&lines, text, '\n');
    FREE_AUTO char *wider = NULL;
    for (size_t i = 0; i < lines.count; i++) {
        struct route route;
        if (!parse_route(lines.items[i], &route) || route.prefix == 0 ||
            str_equal(route.interface, bridge) ||
            !doctor_ranges_overlap(route.address, route.prefix, wanted.network, wanted.prefix))
            continue;
        if (route.prefix >= wanted.prefix)
            return route_text(&route);
        if (wider == NULL)
            wider = route_text(&route);
    }
    *ret_wider = wider != NULL;
    return TAKE(wider);
}

static char *
bridge_name(const struct spec *spec)
{
    return spec->network.mode == SPEC_NETWORK_BRIDGE ? str_dup(spec->network.name)
                                                     : str_format("%s0", spec->cluster);
}

static void
check_subnet(struct doctor *doctor)
{
    const struct spec_network *network = &doctor->spec->network;
    bool own = network->mode == SPEC_NETWORK_BRIDGE;
    if (own && if_nametoindex(network->name) == 0) {
        doctor_bad(doctor, "subnet", DOCTOR_FAIL,
            "make the bridge, or choose mode isolated or nat in the spec",
            "this host has no bridge '%s'", network->name);
        return;
    }
    FREE_AUTO char *bridge = bridge_name(doctor->spec);
    FREE_AUTO char *routes = NULL;
    ERROR_AUTO struct error ignored = {0};
    bool wider = false;
    if (file_read("/proc/net/route", ROUTES_MAX, &routes, NULL, &ignored) != 0)
        return;
    FREE_AUTO char *clash = doctor_route_clash(routes, network->subnet, bridge, &wider);
    const char *mend = "choose another subnet in the spec";
    if (clash == NULL)
        doctor_pass(doctor, "subnet", "%s is free for the cluster", network->subnet);
    else if (wider)
        doctor_bad(doctor, "subnet", DOCTOR_WARN, mend,
            "%s would hide a part of the route %s of this host", network->subnet, clash);
    else
        doctor_bad(doctor, "subnet", DOCTOR_FAIL, mend, "%s is in use on this host: the route %s",
            network->subnet, clash);
}

static void
check_node_names(struct doctor *doctor)
{
    STRV_AUTO struct strv unknown = {0};
    for (size_t i = 0; i < doctor->spec->node_count; i++) {
        const struct spec_node *node = &doctor->spec->nodes[i];
        if (!hosts_know(node->name, node->address))
            strv_add(&unknown, node->name);
    }
    FREE_AUTO char *list = strv_join(&unknown, ", ");
    if (unknown.count == 0)
        doctor_pass(doctor, "names", "/etc/hosts has all nodes");
    else
        doctor_bad(doctor, "names", DOCTOR_WARN,
            "'airbuild env --hosts | sudo tee -a /etc/hosts', or use addresses",
            "not in /etc/hosts: %s", list);
}

int
doctor_check_network(struct doctor *doctor, struct error *err)
{
    FREE_AUTO char *bridge = bridge_name(doctor->spec);
    check_subnet(doctor);
    doctor_check_bridge(doctor, bridge, doctor->spec->network.mode == SPEC_NETWORK_BRIDGE);
    check_node_names(doctor);
    return interrupt_check(err);
}
