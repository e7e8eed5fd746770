// doctor_network.c - whether the subnet is free, what else on this host is in the way of libvirt's
// network (an interface, a firewall, a DNS server), and whether the host knows the nodes' names;
// see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/proc.h"
#include "cli/hosts.h"
#include "cluster/cluster.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define TABLE_MAX (16 << 20)
#define IPTABLES_MS 10000
#define DNS_PORT 53

// ---- subnet --------------------------------------------------------------------------------------

// line: of /proc/net/route, whose numbers are in network order.
static bool
parse_route(const char *line, struct subnet *ret, char interface[IF_NAMESIZE])
{
    unsigned destination = 0, mask = 0;
    _Static_assert(IF_NAMESIZE == 16, "the format below");
    if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", interface, &destination, &mask) != 3)
        return false;
    *ret = (struct subnet){
        ntohl(destination), ntohl(destination) | ~ntohl(mask), (unsigned) __builtin_popcount(mask)};
    return true;
}

char *
doctor_route_clash(const char *text, const char *subnet, const char *bridge, bool *ret_wider)
{
    struct subnet wanted, route;
    char interface[IF_NAMESIZE];
    STRV_AUTO struct strv lines = {0};
    FREE_AUTO char *wider = NULL;
    *ret_wider = false;
    if (!subnet_read(subnet, &wanted))
        return NULL;
    strv_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        if (!parse_route(lines.items[i], &route, interface) || route.prefix == 0 ||
            str_equal(interface, bridge) || route.network > wanted.broadcast ||
            wanted.network > route.broadcast)
            continue;
        FREE_AUTO char *address = address_write(route.network);
        FREE_AUTO char *clash = str_format("%s/%u by %s", address, route.prefix, interface);
        if (route.prefix >= wanted.prefix)
            return TAKE(clash);
        if (wider == NULL)
            wider = TAKE(clash);
    }
    *ret_wider = wider != NULL;
    return TAKE(wider);
}

static void
check_subnet(struct doctor *doctor, const char *bridge)
{
    const struct spec_network *network = &doctor->spec->network;
    if (network->mode == SPEC_NETWORK_BRIDGE && if_nametoindex(bridge) == 0) {
        doctor_add(doctor, "subnet", DOCTOR_FAIL,
            "create the bridge, or set mode: isolated or nat in the spec",
            "this host has no bridge '%s'", bridge);
        return;
    }
    FREE_AUTO char *routes = NULL;
    ERROR_AUTO struct error ignored = {0};
    bool wider = false;
    if (file_read("/proc/net/route", TABLE_MAX, &routes, NULL, &ignored) != 0)
        return;
    FREE_AUTO char *clash = doctor_route_clash(routes, network->subnet, bridge, &wider);
    const char *fix = "choose another subnet in the spec";
    if (clash == NULL)
        doctor_pass(doctor, "subnet", "%s is free", network->subnet);
    else if (wider)
        doctor_add(doctor, "subnet", DOCTOR_WARN, fix,
            "%s would hide a part of the host's route %s", network->subnet, clash);
    else
        doctor_add(doctor, "subnet", DOCTOR_FAIL, fix, "%s is in use: the host has the route %s",
            network->subnet, clash);
}

// ---- firewall ------------------------------------------------------------------------------------

enum doctor_result
doctor_forward_verdict(const char *rules, const char *bridge, bool own)
{
    FREE_AUTO char *accept = str_format("-i %s -o %s -j ACCEPT", bridge, bridge);
    if (strstr(rules, "-P FORWARD DROP") == NULL || strstr(rules, accept) != NULL ||
        strstr(rules, "--physdev-is-bridged -j ACCEPT") != NULL)
        return DOCTOR_PASS;
    if (own)
        return DOCTOR_FAIL;
    // libvirt's own chain, which lets the frames of its bridges pass
    // (src/network/network_iptables.c); a libvirt that uses nftables has none.
    return strstr(rules, "LIBVIRT_FWX") != NULL ? DOCTOR_PASS : DOCTOR_WARN;
}

static void
check_firewall(struct doctor *doctor, const char *bridge, bool own)
{
    static const char *const list[] = {"iptables", "-w", "5", "-S", NULL};
    const struct proc_options options = {.timeout_ms = IPTABLES_MS, .output_max = TABLE_MAX};
    PROC_RESULT_AUTO struct proc_result rules = {0};
    ERROR_AUTO struct error found = {0};
    FREE_AUTO char *filtered = NULL; // "1": bridged frames pass through iptables
    if (file_read("/proc/sys/net/bridge/bridge-nf-call-iptables", 64, &filtered, NULL, &found) !=
            0 ||
        filtered[0] != '1') {
        doctor_pass(doctor, "firewall", "frames between the nodes do not pass through it");
        return;
    }
    FREE_AUTO char *fix =
        str_format("'sysctl -w net.bridge.bridge-nf-call-iptables=0', or 'iptables -I FORWARD -i "
                   "%s -o %s -j ACCEPT'",
            bridge, bridge);
    if (proc_check(list, &options, &rules, &found) != 0) {
        doctor_add(doctor, "firewall", DOCTOR_WARN, fix,
            "frames between the nodes pass through it (br_netfilter), and its rules cannot be "
            "listed: %s",
            found.message);
        return;
    }
    enum doctor_result verdict =
        doctor_forward_verdict(rules.output.data != NULL ? rules.output.data : "", bridge, own);
    if (verdict == DOCTOR_PASS)
        doctor_pass(doctor, "firewall", "it lets frames between the nodes pass");
    else
        doctor_add(doctor, "firewall", verdict, fix,
            "frames between the nodes pass through it (br_netfilter), and it drops forwarded ones");
}

// ---- DNS -----------------------------------------------------------------------------------------

bool
doctor_port_taken(const char *table, const char *address, unsigned port)
{
    uint32_t wanted = 0;
    STRV_AUTO struct strv lines = {0};
    if (!address_read(address, &wanted))
        return false;
    strv_split(&lines, table, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        unsigned local = 0, local_port = 0, remote_port = 0;
        if (sscanf(lines.items[i], " %*u: %8x:%4x %*8x:%4x", &local, &local_port, &remote_port) ==
                3 &&
            local_port == port && remote_port == 0 && (local == 0 || ntohl(local) == wanted))
            return true;
    }
    return false;
}

// libvirt's own server has the port once the cluster exists.
static void
check_dns(struct doctor *doctor)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/udp"};
    const char *address = doctor->spec->network.host;
    bool taken = false;
    for (size_t i = 0; !cluster_exists(doctor->spec) && i < 2; i++) {
        FREE_AUTO char *text = NULL;
        ERROR_AUTO struct error ignored = {0};
        taken |= file_read(tables[i], TABLE_MAX, &text, NULL, &ignored) == 0 &&
                 doctor_port_taken(text, address, DNS_PORT);
    }
    if (taken)
        doctor_add(doctor, "dns", DOCTOR_FAIL,
            "let that server listen on its own addresses only (dnsmasq: bind-interfaces; named: "
            "listen-on)",
            "another DNS server of this host listens on %s, port %d", address, DNS_PORT);
    else
        doctor_pass(doctor, "dns", "%s, port %d is free for libvirt's server", address, DNS_PORT);
}

void
doctor_check_network(struct doctor *doctor)
{
    const struct spec *spec = doctor->spec;
    bool own = spec->network.mode == SPEC_NETWORK_BRIDGE;
    FREE_AUTO char *bridge = own ? str_dup(spec->network.name) : str_format("%s0", spec->cluster);
    check_subnet(doctor, bridge);
    if (!own && (cluster_exists(spec) || if_nametoindex(bridge) == 0))
        doctor_pass(doctor, "bridge", "no other interface is called '%s'", bridge);
    else if (!own)
        doctor_add(doctor, "bridge", DOCTOR_FAIL, "choose another cluster name in the spec",
            "this host already has an interface '%s', the name of the cluster's bridge", bridge);
    check_firewall(doctor, bridge, own);
    if (!own)
        check_dns(doctor);
    STRV_AUTO struct strv unknown = {0};
    for (size_t i = 0; i < spec->node_count; i++)
        if (!hosts_know(spec->nodes[i].name, spec->nodes[i].address))
            strv_add(&unknown, spec->nodes[i].name);
    FREE_AUTO char *list = strv_join(&unknown, ", ");
    if (unknown.count == 0)
        doctor_pass(doctor, "names", "/etc/hosts has all nodes");
    else
        doctor_add(doctor, "names", DOCTOR_WARN,
            "'airbuild env --hosts | sudo tee -a /etc/hosts', or use addresses",
            "not in /etc/hosts: %s", list);
}
