// test_cli_doctor.c - doctor's checks on routes, folders, firewalls and ports of other
// hosts.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"
#include "cli/doctor.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#define HEAD "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
#define ROUTE(iface, destination, mask) \
    iface "\t" destination "\t00000000\t0001\t0\t0\t0\t" mask "\t0\t0\t0\n"

static void
assert_clash(const char *routes, const char *expected, bool expected_wider)
{
    bool wider = !expected_wider;
    FREE_AUTO char *seen = doctor_route_clash(routes, "172.31.255.0/24", "air0", &wider);
    if (expected == NULL)
        assert_null(seen);
    else
        assert_string_equal(seen, expected);
    assert_int_equal(wider, expected_wider);
}

static void
test_routes(void **state)
{
    assert_clash("", NULL, false);
    assert_clash(HEAD, NULL, false);
    assert_clash(HEAD ROUTE("eth0", "00000000", "00000000"), NULL, false); // the default route
    assert_clash(HEAD ROUTE("eth0", "0000000A", "000000FF"), NULL, false); // 10.0.0.0/8
    assert_clash(HEAD ROUTE("air0", "00FF1FAC", "00FFFFFF"), NULL, false); // our own bridge
    assert_clash(HEAD ROUTE("virbr9", "00FF1FAC", "00FFFFFF"), "172.31.255.0/24 by virbr9", false);
    assert_clash(HEAD ROUTE("tun0", "0BFF1FAC", "FFFFFFFF"), "172.31.255.11/32 by tun0", false);
    assert_clash(HEAD ROUTE("tun0", "000010AC", "0000F0FF"), "172.16.0.0/12 by tun0", true);
    // A route that is not wider counts more than one that is.
    assert_clash(HEAD ROUTE("tun0", "000010AC", "0000F0FF") ROUTE("x", "00FF1FAC", "00FFFFFF"),
        "172.31.255.0/24 by x", false);
}

static void
test_facts(void **state)
{
    TABLE_AUTO struct table table = {0};
    json_auto_t *list = json_array();
    BUF_AUTO struct buf text = {0};
    struct doctor doctor = {.table = &table, .list = list};
    doctor_pass(&doctor, "cpu", "%d cores", 4);
    assert_false(doctor.failed);
    doctor_add(&doctor, "disk", DOCTOR_FAIL, "buy one", "only %s", "little");
    assert_true(doctor.failed);
    assert_int_equal(json_array_size(list), 2);
    table_print(&table, 0, false, &text);
    assert_string_equal(text.data, "PASS  cpu   4 cores\nFAIL  disk  only little; fix: buy one\n");
    const json_t *cpu = json_array_get(list, 0), *disk = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(cpu, "detail")), "4 cores");
    assert_true(json_is_null(json_object_get(cpu, "mend")));
    assert_string_equal(json_string_value(json_object_get(disk, "mend")), "buy one");
    assert_string_equal(json_string_value(json_object_get(disk, "result")), "FAIL");
}

// ---- folders and accounts ------------------------------------------------------------------------

enum { QEMU = 64055 };

static void
assert_closed(const char *path, const char *expected)
{
    FREE_AUTO char *closed = doctor_closed_folder(path, QEMU, QEMU);
    if (expected == NULL)
        assert_null(closed);
    else
        assert_string_equal(closed, expected);
}

// A desktop: the home is closed, the folders below it are not.
static void
test_closed_folders(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *home = path_join(*state, "home"), *disks = path_join(*state, "home/air/nodes");
    FREE_AUTO char *absent = path_join(*state, "home/air/nodes/x/y");
    assert_int_equal(chmod(*state, 0711), 0);
    assert_ok(dir_make(disks, 0711, &err), &err);
    assert_int_equal(chmod(home, 0700), 0);
    assert_closed(disks, home);
    assert_closed(absent, home);
    FREE_AUTO char *root = doctor_closed_folder(disks, 0, 0);
    assert_null(root);
    assert_int_equal(chmod(home, 0711), 0);
    assert_closed(disks, NULL);
    assert_closed(absent, NULL);
    assert_int_equal(chmod(disks, 0744), 0);
    assert_closed(absent, disks);
}

// The fix that doctor suggests, setfacl -m u:64055:x, as the kernel keeps it.
static void
test_closed_but_for_a_list(void **state)
{
    const struct {
        uint16_t tag, permissions;
        uint32_t id;
    } entries[] = {{1, 7, ~0U}, {2, 1, QEMU}, {4, 0, ~0U}, {16, 1, ~0U}, {32, 0, ~0U}};
    struct {
        uint32_t version;
        char entries[sizeof entries];
    } list = {.version = 2};
    FREE_AUTO char *home = path_join(*state, "home");
    assert_int_equal(chmod(*state, 0711), 0);
    assert_int_equal(mkdir(home, 0700), 0);
    assert_closed(home, home);
    memcpy(list.entries, entries, sizeof entries);
    assert_int_equal(setxattr(home, "system.posix_acl_access", &list, sizeof list, 0), 0);
    assert_closed(home, NULL);
    FREE_AUTO char *other = doctor_closed_folder(home, QEMU + 1, QEMU + 1);
    assert_non_null(other);
}

// ---- firewalls and ports -------------------------------------------------------------------------

#define OPEN "-P INPUT DROP\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n"
#define DOCKER "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-A FORWARD -j DOCKER-USER\n"

static void
test_forwarding(void **state)
{
    assert_int_equal(doctor_forward_verdict("", "air0", false), DOCTOR_PASS);
    assert_int_equal(doctor_forward_verdict(OPEN, "air0", true), DOCTOR_PASS);
    assert_int_equal(doctor_forward_verdict(DOCKER, "air0", false), DOCTOR_WARN);
    assert_int_equal(doctor_forward_verdict(DOCKER, "br0", true), DOCTOR_FAIL);
    const char *libvirt = DOCKER "-A FORWARD -j LIBVIRT_FWX\n";
    assert_int_equal(doctor_forward_verdict(libvirt, "air0", false), DOCTOR_PASS);
    assert_int_equal(doctor_forward_verdict(libvirt, "br0", true), DOCTOR_FAIL);
    const char *fixed = DOCKER "-A FORWARD -i br0 -o br0 -j ACCEPT\n";
    assert_int_equal(doctor_forward_verdict(fixed, "br0", true), DOCTOR_PASS);
    assert_int_equal(doctor_forward_verdict(fixed, "br01", true), DOCTOR_FAIL);
}

#define TCP "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n"
#define SOCKET(local, remote) "   0: " local " " remote " 0A 00000000:00000000 00:00000000\n"

static void
test_ports(void **state)
{
    assert_false(doctor_port_taken(TCP, "172.31.255.254", 53));
    const char *resolved = TCP SOCKET("3500007F:0035", "00000000:0000");
    assert_false(doctor_port_taken(resolved, "172.31.255.254", 53));
    const char *all =
        TCP SOCKET("00000000:0016", "00000000:0000") SOCKET("00000000:0035", "00000000:0000");
    assert_true(doctor_port_taken(all, "172.31.255.254", 53));
    const char *own = TCP SOCKET("FEFF1FAC:0035", "00000000:0000");
    assert_true(doctor_port_taken(own, "172.31.255.254", 53));
    assert_false(doctor_port_taken(own, "172.31.255.253", 53));
    const char *asking = TCP SOCKET("FEFF1FAC:0035", "FEFF1FAC:D2F0");
    assert_false(doctor_port_taken(asking, "172.31.255.254", 53));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_closed_folders),
        scratch_test(test_closed_but_for_a_list),
        cmocka_unit_test(test_forwarding),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
