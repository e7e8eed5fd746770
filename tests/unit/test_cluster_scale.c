// test_cluster_scale.c - a cluster of a thousand nodes is planned, seeded and defined, on libvirt's
// in-memory hypervisor. With numbers of nodes as arguments it measures instead (make bench).
// SPDX-License-Identifier: Apache-2.0
#include "life_fixture.h"

#include "base/clock.h"
#include "cluster/definition.h"
#include "seed/seed.h"

#include <stdio.h>

#define NODES 1000
#define EACH 50 // node is defined: libvirt reads its schema again for every domain

// head1, work2, ...
static void
use_nodes(struct life *life, size_t count)
{
    BUF_AUTO struct buf text = {0};
    buf_add(&text, "uri: test:///default\nnetwork: {subnet: 172.30.0.0/16}\nnodes:\n");
    buf_add(&text, "  head1: {role: haproxy}\n");
    for (size_t i = 2; i <= count; i++)
        buf_printf(&text, "  work%zu: {role: redis}\n", i);
    spec_free(TAKE(life->spec));
    assert_ok(spec_parse("large", text.data, text.length, &life->spec, &life->err), &life->err);
}

// Not by ssh-keygen, which would take most of the time.
static struct secrets *
make_secrets(const struct spec *spec)
{
    struct secrets *secrets = mem_zero(1, sizeof *secrets);
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
        secrets->passwords[i] = str_dup("AppAppAppAppAppAppAppAppAppAppAp");
    secrets->client_key.private = str_dup("a private key\n");
    secrets->client_key.public = str_dup("ssh-ed25519 AAAAclient");
    secrets->nodes = mem_zero(spec->node_count, sizeof *secrets->nodes);
    secrets->node_count = spec->node_count;
    for (size_t i = 0; i < spec->node_count; i++)
        secrets->nodes[i] = (struct secrets_node){.name = str_dup(spec->nodes[i].name),
            .instance_id = str_dup("10101010-1010-4010-8010-101010101010"),
            .sentinel_id = str_format("%040zu", i),
            .host_key = {str_dup("a private key\n"), str_dup("ssh-ed25519 AAAAnode")}};
    return secrets;
}

// Calls each with every node's seed.
static void
make_seeds(struct life *life, const struct secrets *secrets,
    void (*each)(const struct spec_node *node, const struct seed *seed))
{
    SEED_MAKER_AUTO struct seed_maker *maker = NULL;
    assert_ok(seed_maker_new(life->spec, secrets, true, &maker, &life->err), &life->err);
    for (size_t i = 0; i < life->spec->node_count; i++) {
        SEED_AUTO struct seed seed = {0};
        assert_ok(seed_make(maker, &life->spec->nodes[i], &seed, &life->err), &life->err);
        each(&life->spec->nodes[i], &seed);
    }
}

// Calls each with the domain of every step-th node.
static void
make_domains(struct life *life, size_t step,
    void (*each)(struct life *life, const struct virt_domain *domain))
{
    for (size_t i = 0; i < life->spec->node_count; i += step) {
        const struct spec_node *node = &life->spec->nodes[i];
        const struct image *image = node->role == SPEC_HAPROXY ? life->haproxy : life->redis;
        DOMAIN_DEFINITION_AUTO struct domain_definition wanted;
        domain_definition_fill(&wanted, life->spec, "1d", "5bec", node, image, false);
        each(life, &wanted.domain);
    }
}

// ---- tests --------------------------------------------------------------------------------------

static size_t
count_text(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

// Every node knows all others, but its sentinel only some: it learns of the rest.
static void
check_seed(const struct spec_node *node, const struct seed *seed)
{
    FREE_AUTO char *host = str_format("local-hostname: %s\n", node->name);
    bool head = node->role == SPEC_HAPROXY, first = str_equal(node->name, "work2");
    FREE_AUTO char *self = str_format(" known-replica redis-primary %s 6379\n", node->address);
    assert_contains(seed->meta_data, host);
    assert_contains(seed->user_data, " work1000=172.30.3.232=0000");
    assert_contains(seed->user_data, "172.30.3.232 work1000.air work1000\n");
    assert_int_equal(count_text(seed->user_data, "\n    backend write_work"), head ? NODES - 1 : 0);
    assert_int_equal(count_text(seed->user_data, "sentinel known-sentinel "), head ? 0 : 63);
    assert_between(
        count_text(seed->user_data, "sentinel known-replica "), head ? 0 : 63, head ? 0 : 64);
    assert_int_equal(count_text(seed->user_data, self), head || first ? 0 : 1);
}

static void
define_checked(struct life *life, const struct virt_domain *domain)
{
    assert_ok(virt_domain_define(life->world, domain, &life->err), &life->err);
}

static void
test_thousand_nodes(void **state)
{
    struct life *life = *state;
    use_nodes(life, NODES);
    CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
    assert_int_equal(made->count, 2 + 4 * NODES); // network, secrets; disk, seed, define, start
    assert_int_equal(made->refusal, ERR_NONE);
    SECRETS_AUTO struct secrets *secrets = make_secrets(life->spec);
    make_seeds(life, secrets, check_seed);
    NETWORK_DEFINITION_AUTO struct network_definition network;
    network_definition_fill(&network, life->spec, "1d");
    assert_ok(virt_network_ensure(life->world, &network.network, &life->err), &life->err);
    make_domains(life, EACH, define_checked);
    assert_domains(life, NODES / EACH, VIRT_OFF);
}

// ---- measuring ----------------------------------------------------------------------------------

static size_t bytes;

static void
count_seed(const struct spec_node *node, const struct seed *seed)
{
    (void) node;
    bytes += strlen(seed->user_data);
}

static void
write_xml(struct life *life, const struct virt_domain *domain)
{
    (void) life;
    FREE_AUTO char *xml = virt_domain_xml(domain);
    bytes += strlen(xml);
}

// Seconds since *begin, which becomes now.
static double
lap(int64_t *begin)
{
    int64_t now = clock_ms(), before = *begin;
    *begin = now;
    return (double) (now - before) / 1000;
}

static void
measure(size_t count)
{
    void *state = NULL;
    life_setup(&state);
    struct life *life = state;
    int64_t begin = clock_ms();
    use_nodes(life, count);
    double read = lap(&begin);
    CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
    double planned = lap(&begin);
    assert_int_equal(made->count, 2 + 4 * count);
    SECRETS_AUTO struct secrets *secrets = make_secrets(life->spec);
    lap(&begin);
    make_seeds(life, secrets, count_seed);
    double seeds = lap(&begin);
    make_domains(life, 1, write_xml);
    double xml = lap(&begin), all = read + planned + seeds + xml;
    printf("%5zu nodes  spec %.3f s  plan %.3f s  seeds %.3f s  XML %.3f s  all %.3f s, %.3f ms a "
           "node\n",
        count, read, planned, seeds, xml, all, 1000 * all / (double) count);
    life_teardown(&state);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        life_test(test_thousand_nodes),
    };
    for (int i = 1; i < argc; i++)
        measure((size_t) atoi(argv[i]));
    return argc > 1 ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
