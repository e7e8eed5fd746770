// test_virt_network.c - the cluster's network in libvirt's own in-memory hypervisor,
// test:///default, whose network 'default' (bridge virbr0) is not ours.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "virt/network.h"
#include "virt/virt.h"

static const struct virt_host_entry hosts[] = {
    {"head10", "172.31.255.10"},
    {"work11", "172.31.255.11"},
};

static struct virt_network
flat(const char *name)
{
    return (struct virt_network){
        .name = name,
        .cluster = "air",
        .bridge = "air0",
        .mac = "52:54:00:1f:ff:fe",
        .address = "172.31.255.254",
        .prefix = 24,
        .hosts = hosts,
        .host_count = 2,
    };
}

static int
setup(void **state)
{
    ERROR_AUTO struct error err = {0};
    struct virt *virt = NULL;
    int result = virt_open("test:///default", &virt, &err);
    *state = virt;
    return result;
}

static int
teardown(void **state)
{
    virt_close(*state);
    return 0;
}

static void
assert_network(struct virt *virt, const char *name, bool exists, bool active, bool ours)
{
    ERROR_AUTO struct error err = {0};
    VIRT_NETWORK_INFO_AUTO struct virt_network_info info = {0};
    struct virt_network wanted = flat(name);
    assert_ok(virt_network_look(virt, &wanted, &info, &err), &err);
    assert_int_equal(info.exists, exists);
    assert_int_equal(info.active, active);
    assert_int_equal(info.ours, ours);
}

static void
test_life(void **state)
{
    struct virt *virt = *state;
    ERROR_AUTO struct error err = {0};
    struct virt_network wanted = flat("air");
    assert_network(virt, "air", false, false, false);
    assert_ok(virt_network_ensure(virt, &wanted, &err), &err);
    assert_network(virt, "air", true, true, true);
    assert_ok(virt_network_ensure(virt, &wanted, &err), &err);
    assert_network(virt, "air", true, true, true);
    assert_ok(virt_network_remove(virt, "air", "air", &err), &err);
    assert_network(virt, "air", false, false, false);
    assert_ok(virt_network_remove(virt, "air", "air", &err), &err);
    assert_ok(virt_network_ensure(virt, &wanted, &err), &err);
}

static void
assert_differs(struct virt *virt, const struct virt_network *wanted, const char *text)
{
    ERROR_AUTO struct error err = {0};
    VIRT_NETWORK_INFO_AUTO struct virt_network_info info = {0};
    assert_ok(virt_network_look(virt, wanted, &info, &err), &err);
    assert_non_null(info.difference);
    assert_string_equal(info.difference, text);
    assert_error(virt_network_ensure(virt, wanted, &err), &err, ERR_CONFLICT, text);
}

static void
test_differences(void **state)
{
    struct virt *virt = *state;
    ERROR_AUTO struct error err = {0};
    struct virt_network wanted = flat("air");
    assert_ok(virt_network_ensure(virt, &wanted, &err), &err);
    wanted.address = "10.0.0.254";
    wanted.prefix = 16;
    assert_differs(virt, &wanted,
        "host's address is '172.31.255.254', wanted '10.0.0.254'; prefix length is '24', wanted "
        "'16'");
    wanted = flat("air");
    wanted.nat = true;
    wanted.bridge = "br7";
    assert_differs(virt, &wanted, "bridge is 'air0', wanted 'br7'; mode is none, wanted 'nat'");
    wanted = flat("air");
    wanted.host_count = 1;
    assert_differs(virt, &wanted,
        "names is 'head10 work11', wanted 'head10'; addresses of the names is '172.31.255.10 "
        "172.31.255.11', wanted '172.31.255.10'");
    assert_network(virt, "air", true, true, true);
}

static void
test_foreign(void **state)
{
    struct virt *virt = *state;
    ERROR_AUTO struct error err = {0};
    struct virt_network wanted = flat("default");
    assert_network(virt, "default", true, true, false);
    assert_error(virt_network_ensure(virt, &wanted, &err), &err, ERR_CONFLICT,
        "the network 'default' was not made by airbuild and is not touched");
    assert_error(virt_network_remove(virt, "air", "default", &err), &err, ERR_CONFLICT,
        "'default' was not made by airbuild");
    assert_network(virt, "default", true, true, false);
}

static void
test_other_cluster(void **state)
{
    struct virt *virt = *state;
    ERROR_AUTO struct error err = {0};
    struct virt_network air = flat("air"), sea = flat("air");
    sea.cluster = "sea";
    assert_ok(virt_network_ensure(virt, &air, &err), &err);
    assert_error(virt_network_ensure(virt, &sea, &err), &err, ERR_CONFLICT,
        "belongs to the cluster 'air', not to 'sea'");
    assert_error(virt_network_remove(virt, "sea", "air", &err), &err, ERR_CONFLICT,
        "belongs to the cluster 'air', not to 'sea'");
    assert_network(virt, "air", true, true, true);
}

// A network that cannot be defined leaves nothing behind, and one error.
static void
test_refused(void **state)
{
    struct virt *virt = *state;
    ERROR_AUTO struct error err = {0};
    struct virt_network wanted = flat("air");
    wanted.address = "no address";
    assert_error(virt_network_ensure(virt, &wanted, &err), &err, ERR_LIBVIRT,
        "defining the network 'air': ");
    wanted.address = flat("air").address;
    wanted.bridge = "a bridge";
    assert_error(virt_network_ensure(virt, &wanted, &err), &err, ERR_LIBVIRT,
        "defining the network 'air': ");
    assert_network(virt, "air", false, false, false);
}

#define virt_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        virt_test(test_life),
        virt_test(test_differences),
        virt_test(test_foreign),
        virt_test(test_other_cluster),
        virt_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
