// doctor.h - the checks of `airbuild doctor`: each adds facts about this host, with a result and,
// unless that is PASS, a fix. They change nothing and print nothing.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_DOCTOR_H
#define AIRBUILD_CLI_DOCTOR_H

#include "cli/table.h"
#include "spec/spec.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

enum doctor_result { DOCTOR_PASS, DOCTOR_WARN, DOCTOR_FAIL };
struct doctor {
    const struct spec *spec;
    const char *home;    // AIRBUILD_HOME or its default, absolute; need not exist
    bool baked;          // set by doctor_check_images: all images are ready
    bool failed;         // a fact is FAIL
    struct table *table; // the facts for people
    json_t *list;        // {"name", "result", "detail", "mend"}; without a fix "mend" is null
};

// Adds a fact. WARN: it works, but worse; FAIL: it will not work. fix: NULL with PASS.
void doctor_add(struct doctor *doctor, const char *name, enum doctor_result result, const char *fix,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
#define doctor_pass(doctor, name, ...) doctor_add(doctor, name, DOCTOR_PASS, NULL, __VA_ARGS__)

// The checks, to be called in this order.
void doctor_check_processor(struct doctor *doctor); // cpu, /dev/kvm, qemu, accel
void doctor_check_libvirt(struct doctor *doctor);   // access, libvirt, reach
void doctor_check_images(struct doctor *doctor);
void doctor_check_programs(struct doctor *doctor);  // and libguestfs' appliance
void doctor_check_resources(struct doctor *doctor); // memory, disk, clock
void doctor_check_network(struct doctor *doctor);   // subnet, bridge, firewall, dns, names

// Parts of them, for tests.

// The first folder of an absolute path that this user may not enter, by mode and access control
// list; caller frees. NULL: all can be entered, or cannot be examined.
char *doctor_closed_folder(const char *path, uid_t user, gid_t group);
// rules: the output of iptables -S. own: the bridge is the host's, not libvirt's. FAIL: frames
// between the nodes are dropped; WARN: they may be.
enum doctor_result doctor_forward_verdict(const char *rules, const char *bridge, bool own);
// table: /proc/net/tcp or udp. Whether a socket listens on this port of the address, or of all.
bool doctor_port_taken(const char *table, const char *address, unsigned port);
// The first route of the host that overlaps the subnet, as "10.0.0.0/8 by eth0", or NULL; caller
// frees. text: /proc/net/route. Routes of bridge, the cluster's own, and the default route do not
// count. *ret_wider: it is wider than the subnet, so the cluster works but hides a part of it.
char *doctor_route_clash(const char *text, const char *subnet, const char *bridge, bool *ret_wider);

#endif
