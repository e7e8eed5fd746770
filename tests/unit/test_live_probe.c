// test_live_probe.c - the probe of real redis, sentinel and haproxy processes on loopback addresses
// of a network namespace, with the nodes' ACL for the user `status`: convergence, a failover,
// refusals, no passwords.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "servers.h"

#include "base/clock.h"
#include "netns.h"
#include "probe/probe.h"

#include <poll.h>

#define DEADLINE_MS 3000
#define PATIENCE_MS 90000

enum { HEAD, W11, W12, W13, NODES };

static const struct probe_target all[NODES] = {
    {"head10", "127.0.0.10", true, true},
    {"work11", "127.0.0.11", false, true},
    {"work12", "127.0.0.12", false, true},
    {"work13", "127.0.0.13", false, true},
};
static const struct probe_access status = {"status", "StatusPassword", "redis-primary"};

#define REDIS_ACL                                                                            \
    "user default on >AppPassword ~* &* +@all\n"                                             \
    "user replica on >ReplicaPassword +psync +replconf +ping\n"                              \
    "user sentinel on >SentinelPassword allchannels +multi +slaveof +ping +exec +subscribe " \
    "+config|rewrite +role +publish +info +client|setname +client|kill +script|kill\n"       \
    "user check on >CheckPassword +ping +info\n"                                             \
    "user status on >StatusPassword ~airbuild:* +ping +info +role +get +set +del +time\n"    \
    "masteruser replica\nmasterauth ReplicaPassword\n"

static const char redis_acl[] = REDIS_ACL;
static const char redis_replica[] = REDIS_ACL "replicaof 127.0.0.11 6379\n";

static const char sentinel_settings[] =
    "user default on >AppPassword ~* &* +@all\n"
    "user sentinel on >SentinelPassword allchannels +@all\n"
    "user status on >StatusPassword +ping +info +sentinel|master +sentinel|replicas "
    "+sentinel|sentinels +sentinel|get-master-addr-by-name +sentinel|ckquorum\n"
    "sentinel sentinel-user sentinel\nsentinel sentinel-pass SentinelPassword\n"
    "sentinel auth-user redis-primary sentinel\n"
    "sentinel auth-pass redis-primary SentinelPassword\n"
    // A replica that it does not know when a failover starts would never follow the new master.
    "sentinel known-replica redis-primary 127.0.0.12 6379\n"
    "sentinel known-replica redis-primary 127.0.0.13 6379\n";

// ---- processes ----------------------------------------------------------------------------------

struct lab {
    char *folder;
    pid_t redis[100], sentinel[100], haproxy; // by the last part of the address; 0: not running
};

static char *
make_folder(const struct lab *lab, const char *name)
{
    ERROR_AUTO struct error err = {0};
    char *path = path_join(lab->folder, name);
    assert_ok(dir_make(path, 0700, &err), &err);
    return path;
}

// more: the node's own settings: ACL, replicaof.
static void
start_redis(struct lab *lab, unsigned node, const char *more)
{
    FREE_AUTO char *name = str_format("redis%u", node);
    FREE_AUTO char *folder = make_folder(lab, name);
    FREE_AUTO char *file = str_format("%s.conf", name);
    FREE_AUTO char *text = str_format("bind 127.0.0.%u\nport 6379\nprotected-mode no\ndir %s\n"
                                      "save \"\"\nrepl-diskless-sync-delay 0\n"
                                      "replica-announce-ip 127.0.0.%u\n%s\n",
        node, folder, node, more);
    FREE_AUTO char *path = server_file(lab->folder, file, text);
    const char *const argv[] = {"redis-server", path, NULL};
    lab->redis[node] = server_start(lab->folder, argv);
}

static void
start_sentinel(struct lab *lab, unsigned node, unsigned master, unsigned quorum, const char *more)
{
    FREE_AUTO char *name = str_format("sentinel%u", node);
    FREE_AUTO char *folder = make_folder(lab, name);
    FREE_AUTO char *file = str_format("%s/sentinel.conf", name);
    FREE_AUTO char *text = str_format("bind 127.0.0.%u\nport 26379\nprotected-mode no\ndir %s\n"
                                      "sentinel announce-ip 127.0.0.%u\n"
                                      "sentinel monitor redis-primary 127.0.0.%u 6379 %u\n"
                                      "sentinel down-after-milliseconds redis-primary 1000\n"
                                      "sentinel failover-timeout redis-primary 5000\n%s\n",
        node, folder, node, master, quorum, more);
    FREE_AUTO char *path = server_file(lab->folder, file, text);
    const char *const argv[] = {"redis-server", path, "--sentinel", NULL};
    lab->sentinel[node] = server_start(lab->folder, argv);
}

static void
add_backend(struct buf *text, const char *name, const char *expect)
{
    buf_printf(text,
        "backend %s\n  option tcp-check\n  tcp-check connect\n"
        "  tcp-check send AUTH\\ check\\ CheckPassword\\r\\n\n  tcp-check expect string +OK\n"
        "  tcp-check send info\\ replication\\r\\n\n  tcp-check expect string %s\n",
        name, expect);
    for (size_t i = W11; i < NODES; i++)
        buf_printf(text, "  server %s %s:6379 check inter 200ms\n", all[i].name, all[i].address);
}

static void
start_haproxy(struct lab *lab)
{
    BUF_AUTO struct buf text = {0};
    buf_add(&text, "global\n  maxconn 100\ndefaults\n  mode tcp\n  timeout connect 1s\n"
                   "  timeout client 10s\n  timeout server 10s\n  timeout check 1s\n"
                   "frontend writes\n  bind 127.0.0.10:6380\n  default_backend master\n"
                   "frontend reads\n  bind 127.0.0.10:6379\n  default_backend replicas\n");
    add_backend(&text, "master", "role:master");
    add_backend(&text, "replicas", "role:slave");
    FREE_AUTO char *path = server_file(lab->folder, "haproxy.cfg", text.data);
    const char *const argv[] = {"haproxy", "-db", "-f", path, NULL};
    lab->haproxy = server_start(lab->folder, argv);
}

static int
lab_down(void **state)
{
    struct lab *lab = *state;
    for (size_t i = 0; i < 100; i++) {
        server_end(&lab->redis[i]);
        server_end(&lab->sentinel[i]);
    }
    server_end(&lab->haproxy);
    ERROR_AUTO struct error err = {0};
    int answer = dir_remove(lab->folder, &err);
    if (answer < 0)
        print_error("%s\n", err.message);
    free(lab->folder);
    free(lab);
    return answer;
}

// All tests share one cluster, in the order of main: work11 is master until test_failover.
static int
lab_up(void **state)
{
    if (netns_enter() < 0)
        return -1;
    struct lab *lab = mem_zero(1, sizeof *lab);
    ERROR_AUTO struct error err = {0};
    assert_ok(dir_temp("/tmp", "airbuild-test", &lab->folder, &err), &err);
    for (unsigned node = 11; node <= 13; node++) {
        start_redis(lab, node, node == 11 ? redis_acl : redis_replica);
        start_sentinel(lab, node, 11, 2, sentinel_settings);
    }
    start_haproxy(lab);
    *state = lab;
    return 0;
}

// ---- asking -------------------------------------------------------------------------------------

static void
ask(const struct probe_target *targets, const struct probe_access *access,
    struct probe_result *results)
{
    ERROR_AUTO struct error err = {0};
    assert_ok(probe_cluster(targets, NODES, access, DEADLINE_MS, results, &err), &err);
}

// Waits until it has converged and every sentinel knows the others and the replicas.
static void
await_converged(
    const struct probe_target *targets, struct probe_result *results, struct probe_verdict *verdict)
{
    int64_t end_ms = clock_ms() + PATIENCE_MS;
    bool known = false;
    do {
        poll(NULL, 0, 50);
        ask(targets, &status, results);
        probe_assess(targets, results, NODES, 2, verdict);
        known = true;
        for (size_t i = W11; i < NODES; i++)
            known = known && (!targets[i].running || (results[i].sentinel.other_sentinels == 2 &&
                                                         results[i].sentinel.known_count >= 2));
    } while (!(verdict->converged && known) && clock_left(end_ms) > 0);
    if (!verdict->converged)
        fail_msg("not converged: %s", verdict->awaited);
    assert_true(known);
}

static void
test_converged(void **state)
{
    struct probe_result results[NODES];
    struct probe_verdict verdict;
    await_converged(all, results, &verdict);
    assert_int_equal(verdict.master, W11);
    const struct probe_redis *master = &results[W11].redis, *replica = &results[W12].redis;
    assert_int_equal(master->role, PROBE_MASTER);
    assert_int_equal(strlen(master->run_id), 40);
    assert_int_equal(replica->role, PROBE_REPLICA);
    assert_string_equal(replica->master, "127.0.0.11");
    assert_true(replica->link_up && !replica->syncing);
    assert_between(replica->link_idle_s, 0, 60);
    const struct probe_sentinel *sentinel = &results[W13].sentinel;
    assert_string_equal(sentinel->master, "127.0.0.11");
    assert_true(sentinel->quorum_ok);
    assert_contains(sentinel->quorum_text, "OK 3 usable Sentinels");
    assert_false(sentinel->tilt);
    assert_int_equal(sentinel->peer_count, 2);
    assert_true(master->clock_known && replica->clock_known);
    assert_int_equal(master->clock_ms, 0); // it is the host's
    const struct probe_head *head = &results[HEAD].head;
    assert_int_equal(head->writer, W11);
    assert_true(head->read_back);
}

// After a pulled power: the node is not awaited, the others elect one of them, the head follows.
static void
test_failover(void **state)
{
    struct lab *lab = *state;
    struct probe_result results[NODES];
    struct probe_verdict verdict;
    struct probe_target left[NODES];
    await_converged(all, results, &verdict);
    server_end(&lab->redis[11]);
    server_end(&lab->sentinel[11]);
    ask(all, &status, results);
    probe_assess(all, results, NODES, 2, &verdict);
    assert_false(verdict.converged);
    assert_string_equal(verdict.awaited, "redis on 'work11' does not answer: connection refused");

    memcpy(left, all, sizeof left);
    left[W11].running = false;
    await_converged(left, results, &verdict);
    assert_true(verdict.master == W12 || verdict.master == W13);
    assert_int_equal(results[HEAD].head.writer, verdict.master);
    assert_string_equal(results[W12].sentinel.master, all[verdict.master].address);
}

static void
test_replica_lost(void **state)
{
    struct lab *lab = *state;
    struct probe_result results[NODES];
    struct probe_verdict verdict;
    await_converged(all, results, &verdict);
    server_end(&lab->redis[13]);
    ask(all, &status, results);
    probe_assess(all, results, NODES, 2, &verdict);
    assert_int_equal(verdict.master, W11);
    assert_string_equal(verdict.awaited, "redis on 'work13' does not answer: connection refused");
    start_redis(lab, 13, redis_replica);
    await_converged(all, results, &verdict);
}

// The last test that needs the cluster.
static void
test_no_worker_behind_the_head(void **state)
{
    struct lab *lab = *state;
    struct probe_result results[NODES];
    for (unsigned node = 11; node <= 13; node++)
        server_end(&lab->redis[node]);
    ask(all, &status, results);
    const struct probe_head *head = &results[HEAD].head;
    assert_false(head->written || head->readable || head->read_back);
    assert_string_not_equal(head->write_error, "");
    assert_string_not_equal(head->read_error, "");
    assert_int_equal(head->writer, -1);
}

static void
test_refusals(void **state)
{
    struct probe_result results[NODES];
    struct probe_verdict verdict;
    await_converged(all, results, &verdict);

    const struct probe_access wrong = {"status", "WrongPassword", "redis-primary"};
    ask(all, &wrong, results);
    assert_contains(results[W11].redis.error, "WRONGPASS");
    assert_contains(results[W11].sentinel.error, "WRONGPASS");
    assert_contains(results[HEAD].head.write_error, "WRONGPASS");
    assert_false(results[W11].redis.answered || results[W11].sentinel.answered);

    const struct probe_access none = {"status", NULL, "redis-primary"};
    ask(all, &none, results);
    assert_contains(results[W11].redis.error, "NOAUTH");
    assert_contains(results[W11].sentinel.error, "NOAUTH");

    // An account that may use neither sentinel nor TIME.
    const struct probe_access narrow = {"check", "CheckPassword", "redis-primary"};
    ask(all, &narrow, results);
    assert_true(results[W11].redis.answered);
    assert_false(results[W11].redis.clock_known);
    assert_contains(results[HEAD].head.write_error, "NOPERM");

    const struct probe_access other = {"status", "StatusPassword", "some-other"};
    ask(all, &other, results);
    assert_true(results[W11].sentinel.answered);
    assert_string_equal(results[W11].sentinel.master, "");
    assert_false(results[W11].sentinel.quorum_ok);
}

// One worker without passwords, as with `auth: off` and `ha: off`, and without haproxy.
static void
test_single_without_passwords(void **state)
{
    struct lab *lab = *state;
    start_redis(lab, 31, "");
    start_sentinel(lab, 31, 31, 1, "");
    const struct probe_access none = {"status", NULL, "redis-primary"};
    const struct probe_target target = {"work31", "127.0.0.31", false, true};
    struct probe_result result;
    struct probe_verdict verdict;
    ERROR_AUTO struct error err = {0};
    int64_t end_ms = clock_ms() + PATIENCE_MS;
    do {
        poll(NULL, 0, 50);
        assert_ok(probe_cluster(&target, 1, &none, DEADLINE_MS, &result, &err), &err);
    } while (!(result.redis.answered && result.sentinel.answered) && clock_left(end_ms) > 0);
    assert_int_equal(result.redis.role, PROBE_MASTER);
    assert_string_equal(result.sentinel.master, "127.0.0.31");
    assert_true(result.sentinel.quorum_ok);
    probe_assess(&target, &result, 1, 1, &verdict);
    assert_int_equal(verdict.master, 0);
    assert_string_equal(verdict.awaited, "the cluster has no head");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_converged),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_replica_lost),
        cmocka_unit_test(test_failover),
        cmocka_unit_test(test_no_worker_behind_the_head),
        cmocka_unit_test(test_single_without_passwords),
    };
    return cmocka_run_group_tests_name("live probe", tests, lab_up, lab_down);
}
