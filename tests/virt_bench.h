// virt_bench.h - a connection to libvirt's own in-memory hypervisor, test:///default, and a node to
// define there. Its domain 'test' and its network 'default' are not ours.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_VIRT_BENCH_H
#define AIRBUILD_TESTS_VIRT_BENCH_H

#include "unit.h"

#include "virt/domain.h"
#include "virt/virt.h"

#include <unistd.h>

struct bench {
    struct virt *virt;
    struct error err;
};

// The driver starts with a fresh world for every first connection. A closed one may live on for a
// moment, while libvirt's loop still delivers an event of it: then a new one is not the first.
static inline int
bench_open(struct virt **ret, struct error *err)
{
    for (int i = 0;; i++) {
        VIRT_DOMAIN_LIST_AUTO struct virt_domain_list list = {0};
        if (virt_open("test:///default", ret, err) < 0 ||
            virt_domain_list(*ret, NULL, &list, err) < 0)
            return -1;
        if (list.count == 0 || i == 500)
            return 0;
        virt_close(TAKE(*ret));
        usleep(10000);
    }
}

static inline int
bench_setup(void **state)
{
    struct bench *bench = mem_zero(1, sizeof *bench);
    *state = bench;
    return bench_open(&bench->virt, &bench->err);
}

static inline int
bench_teardown(void **state)
{
    struct bench *bench = *state;
    virt_close(bench->virt);
    error_clear(&bench->err);
    free(bench);
    return 0;
}

static const struct virt_image bench_chain[] = {{"/store/disk.qcow2", "qcow2"}};
static const struct virt_disk bench_disk = {bench_chain, 1, false, "root"};

static inline struct virt_domain
node(const char *name)
{
    return (struct virt_domain){
        .name = name,
        .cluster = "air",
        .role = "redis",
        .spec = "5e1f",
        .image = "0123",
        .memory_mib = 64,
        .cpus = 1,
        .disks = &bench_disk,
        .disk_count = 1,
        .kernel = "/store/kernel",
        .cmdline = "quiet",
        .network = "default",
        .mac = "52:54:00:1f:ff:0b",
        .console_log = "/nodes/console.log",
    };
}

static inline void
define(struct bench *bench, const char *name)
{
    struct virt_domain domain = node(name);
    assert_ok(virt_domain_define(bench->virt, &domain, &bench->err), &bench->err);
}

static inline void
start(struct bench *bench, const char *name)
{
    define(bench, name);
    assert_ok(virt_domain_start(bench->virt, "air", name, false, &bench->err), &bench->err);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

#endif
