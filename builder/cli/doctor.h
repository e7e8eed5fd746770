// doctor.h - the checks of `airbuild doctor`: each adds facts about this host, with a result and,
// where one is due, how to mend it. They change nothing and print nothing.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_DOCTOR_H
#define AIRBUILD_CLI_DOCTOR_H

#include "base/error.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum doctor_result { DOCTOR_PASS, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_fact {
    const char *name; // a constant
    enum doctor_result result;
    char *detail;
    char *mend; // NULL with a PASS
};
struct doctor { // start as {.spec = spec, .home = home}
    const struct spec *spec;
    const char *home; // AIRBUILD_HOME or its default; need not exist
    bool baked;       // set by doctor_check_images: nothing needs to be baked
    struct doctor_fact *facts;
    size_t count, capacity;
};
void doctor_free(struct doctor *doctor);
#define DOCTOR_AUTO __attribute__((cleanup(doctor_free)))

void doctor_pass(struct doctor *doctor, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// A WARN (it works, but worse) or a FAIL (it will not work). mend is copied.
void doctor_bad(struct doctor *doctor, const char *name, enum doctor_result result,
    const char *mend, const char *format, ...) __attribute__((format(printf, 5, 6)));

const char *doctor_result_name(enum doctor_result result); // "PASS", "WARN", "FAIL"

// The checks, in this order. -1 only when interrupted.
int doctor_check_processor(struct doctor *doctor, struct error *err); // cpu, /dev/kvm, accel, qemu
int doctor_check_libvirt(struct doctor *doctor, struct error *err);   // access, libvirt, reach
int doctor_check_images(struct doctor *doctor, struct error *err);
int doctor_check_programs(struct doctor *doctor, struct error *err); // and libguestfs' appliance
int doctor_check_room(struct doctor *doctor, struct error *err);     // memory, disk, clock
// subnet, bridge, firewall, dns, names
int doctor_check_network(struct doctor *doctor, struct error *err);

// Their parts in other files. own: the bridge is the host's (mode bridge).
void doctor_check_reach(struct doctor *doctor, uid_t user, gid_t group);
void doctor_check_bridge(struct doctor *doctor, const char *bridge, bool own);

// The first folder of an absolute path that this user may not enter, by mode and access control
// list; caller frees. NULL: none is closed, or cannot be looked at.
char *doctor_closed_folder(const char *path, uid_t user, gid_t group);
// rules: what iptables -S lists. FAIL: frames between the nodes are dropped; WARN: they may be.
enum doctor_result doctor_forward_verdict(const char *rules, const char *bridge, bool own);
// table: /proc/net/tcp or udp. Whether something waits at this port, at this address or at all.
bool doctor_port_taken(const char *table, const char *address, unsigned port);

// Two IPv4 ranges of host-order address and prefix length share addresses. Pure.
bool doctor_ranges_overlap(uint32_t a, unsigned a_prefix, uint32_t b, unsigned b_prefix);
// What a route or an interface of the host means for the subnet of the spec. text: /proc/net/route.
// bridge: the cluster's own, which is left out. Returns the first clash as "10.0.0.0/8 by eth0"
// (caller frees), or NULL. *ret_wider: the route is wider than the subnet, so the cluster still
// works but hides a part of it. The default route is no clash.
char *doctor_route_clash(const char *text, const char *subnet, const char *bridge, bool *ret_wider);

#endif
