// test_probe_verdict.c - the rule `converged`: a good cluster, then each possible fault of it.
// Longer than 500 lines: one function and one row for each fault.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/clock.h"
#include "probe/probe.h"

#include <stdio.h>

enum { HEAD, W11, W12, W13, NODES };

struct cluster {
    struct probe_target targets[NODES];
    struct probe_result results[NODES];
    unsigned quorum;
};

static void
put(char *ret, const char *text)
{
    snprintf(ret, PROBE_ADDRESS, "%s", text);
}

static void
be_master(struct cluster *cluster, int node)
{
    cluster->results[node].redis = (struct probe_redis){.answered = true, .role = PROBE_MASTER};
}

static void
be_replica(struct cluster *cluster, int node, const char *master)
{
    struct probe_redis *redis = &cluster->results[node].redis;
    *redis = (struct probe_redis){.answered = true, .role = PROBE_REPLICA, .link_up = true};
    put(redis->master, master);
}

static void
name_master(struct cluster *cluster, int node, const char *master)
{
    struct probe_sentinel *sentinel = &cluster->results[node].sentinel;
    sentinel->answered = sentinel->quorum_ok = true;
    put(sentinel->master, master);
    sentinel->peer_count = sentinel->known_count = 0;
    for (int i = W11; i < NODES; i++) {
        const char *address = cluster->targets[i].address;
        if (i != node)
            put(sentinel->peers[sentinel->peer_count++], address);
        if (!str_equal(address, master))
            put(sentinel->known[sentinel->known_count++].address, address);
    }
    sentinel->other_sentinels = sentinel->peer_count;
    sentinel->replicas_known = true;
}

// work11 is master, and the cluster has converged.
static void
make_good(struct cluster *cluster)
{
    static const struct probe_target targets[NODES] = {
        {"head10", "172.31.255.10", true, true},
        {"work11", "172.31.255.11", false, true},
        {"work12", "172.31.255.12", false, true},
        {"work13", "172.31.255.13", false, true},
    };
    memset(cluster, 0, sizeof *cluster);
    memcpy(cluster->targets, targets, sizeof targets);
    cluster->quorum = 2;
    be_master(cluster, W11);
    be_replica(cluster, W12, "172.31.255.11");
    be_replica(cluster, W13, "172.31.255.11");
    for (int i = W11; i < NODES; i++)
        name_master(cluster, i, "172.31.255.11");
    cluster->results[HEAD].head =
        (struct probe_head){.written = true, .readable = true, .read_back = true, .writer = W11};
}

// ---- the faults --------------------------------------------------------------------------------

static void
nothing(struct cluster *cluster)
{
    (void) cluster;
}

static void
redis_silent(struct cluster *cluster)
{
    struct probe_redis *redis = &cluster->results[W12].redis;
    *redis = (struct probe_redis){.error = "connection refused"};
}

static void
redis_loading(struct cluster *cluster)
{
    cluster->results[W13].redis.loading = true;
}

static void
sentinel_silent(struct cluster *cluster)
{
    struct probe_sentinel *sentinel = &cluster->results[W12].sentinel;
    *sentinel = (struct probe_sentinel){.error = "no answer within 2000 ms"};
}

static void
sentinel_names_none(struct cluster *cluster)
{
    cluster->results[W13].sentinel.master[0] = '\0';
}

static void
sentinels_disagree(struct cluster *cluster)
{
    name_master(cluster, W13, "172.31.255.12");
}

static void
two_masters(struct cluster *cluster)
{
    be_master(cluster, W13);
}

// The sentinels have elected work12, which does not know it yet.
static void
named_is_replica(struct cluster *cluster)
{
    for (int i = W11; i < NODES; i++)
        name_master(cluster, i, "172.31.255.12");
}

// An address that is a prefix of another.
static void
named_is_nobody(struct cluster *cluster)
{
    for (int i = W11; i < NODES; i++)
        name_master(cluster, i, "172.31.255.1");
}

static void
named_is_the_head(struct cluster *cluster)
{
    for (int i = W11; i < NODES; i++)
        name_master(cluster, i, "172.31.255.10");
}

static void
replica_of_another(struct cluster *cluster)
{
    put(cluster->results[W13].redis.master, "172.31.255.12");
}

static void
replica_of_foreign(struct cluster *cluster)
{
    put(cluster->results[W13].redis.master, "192.0.2.1");
}

static void
link_down(struct cluster *cluster)
{
    cluster->results[W12].redis.link_up = false;
}

static void
syncing(struct cluster *cluster)
{
    cluster->results[W12].redis.link_up = false;
    cluster->results[W12].redis.syncing = true;
}

static void
role_unknown(struct cluster *cluster)
{
    cluster->results[W12].redis.role = PROBE_ROLE_UNKNOWN;
}

static void
no_writes(struct cluster *cluster)
{
    struct probe_head *head = &cluster->results[HEAD].head;
    *head = (struct probe_head){
        .readable = true, .writer = -1, .write_error = "the connection was closed"};
}

static void
no_reads(struct cluster *cluster)
{
    struct probe_head *head = &cluster->results[HEAD].head;
    head->readable = head->read_back = false;
    put(head->read_error, "connection refused");
}

static void
reads_are_stale(struct cluster *cluster)
{
    cluster->results[HEAD].head.read_back = false;
    put(cluster->results[HEAD].head.read_error, "what was written did not come back");
}

static void
writes_go_astray(struct cluster *cluster)
{
    cluster->results[HEAD].head.writer = W12;
}

// redis restarted between two queries, so its run_id matches none: that is not a fault.
static void
writer_unknown(struct cluster *cluster)
{
    cluster->results[HEAD].head.writer = -1;
}

static void
head_off(struct cluster *cluster)
{
    cluster->targets[HEAD].running = false;
}

static void
no_head(struct cluster *cluster)
{
    cluster->targets[HEAD] = cluster->targets[W13];
    cluster->results[HEAD] = cluster->results[W13];
}

static void
halt(struct cluster *cluster, int node)
{
    cluster->targets[node].running = false;
    memset(&cluster->results[node], 0, sizeof cluster->results[node]);
}

static void
replica_absent(struct cluster *cluster)
{
    halt(cluster, W13);
}

// The other sentinels have not noticed yet.
static void
master_absent(struct cluster *cluster)
{
    halt(cluster, W11);
}

static void
failed_over(struct cluster *cluster)
{
    halt(cluster, W11);
    be_master(cluster, W13);
    be_replica(cluster, W12, "172.31.255.13");
    name_master(cluster, W12, "172.31.255.13");
    name_master(cluster, W13, "172.31.255.13");
    cluster->results[HEAD].head.writer = W13;
}

static void
returned_as_master(struct cluster *cluster)
{
    failed_over(cluster);
    cluster->targets[W11].running = true;
    be_master(cluster, W11);
    name_master(cluster, W11, "172.31.255.13");
}

// All running ones agree, but they are too few.
static void
too_few(struct cluster *cluster)
{
    halt(cluster, W12);
    halt(cluster, W13);
}

// Its sentinel does not start without a majority.
static void
alone(struct cluster *cluster)
{
    too_few(cluster);
    cluster->results[W11].sentinel.answered = false;
}

static void
all_absent(struct cluster *cluster)
{
    for (int i = W11; i < NODES; i++)
        halt(cluster, i);
}

static void
single_worker(struct cluster *cluster)
{
    cluster->quorum = 1;
    too_few(cluster);
}

static void
two_workers(struct cluster *cluster)
{
    cluster->quorum = 2;
    halt(cluster, W13);
}

static void
nothing_was_asked(struct cluster *cluster)
{
    memset(cluster->results, 0, sizeof cluster->results);
}

static void
quorum_of_all(struct cluster *cluster)
{
    cluster->quorum = 3;
    sentinels_disagree(cluster);
}

static void
peer_unknown(struct cluster *cluster)
{
    struct probe_sentinel *sentinel = &cluster->results[W12].sentinel;
    put(sentinel->peers[1], sentinel->peers[0]);
    sentinel->other_sentinels = sentinel->peer_count = 1;
}

// An older sentinel's entry, or a foreign one: it counts for the majority.
static void
peer_of_nobody(struct cluster *cluster)
{
    struct probe_sentinel *sentinel = &cluster->results[W13].sentinel;
    put(sentinel->peers[sentinel->peer_count++], "192.0.2.1");
    sentinel->other_sentinels = 3;
}

static void
peer_twice(struct cluster *cluster)
{
    cluster->results[W13].sentinel.other_sentinels = 3;
}

// The others may know a worker that is off, and need not.
static void
absent_unknown(struct cluster *cluster)
{
    halt(cluster, W13);
    for (int i = W11; i <= W12; i++)
        cluster->results[i].sentinel.other_sentinels = cluster->results[i].sentinel.peer_count = 1;
}

static void
replica_down(struct cluster *cluster)
{
    cluster->results[W13].sentinel.known[0].down = true;
}

static void
replica_unknown(struct cluster *cluster)
{
    cluster->results[W12].sentinel.known_count = 1;
}

// A replica that is off may be down, and unknown.
static void
absent_down(struct cluster *cluster)
{
    halt(cluster, W13);
    cluster->results[W11].sentinel.known[1].down = true;
    cluster->results[W12].sentinel.known_count = 1;
}

// On the disk of an older image the account may not ask.
static void
replicas_untold(struct cluster *cluster)
{
    struct probe_sentinel *sentinel = &cluster->results[W12].sentinel;
    sentinel->replicas_known = false;
    sentinel->known_count = 0;
}

static void
in_tilt(struct cluster *cluster)
{
    cluster->results[W12].sentinel.tilt = true;
}

static void
no_quorum(struct cluster *cluster)
{
    struct probe_sentinel *sentinel = &cluster->results[W11].sentinel;
    sentinel->quorum_ok = false;
    snprintf(sentinel->quorum_text, sizeof sentinel->quorum_text, "NOQUORUM 1 usable Sentinels.");
}

static void
clock_of(struct cluster *cluster, int node, bool known, long long ms)
{
    cluster->results[node].redis.clock_known = known;
    cluster->results[node].redis.clock_ms = ms;
}

static void
clock_behind(struct cluster *cluster)
{
    clock_of(cluster, W12, true, -12000);
}

static void
clock_ahead(struct cluster *cluster)
{
    clock_of(cluster, W11, true, PROBE_CLOCK_MS + 1);
}

static void
clocks_near(struct cluster *cluster)
{
    clock_of(cluster, W11, true, PROBE_CLOCK_MS);
    clock_of(cluster, W12, true, -PROBE_CLOCK_MS);
    clock_of(cluster, W13, true, 0);
}

// On the disk of an older image the account may not ask.
static void
clock_unknown(struct cluster *cluster)
{
    clock_of(cluster, W13, false, 0);
}

static const struct {
    const char *name;
    void (*change)(struct cluster *);
    int master;
    const char *awaited; // NULL: converged
} rows[] = {
    {"good", nothing, W11, NULL},
    {"redis silent", redis_silent, W11, "redis on 'work12' does not answer: connection refused"},
    {"redis loading", redis_loading, W11, "redis on 'work13' is still loading its data"},
    {"sentinel silent", sentinel_silent, W11,
        "sentinel on 'work12' does not answer: no answer within 2000 ms"},
    {"sentinel names none", sentinel_names_none, W11, "sentinel on 'work13' names no master"},
    {"sentinels disagree", sentinels_disagree, W11,
        "sentinel on 'work11' names 'work11' master, that on 'work13' names 'work12'"},
    {"two masters", two_masters, W11, "'work13' reports that it is a master, too"},
    {"named is a replica", named_is_replica, -1,
        "the sentinels name 'work12', which is not a running master"},
    {"named is nobody", named_is_nobody, -1,
        "the sentinels name '172.31.255.1', which is not a running master"},
    {"named is the head", named_is_the_head, -1,
        "the sentinels name 'head10', which is not a running master"},
    {"replica of another", replica_of_another, W11,
        "'work13' replicates 'work12', not yet 'work11'"},
    {"replica of a foreign master", replica_of_foreign, W11,
        "'work13' replicates '192.0.2.1', not yet 'work11'"},
    {"link down", link_down, W11, "'work12' has no link to 'work11' yet"},
    {"syncing", syncing, W11, "'work12' is still copying the data of 'work11'"},
    {"role unknown", role_unknown, W11, "'work12' reports no role"},
    {"no writes", no_writes, W11, "'head10' serves no writes: the connection was closed"},
    {"no reads", no_reads, W11, "'head10' serves no reads: connection refused"},
    {"stale reads", reads_are_stale, W11,
        "'head10' serves no reads: what was written did not come back"},
    {"writes go astray", writes_go_astray, W11,
        "'head10' sends writes to 'work12', which is not the master"},
    {"writer unknown", writer_unknown, W11, NULL},
    {"head off", head_off, W11, "'head10' does not run"},
    {"no head", no_head, W11, "the cluster has no head"},
    {"replica absent", replica_absent, W11, NULL},
    {"master absent", master_absent, -1,
        "the sentinels name 'work11', which is not a running master"},
    {"failed over", failed_over, W13, NULL},
    {"returned as master", returned_as_master, W13, "'work11' reports that it is a master, too"},
    {"too few", too_few, -1, "running workers: 1, too few for a quorum of 2"},
    {"alone", alone, -1, "running workers: 1, too few for a quorum of 2"},
    {"all absent", all_absent, -1, "running workers: 0, too few for a quorum of 2"},
    {"single worker", single_worker, W11, NULL},
    {"two workers", two_workers, W11, NULL},
    {"nothing was asked", nothing_was_asked, -1, "redis on 'work11' does not answer: "},
    {"peer unknown", peer_unknown, W11, "sentinel on 'work12' does not know the one on 'work13'"},
    {"peer of nobody", peer_of_nobody, W11,
        "sentinel on 'work13' knows one at '192.0.2.1', which is not a worker"},
    {"peer twice", peer_twice, W11, "sentinel on 'work13' counts 3 others, but lists 2"},
    {"absent and unknown", absent_unknown, W11, NULL},
    {"replica down", replica_down, W11, "sentinel on 'work13' reports redis on 'work12' as down"},
    {"replica unknown", replica_unknown, W11,
        "sentinel on 'work12' does not know redis on 'work13'"},
    {"absent replica down", absent_down, W11, NULL},
    {"replicas untold", replicas_untold, W11, NULL},
    {"in TILT", in_tilt, W11,
        "sentinel on 'work12' is in TILT, as its clock jumped: it takes no action for 30 s"},
    {"no quorum", no_quorum, W11,
        "sentinel on 'work11' cannot replace the master: NOQUORUM 1 usable Sentinels."},
    {"clock behind", clock_behind, W11, "the clock of 'work12' is 12.0 s behind"},
    {"clock ahead", clock_ahead, W11, "the clock of 'work11' is 1.0 s ahead"},
    {"clocks near", clocks_near, W11, NULL},
    {"clock unknown", clock_unknown, W11, NULL},
    {"quorum of all", quorum_of_all, -1, "sentinel on 'work11' names 'work11' master"},
};

static void
test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cluster cluster;
        struct probe_verdict verdict;
        make_good(&cluster);
        rows[i].change(&cluster);
        probe_assess(cluster.targets, cluster.results, NODES, cluster.quorum, &verdict);
        print_message("# %s: %s\n", rows[i].name, verdict.awaited);
        assert_int_equal(verdict.converged, rows[i].awaited == NULL);
        assert_int_equal(verdict.master, rows[i].master);
        if (rows[i].awaited == NULL)
            assert_string_equal(verdict.awaited, "");
        else
            assert_contains(verdict.awaited, rows[i].awaited);
    }
}

static void
test_no_targets(void **state)
{
    struct probe_verdict verdict;
    probe_assess(NULL, NULL, 0, 2, &verdict);
    assert_false(verdict.converged);
    assert_int_equal(verdict.master, -1);
    assert_string_not_equal(verdict.awaited, "");
}

// The longest texts are cut to fit.
static void
test_long_texts(void **state)
{
    struct cluster cluster;
    struct probe_verdict verdict;
    static char name[1000];
    memset(name, 'n', sizeof name - 1);
    make_good(&cluster);
    redis_silent(&cluster);
    cluster.targets[W12].name = name;
    memset(cluster.results[W12].redis.error, 'e', PROBE_TEXT - 1);
    probe_assess(cluster.targets, cluster.results, NODES, 2, &verdict);
    assert_int_equal(strlen(verdict.awaited), sizeof verdict.awaited - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_targets),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests_name("probe judge", tests, NULL, NULL);
}
