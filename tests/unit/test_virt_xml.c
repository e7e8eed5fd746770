// test_virt_xml.c - the XML for libvirt: golden files, libvirt's schema, hostile text, names of
// taps. AIRBUILD_REGENERATE=1 rewrites the golden files.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/proc.h"
#include "virt/reader.h"
#include "virt/xml.h"

#define GOLDEN "tests/golden/virt/"

static const struct virt_image chain[] = {
    {"/var/lib/airbuild/clusters/air/nodes/work11/disk.qcow2", "qcow2"},
    {"/var/lib/airbuild/store/images/0123abcd/disk.qcow2", "qcow2"},
    {"/var/lib/airbuild/store/images/4567cdef/disk.qcow2", "qcow2"},
};
static const struct virt_image seed[] = {
    {"/var/lib/airbuild/clusters/air/nodes/work11/seed.iso", "raw"},
};
static const struct virt_disk disks[] = {
    {chain, 3, false, "root"},
    {seed, 1, true, "seed"},
};
static const struct virt_host_entry hosts[] = {
    {"head10", "172.31.255.10"},
    {"work11", "172.31.255.11"},
};

static struct virt_domain
worker(void)
{
    return (struct virt_domain){
        .name = "work11",
        .cluster = "air",
        .id = "0123456789abcdef0123456789abcdef",
        .folder = "/var/lib/airbuild/clusters/air",
        .role = "redis",
        .spec = "5e1f",
        .image = "0123abcd",
        .memory_mib = 512,
        .cpus = 1,
        .kernel = "/var/lib/airbuild/store/images/0123abcd/kernel",
        .initrd = "/var/lib/airbuild/store/images/0123abcd/initrd",
        .cmdline = "root=UUID=1 ro console=ttyS0",
        .disks = disks,
        .disk_count = 2,
        .network = "air",
        .mac = "52:54:00:1f:ff:0b",
        .tap = "air_11",
        .console_log = "/var/lib/airbuild/clusters/air/nodes/work11/console.log",
    };
}

static struct virt_network
flat(void)
{
    return (struct virt_network){
        .name = "air",
        .cluster = "air",
        .id = "0123456789abcdef0123456789abcdef",
        .folder = "/var/lib/airbuild/clusters/air",
        .bridge = "air0",
        .mac = "52:54:00:1f:ff:fe",
        .address = "172.31.255.254",
        .prefix = 24,
        .hosts = hosts,
        .host_count = 2,
    };
}

// By libvirt's own schema, as virDomainDefineXMLFlags(..., VALIDATE) does.
static void
assert_valid(const char *schema, const char *text)
{
    ERROR_AUTO struct error err = {0};
    const char *const argv[] = {
        "sh", "-c", "printf %s \"$1\" | virt-xml-validate - \"$2\"", "sh", text, schema, NULL};
    const struct proc_options options = {.timeout_ms = 30000};
    assert_ok(proc_check(argv, &options, NULL, &err), &err);
}

static void
golden_domain(const char *path, const struct virt_domain *domain)
{
    FREE_AUTO char *text = virt_domain_xml(domain);
    assert_golden(path, text);
    assert_valid("domain", text);
}

static void
golden_network(const char *path, const struct virt_network *network)
{
    FREE_AUTO char *text = virt_network_xml(network);
    assert_golden(path, text);
    assert_valid("network", text);
}

static void
test_tcg(void **state)
{
    struct virt_domain domain = worker();
    golden_domain(GOLDEN "domain-tcg.xml", &domain);
}

// Two processors, a given UUID.
static void
test_kvm(void **state)
{
    struct virt_domain domain = worker();
    domain.kvm = true;
    domain.cpus = 2;
    domain.uuid = "0f7ee7ea-0001-4000-8000-00000000000b";
    golden_domain(GOLDEN "domain-kvm.xml", &domain);
}

// Its own boot loader, the host's bridge, no optional field.
static void
test_bare(void **state)
{
    struct virt_domain domain = worker();
    domain.kernel = domain.initrd = domain.cmdline = NULL;
    domain.role = domain.spec = domain.image = NULL;
    domain.network = NULL;
    domain.bridge = "br0";
    domain.tap = domain.console_log = NULL;
    golden_domain(GOLDEN "domain-bridge.xml", &domain);
}

#define HOSTILE \
    "a'/><x "   \
    "y=\"1\">&amp;<!--]]>\n\t\x01\xff\xc0\x80\xed\xa0\x80\xef\xbf\xbf\xe2\x82\xac$(id);`id`"
#define TAMED                                                                                     \
    "a'/><x y=\"1\">&amp;<!--]]>\n\t\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" \
    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac$(id);`id`"

static void
assert_value(xmlXPathContextPtr reader, const char *path, const char *wanted)
{
    FREE_AUTO char *value = reader_get(reader, path);
    assert_non_null(value);
    assert_string_equal(value, wanted);
}

// A field's text is read back as it was written, and makes no element of its own.
static void
test_hostile_domain(void **state)
{
    ERROR_AUTO struct error err = {0};
    const struct virt_image image[] = {{HOSTILE, HOSTILE}, {HOSTILE, HOSTILE}};
    const struct virt_disk disk = {image, 2, false, HOSTILE};
    const struct virt_domain domain = {HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE,
        HOSTILE, HOSTILE, 1, 1, false, HOSTILE, HOSTILE, HOSTILE, &disk, 1, HOSTILE, NULL, HOSTILE,
        HOSTILE, HOSTILE};
    FREE_AUTO char *text = virt_domain_xml(&domain);
    READER_AUTO xmlXPathContextPtr reader = NULL;
    assert_ok(reader_new(text, &reader, &err), &err);
    static const char *const paths[] = {"/domain/name", "/domain/uuid",
        "/domain/metadata/*/@cluster", "/domain/metadata/*/@id", "/domain/metadata/*/@folder",
        "/domain/metadata/*/@image", "/domain/os/kernel", "/domain/os/cmdline",
        "/domain/devices/disk/source/@file", "/domain/devices/disk/backingStore/source/@file",
        "/domain/devices/disk/serial", "/domain/devices/interface/mac/@address",
        "/domain/devices/interface/target/@dev", "/domain/devices/serial/log/@file"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_value(reader, paths[i], TAMED);
    FREE_AUTO char *injected = reader_get(reader, "//x");
    assert_null(injected);
}

static void
test_hostile_network(void **state)
{
    ERROR_AUTO struct error err = {0};
    const struct virt_host_entry host = {HOSTILE, HOSTILE};
    const struct virt_network network = {
        HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 24, true, &host, 1};
    FREE_AUTO char *text = virt_network_xml(&network);
    READER_AUTO xmlXPathContextPtr reader = NULL;
    assert_ok(reader_new(text, &reader, &err), &err);
    static const char *const paths[] = {"/network/name", "/network/metadata/*/@cluster",
        "/network/metadata/*/@id", "/network/metadata/*/@folder", "/network/bridge/@name",
        "/network/mac/@address", "/network/ip/@address", "/network/dns/host/@ip",
        "/network/dns/host/hostname"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_value(reader, paths[i], TAMED);
}

static void
test_isolated(void **state)
{
    struct virt_network network = flat();
    golden_network(GOLDEN "network-isolated.xml", &network);
}

static void
test_nat(void **state)
{
    struct virt_network network = flat();
    network.nat = true;
    golden_network(GOLDEN "network-nat.xml", &network);
}

static void
test_tap_names(void **state)
{
    static const struct {
        const char *cluster, *address;
        unsigned prefix;
        const char *wanted;
    } cases[] = {
        {"air", "172.31.255.11", 24, "air_11"},
        {"air", "10.0.1.2", 16, "air_258"},
        {"a-long-one", "172.31.255.254", 24, "a-long-one_254"},
        {"a-long-one", "10.0.39.15", 8, "a-long-one_9999"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FREE_AUTO char *name = virt_tap_name(cases[i].cluster, cases[i].address, cases[i].prefix);
        assert_string_equal(name, cases[i].wanted);
    }
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

// Names are unique, the bridges' included, also for similar clusters in the largest subnets.
static void
test_names_of_interfaces_differ(void **state)
{
    static const char *const clusters[] = {
        "air", "air0", "air-1", "air0-1", "redisprod1", "redisprod2", "redisprod", "redis"};
    enum { CLUSTERS = sizeof clusters / sizeof clusters[0], NODES = 4096 };
    char **names = mem_zero(CLUSTERS * (NODES + 1), sizeof *names);
    size_t count = 0;
    for (size_t c = 0; c < CLUSTERS; c++) {
        names[count++] = str_format("%s0", clusters[c]);
        for (unsigned i = 0; i < NODES; i++) {
            unsigned number = i < NODES / 2 ? i + 1 : 16777215 - i; // the ends of a /8
            FREE_AUTO char *address =
                str_format("10.%u.%u.%u", number >> 16, number >> 8 & 255, number & 255);
            names[count] = virt_tap_name(clusters[c], address, 8);
            assert_true(strlen(names[count]) <= 15);
            count++;
        }
    }
    qsort(names, count, sizeof *names, compare_texts);
    for (size_t i = 1; i < count; i++)
        assert_string_not_equal(names[i - 1], names[i]);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

// A guest under TCG must not take its slow host for broken hardware; one under KVM needs no such
// help.
static void
test_cmdline(void **state)
{
    assert_string_equal(virt_cmdline(true), "console=ttyS0 init_on_alloc=0 init_on_free=1");
    assert_contains(virt_cmdline(false), "console=ttyS0 ");
    assert_contains(virt_cmdline(false), "tsc=reliable");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcg),
        cmocka_unit_test(test_kvm),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_hostile_domain),
        cmocka_unit_test(test_hostile_network),
        cmocka_unit_test(test_isolated),
        cmocka_unit_test(test_nat),
        cmocka_unit_test(test_tap_names),
        cmocka_unit_test(test_names_of_interfaces_differ),
        cmocka_unit_test(test_cmdline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
