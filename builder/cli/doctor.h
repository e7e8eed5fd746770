// doctor.h - the checks of `airbuild doctor`: each adds facts about this host, with a result and,
// unless that is PASS, a fix. They change nothing and print nothing.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_DOCTOR_H
#define AIRBUILD_CLI_DOCTOR_H

#include "base/cleanup.h"
#include "base/error.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum doctor_result { DOCTOR_PASS, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_fact {
    const char *name; // a constant
    enum doctor_result result;
    char *detail;
    char *fix; // NULL with PASS
};
struct doctor { // start as {.spec = spec, .home = home}
    const struct spec *spec;
    const char *home; // AIRBUILD_HOME or its default, absolute; need not exist
    bool baked;       // set by doctor_check_images: all images are ready
    struct doctor_fact *facts;
    size_t count, capacity;
};
void doctor_free(struct doctor *doctor);
#define DOCTOR_AUTO CLEANUP(doctor_free)

// WARN: it works, but worse; FAIL: it will not work. fix is copied.
void doctor_add(struct doctor *doctor, const char *name, enum doctor_result result, const char *fix,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
#define doctor_pass(doctor, name, ...) doctor_add(doctor, name, DOCTOR_PASS, NULL, __VA_ARGS__)

const char *doctor_result_name(enum doctor_result result); // "PASS", "WARN", "FAIL"

// The checks, to be called in this order. They return -1 only when interrupted.
int doctor_check_processor(struct doctor *doctor, struct error *err); // cpu, /dev/kvm, qemu, accel
int doctor_check_libvirt(struct doctor *doctor, struct error *err);   // access, libvirt, reach
int doctor_check_images(struct doctor *doctor, struct error *err);
int doctor_check_programs(struct doctor *doctor, struct error *err);  // and libguestfs' appliance
int doctor_check_resources(struct doctor *doctor, struct error *err); // memory, disk, clock
// subnet, bridge, firewall, dns, names
int doctor_check_network(struct doctor *doctor, struct error *err);

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
