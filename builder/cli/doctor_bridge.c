// doctor_bridge.c - what else on this host is in the way of a network that libvirt makes: an
// interface of its name, a firewall between the nodes, a DNS server at its address; see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/proc.h"
#include "cluster/cluster.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX (16 << 20)
#define LIST_MS 10000
#define DNS_PORT 53

// ---- the interface -------------------------------------------------------------------------------

static void
check_bridge(struct doctor *doctor, const char *bridge)
{
    if (cluster_exists(doctor->spec) || if_nametoindex(bridge) == 0)
        doctor_pass(doctor, "bridge", "%s is the name of the cluster's bridge", bridge);
    else
        doctor_bad(doctor, "bridge", DOCTOR_FAIL, "name the cluster otherwise in the spec",
            "this host has an interface '%s' already, the name of the cluster's bridge", bridge);
}

// ---- the firewall --------------------------------------------------------------------------------

enum doctor_result
doctor_forward_verdict(const char *rules, const char *bridge, bool own)
{
    FREE_AUTO char *accept = str_format("-i %s -o %s -j ACCEPT", bridge, bridge);
    if (strstr(rules, "-P FORWARD DROP") == NULL || strstr(rules, accept) != NULL ||
        strstr(rules, "--physdev-is-bridged -j ACCEPT") != NULL)
        return DOCTOR_PASS;
    if (own)
        return DOCTOR_FAIL;
    // libvirt's own chain, by which the frames of its bridges pass
    // (src/network/network_iptables.c); a libvirt that uses nftables has none.
    return strstr(rules, "LIBVIRT_FWX") != NULL ? DOCTOR_PASS : DOCTOR_WARN;
}

static bool
is_on(const char *path)
{
    FREE_AUTO char *text = NULL;
    ERROR_AUTO struct error ignored = {0};
    return file_read(path, 64, &text, NULL, &ignored) == 0 && text[0] == '1';
}

static void
check_firewall(struct doctor *doctor, const char *bridge, bool own)
{
    static const char *const list[] = {"iptables", "-w", "5", "-S", NULL};
    const struct proc_options options = {.timeout_ms = LIST_MS, .output_max = TABLE_MAX};
    PROC_RESULT_AUTO struct proc_result rules = {0};
    ERROR_AUTO struct error found = {0};
    FREE_AUTO char *mend =
        str_format("'sysctl -w net.bridge.bridge-nf-call-iptables=0', or 'iptables -I FORWARD -i "
                   "%s -o %s -j ACCEPT'",
            bridge, bridge);
    if (!is_on("/proc/sys/net/bridge/bridge-nf-call-iptables")) {
        doctor_pass(doctor, "firewall", "frames between the nodes do not meet it");
        return;
    }
    if (proc_check(list, &options, &rules, &found) != 0) {
        doctor_bad(doctor, "firewall", DOCTOR_WARN, mend,
            "frames between the nodes meet it (br_netfilter), and it cannot be asked: %s",
            found.message);
        return;
    }
    enum doctor_result verdict =
        doctor_forward_verdict(rules.output.data != NULL ? rules.output.data : "", bridge, own);
    if (verdict == DOCTOR_PASS)
        doctor_pass(doctor, "firewall", "it lets frames between the nodes pass");
    else
        doctor_bad(doctor, "firewall", verdict, mend,
            "frames between the nodes meet it (br_netfilter), and it drops what is forwarded");
}

// ---- DNS -----------------------------------------------------------------------------------------

// One line of /proc/net/tcp or udp: bound to this port, and at this address or at every one?
static bool
is_bound(const char *line, uint32_t address, unsigned port)
{
    unsigned local = 0, local_port = 0, remote_port = 0;
    if (sscanf(line, " %*u: %8x:%4x %*8x:%4x", &local, &local_port, &remote_port) != 3)
        return false;
    return local_port == port && remote_port == 0 && (local == 0 || ntohl(local) == address);
}

bool
doctor_port_taken(const char *table, const char *address, unsigned port)
{
    struct in_addr in;
    STRV_AUTO struct strv lines = {0};
    if (inet_pton(AF_INET, address, &in) != 1)
        return false;
    strv_split(&lines, table, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (is_bound(lines.items[i], ntohl(in.s_addr), port))
            return true;
    return false;
}

// The network's own server has the port once the cluster is there.
static void
check_dns(struct doctor *doctor)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/udp"};
    const char *address = doctor->spec->network.host;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        FREE_AUTO char *text = NULL;
        ERROR_AUTO struct error ignored = {0};
        if (cluster_exists(doctor->spec) ||
            file_read(tables[i], TABLE_MAX, &text, NULL, &ignored) != 0 ||
            !doctor_port_taken(text, address, DNS_PORT))
            continue;
        doctor_bad(doctor, "dns", DOCTOR_FAIL,
            "let that server listen at its own addresses only (dnsmasq: bind-interfaces; named: "
            "listen-on)",
            "a DNS server of this host listens at %s, port %d, too, which libvirt's needs", address,
            DNS_PORT);
        return;
    }
    doctor_pass(doctor, "dns", "%s, port %d is there for libvirt's server", address, DNS_PORT);
}

void
doctor_check_bridge(struct doctor *doctor, const char *bridge, bool own)
{
    if (!own)
        check_bridge(doctor, bridge);
    check_firewall(doctor, bridge, own);
    if (!own)
        check_dns(doctor);
}
