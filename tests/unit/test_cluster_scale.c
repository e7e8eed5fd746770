// test_cluster_scale.c - a cluster of a thousand nodes is planned, seeded and defined, on libvirt's
// in-memory hypervisor. With numbers of nodes as arguments it measures these instead:
// scripts/bench.
// SPDX-License-Identifier: Apache-2.0
#include "life_fixture.h"

#include "base/clock.h"
#include "cluster/definition.h"
#include "seed/seed.h"

#include <time.h>

#define NODES 1000

static void
use_spec(struct life *life, size_t count)
{
    BUF_AUTO struct buf text = {0};
    buf_printf(&text, "uri: test:///default\nnetwork: {subnet: 172.30.0.0/16}\nnodes:\n");
    for (size_t i = 1; i <= count; i++)
        buf_printf(&text, "  %s%zu: {role: %s}\n", i == 1 ? "head" : "work", i,
            i == 1 ? "haproxy" : "redis");
    spec_free(TAKE(life->spec));
    assert_ok(spec_parse("large", text.data, text.length, &life->spec, &life->err), &life->err);
}

static struct secrets *
make_secrets(const struct spec *spec)
{
    struct secrets *secrets = mem_zero(1, sizeof *secrets);
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
        secrets->passwords[i] = str_dup("AppAppAppAppAppAppAppAppAppAppAp");
    secrets->client_key.private = str_dup("private\n");
    secrets->client_key.public = str_dup("ssh-ed25519 AAAA airbuild@air");
    secrets->nodes = mem_zero(spec->node_count, sizeof *secrets->nodes);
    secrets->node_count = spec->node_count;
    for (size_t i = 0; i < spec->node_count; i++)
        secrets->nodes[i] = (struct secrets_node){.name = str_dup(spec->nodes[i].name),
            .instance_id = str_dup("10101010-1010-4010-8010-101010101010"),
            .sentinel_id = str_format("%040zu", i),
            .host_key = {str_dup("private\n"), str_dup("ssh-ed25519 AAAA node")}};
    return secrets;
}

static double
lap(int64_t *begin)
{
    int64_t now = clock_ms();
    double s = (double) (now - *begin) / 1000;
    *begin = now;
    return s;
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        void *state;
        life_setup(&state);
        struct life *life = state;
        size_t count = (size_t) atoi(argv[i]), bytes = 0, xmlb = 0;
        int64_t at = clock_ms();
        use_spec(life, count);
        double parse = lap(&at);
        SECRETS_AUTO struct secrets *secrets = make_secrets(life->spec);
        lap(&at);
        CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
        double planned = lap(&at);
        SEED_MAKER_AUTO struct seed_maker *maker = NULL;
        assert_ok(seed_maker_new(life->spec, secrets, true, &maker, &life->err), &life->err);
        for (size_t k = 0; k < count; k++) {
            SEED_AUTO struct seed seed = {0};
            assert_ok(seed_make(maker, &life->spec->nodes[k], &seed, &life->err), &life->err);
            bytes += strlen(seed.user_data);
        }
        double seeded = lap(&at);
        for (size_t k = 0; k < count; k++) {
            DOMAIN_DEFINITION_AUTO struct domain_definition wanted;
            domain_definition_fill(
                &wanted, life->spec, "x", "5bec", &life->spec->nodes[k], life->redis, false);
            FREE_AUTO char *xml = virt_domain_xml(&wanted.domain);
            xmlb += strlen(xml);
        }
        double xml = lap(&at);
        printf("%zu nodes: spec %.2f plan %.2f seeds %.2f (%zu MB) xml %.2f (%zu kB)\n", count,
            parse, planned, seeded, bytes / 1000000, xml, xmlb / 1000);
        fflush(stdout);
        if (getenv("LAUNCH")) {
            lap(&at);
            assert_ok(launch(life), &life->err);
            double launched = lap(&at);
            CLUSTER_PLAN_AUTO struct cluster_plan *again = plan(life);
            double replan = lap(&at);
            printf("launch %.2f plan again %.2f\n", launched, replan);
        }
        life_teardown(&state);
    }
    return 0;
}
