// test_live_load.c - the clients of a load against a real redis behind a real haproxy, on loopback
// addresses of a network namespace: what they record when it is killed, paused, refuses or
// disappears; and that a lost acknowledged write is found.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "servers.h"

#include "base/clock.h"
#include "netns.h"
#include "probe/load.h"

#include <poll.h>

#define HEAD "127.0.0.10"
#define WORKER "127.0.0.11"
#define PREFIX "airbuild:drill:test"
#define PATIENCE_MS 60000

struct lab {
    char *folder;
    pid_t redis, haproxy; // 0: not running
    struct load *load;
};

static const struct probe_access status = {"status", "StatusPassword", "redis-primary"};
static const struct load_options options = {
    .address = HEAD,
    .access = &status,
    .prefix = PREFIX,
    .writes_per_s = 250,
    .reads_per_s = 100,
    .answer_ms = 300,
    .reconnect_ms = 20,
};

// ---- the servers ----------------------------------------------------------------------------------

// An acknowledged write outlives the process: redis writes it, if not synced, before it answers.
static void
start_redis(struct lab *lab, const char *more)
{
    FREE_AUTO char *text = str_format(
        "bind " WORKER "\nport 6379\nprotected-mode no\ndir %s\nappendonly yes\n"
        "appendfsync everysec\nsave \"\"\nuser default on >AppPassword ~* &* +@all\n"
        "user status on >StatusPassword ~airbuild:* +ping +info +role +get +set +del\n%s\n",
        lab->folder, more);
    FREE_AUTO char *path = server_file(lab->folder, "redis.conf", text);
    const char *const argv[] = {"redis-server", path, NULL};
    lab->redis = server_start(lab->folder, argv);
}

static void
start_haproxy(struct lab *lab)
{
    FREE_AUTO char *path = server_file(lab->folder, "haproxy.cfg",
        "global\n  maxconn 100\ndefaults\n  mode tcp\n  retries 0\n  timeout connect 1s\n  timeout "
        "client 1h\n"
        "  timeout server 1h\nlisten writes\n  bind " HEAD ":6380\n  server w " WORKER ":6379\n"
        "listen reads\n  bind " HEAD ":6379\n  server w " WORKER ":6379\n");
    const char *const argv[] = {"haproxy", "-db", "-f", path, NULL};
    lab->haproxy = server_start(lab->folder, argv);
}

static void
await_redis(const char *address)
{
    int64_t end_ms = clock_ms() + PATIENCE_MS;
    while (!load_accepts(address, &status, "airbuild:awaited", 1000))
        if (clock_left(end_ms) == 0)
            fail_msg("%s does not take writes", address);
        else
            poll(NULL, 0, 10);
}

static int
lab_up(void **state)
{
    struct lab *lab = mem_zero(1, sizeof *lab);
    ERROR_AUTO struct error err = {0};
    *state = lab;
    assert_ok(dir_temp("/tmp", "airbuild-test", &lab->folder, &err), &err);
    start_redis(lab, "");
    start_haproxy(lab);
    await_redis(HEAD); // here its port for reads leads to the same server
    assert_ok(load_start(&options, &lab->load, &err), &err);
    return 0;
}

static int
lab_down(void **state)
{
    struct lab *lab = *state;
    ERROR_AUTO struct error err = {0};
    load_free(lab->load);
    server_end(&lab->redis);
    server_end(&lab->haproxy);
    int answer = dir_remove(lab->folder, &err);
    free(lab->folder);
    free(lab);
    return answer;
}

// ---- waiting ------------------------------------------------------------------------------

// Waits until that many more writes are acknowledged.
static void
await_acked(struct lab *lab, unsigned long long more)
{
    unsigned long long begin, now;
    int64_t silence, end_ms = clock_ms() + PATIENCE_MS;
    load_now(lab->load, &begin, &silence);
    do {
        poll(NULL, 0, 5);
        load_now(lab->load, &now, &silence);
    } while (now < begin + more && clock_left(end_ms) > 0);
    assert_true(now >= begin + more);
}

// Waits until none was acknowledged for that long.
static void
await_silence(struct lab *lab, int64_t ms)
{
    unsigned long long acked;
    int64_t silence, end_ms = clock_ms() + PATIENCE_MS;
    do {
        poll(NULL, 0, 5);
        load_now(lab->load, &acked, &silence);
    } while (silence < ms && clock_left(end_ms) > 0);
    assert_true(silence >= ms);
}

static size_t
count(const struct load_sample *samples, size_t all, enum load_outcome outcome)
{
    size_t found = 0;
    for (size_t i = 0; i < all; i++)
        found += samples[i].outcome == outcome;
    return found;
}

// Sets of outcomes.
#define ACKED (1U << LOAD_ACKED)
#define REFUSED (1U << LOAD_REFUSED)
#define BROKEN (1U << LOAD_BROKEN)
#define SILENT (1U << LOAD_SILENT)

// Stops the load. The samples must be in order, each write with its own number; all outcomes in
// must must occur, and no others than those in must and may.
static void
assert_recorded(struct lab *lab, unsigned must, unsigned may)
{
    unsigned expected = must | may;
    load_stop(lab->load);
    size_t writes, reads;
    const struct load_sample *write = load_writes(lab->load, &writes);
    const struct load_sample *read = load_reads(lab->load, &reads);
    for (size_t i = 0; i < writes; i++) {
        assert_int_equal(write[i].number, i + 1);
        assert_true(write[i].ended_ms >= write[i].sent_ms);
        assert_true(i == 0 || (write[i].sent_ms >= write[i - 1].sent_ms &&
                                  write[i].ended_ms >= write[i - 1].ended_ms));
        assert_true(expected & 1U << write[i].outcome);
    }
    for (size_t i = 0; i < reads; i++) {
        assert_true(read[i].number <= writes);
        assert_true(expected & 1U << read[i].outcome);
    }
    for (unsigned outcome = LOAD_ACKED; outcome <= LOAD_SILENT; outcome++)
        if (must & 1U << outcome)
            assert_true(count(write, writes, outcome) + count(read, reads, outcome) > 0);
}

// The acknowledged writes that the worker has lost.
static void
assert_lost(struct lab *lab, unsigned long long expected)
{
    ERROR_AUTO struct error err = {0};
    unsigned long long acked, acked_now, lost;
    int64_t silence;
    load_now(lab->load, &acked_now, &silence);
    assert_ok(load_verify(lab->load, WORKER, PATIENCE_MS, &acked, &lost, &err), &err);
    assert_int_equal(acked, acked_now);
    assert_int_equal(lost, expected);
}

static struct load_gap
write_outage(struct lab *lab)
{
    size_t writes;
    const struct load_sample *write = load_writes(lab->load, &writes);
    return load_outage(write, writes, 0, INT64_MAX);
}

// ---- the tests ------------------------------------------------------------------------------------

static void
test_all_is_well(void **state)
{
    struct lab *lab = *state;
    await_acked(lab, 100);
    assert_recorded(lab, ACKED, 0);
    assert_int_equal(write_outage(lab).to_ms, 0);
    assert_lost(lab, 0);
    load_forget(lab->load, WORKER, PATIENCE_MS);
    unsigned long long acked;
    int64_t silence;
    load_now(lab->load, &acked, &silence);
    assert_lost(lab, acked); // as the keys are gone
}

// One write was removed, another overwritten, and one added that was never acknowledged.
static void
test_lost_writes_are_found(void **state)
{
    struct lab *lab = *state;
    await_acked(lab, 600);
    load_stop(lab->load);
    assert_true(load_accepts(WORKER, &status, PREFIX ":2", 1000));
    assert_true(load_accepts(WORKER, &status, PREFIX ":257", 1000));
    assert_true(load_accepts(WORKER, &status, PREFIX ":1000000", 1000));
    assert_lost(lab, 2);
    size_t writes;
    const struct load_sample *write = load_writes(lab->load, &writes);
    for (size_t i = 0; i < writes; i++)
        assert_int_equal(write[i].lost, write[i].number == 2 || write[i].number == 257);
}

static void
test_all_is_lost(void **state)
{
    struct lab *lab = *state;
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *files = path_join(lab->folder, "appendonlydir");
    await_acked(lab, 50);
    load_stop(lab->load);
    server_end(&lab->redis);
    assert_ok(dir_remove(files, &err), &err);
    start_redis(lab, "");
    await_redis(WORKER);
    unsigned long long acked;
    int64_t silence;
    load_now(lab->load, &acked, &silence);
    assert_lost(lab, acked);
}

static void
test_killed_and_started_again(void **state)
{
    struct lab *lab = *state;
    await_acked(lab, 50);
    int64_t killed_ms = clock_ms();
    server_end(&lab->redis);
    await_silence(lab, 500);
    start_redis(lab, "");
    await_acked(lab, 50);
    // It refuses while it loads its file.
    assert_recorded(lab, ACKED | BROKEN, REFUSED);
    struct load_gap gap = write_outage(lab);
    assert_true(gap.to_ms - gap.from_ms >= 300);
    assert_true(gap.to_ms > killed_ms + 300);
    assert_lost(lab, 0);
}

static void
test_head_goes_away(void **state)
{
    struct lab *lab = *state;
    await_acked(lab, 50);
    server_end(&lab->haproxy);
    await_silence(lab, 300);
    start_haproxy(lab);
    await_acked(lab, 50);
    assert_recorded(lab, ACKED | BROKEN, 0);
    assert_true(write_outage(lab).to_ms > 0);
    assert_lost(lab, 0);
}

// A write without an answer is not repeated and not counted, though it may succeed later.
static void
test_stands_still(void **state)
{
    struct lab *lab = *state;
    ERROR_AUTO struct error err = {0};
    unsigned long long acked, lost;
    await_acked(lab, 50);
    kill(lab->redis, SIGSTOP);
    await_silence(lab, 1000);
    assert_error(
        load_verify(lab->load, WORKER, 100, &acked, &lost, &err), &err, ERR_TIMEOUT, WORKER);
    kill(lab->redis, SIGCONT);
    await_acked(lab, 50);
    assert_recorded(lab, ACKED | SILENT, 0);
    size_t writes;
    const struct load_sample *write = load_writes(lab->load, &writes);
    // The oldest waited until the timeout; the later ones were given up with it.
    size_t oldest = 0;
    while (write[oldest].outcome != LOAD_SILENT)
        oldest++;
    assert_true(write[oldest].ended_ms - write[oldest].sent_ms >= options.answer_ms);
    assert_true(write[oldest + 1].outcome == LOAD_SILENT);
    assert_true(load_pause(write, writes, 0, write[writes - 1].ended_ms) >= 1000);
    assert_lost(lab, 0);
}

// A client that is refused stays connected and keeps its rate.
static void
test_refused(void **state)
{
    struct lab *lab = *state;
    await_acked(lab, 50);
    server_end(&lab->redis);
    start_redis(lab, "replicaof 127.0.0.99 6379\n");
    poll(NULL, 0, 1000);
    server_end(&lab->redis);
    start_redis(lab, "");
    await_acked(lab, 50);
    assert_recorded(lab, ACKED | BROKEN | REFUSED, 0);
    assert_lost(lab, 0);
}

static void
test_wrong_password(void **state)
{
    struct lab *lab = *state;
    ERROR_AUTO struct error err = {0};
    LOAD_AUTO struct load *load = NULL;
    const struct probe_access wrong = {"status", "WrongPassword", "redis-primary"};
    struct load_options other = options;
    other.access = &wrong;
    assert_ok(load_start(&other, &load, &err), &err);
    await_acked(lab, 50); // of the other load
    load_stop(load);
    size_t writes;
    const struct load_sample *write = load_writes(load, &writes);
    assert_true(writes > 0);
    assert_int_equal(count(write, writes, LOAD_REFUSED), writes);
    assert_false(load_accepts(WORKER, &wrong, "airbuild:awaited", 1000));
    assert_false(load_accepts(WORKER, &status, "not-ours", 1000)); // NOPERM
}

// One connection carries far more than the limit of a single reply.
static void
test_goes_on(void **state)
{
    struct lab *lab = *state;
    ERROR_AUTO struct error err = {0};
    LOAD_AUTO struct load *load = NULL;
    struct load_options fast = options;
    unsigned long long acked = 0, lost;
    int64_t silence, end_ms = clock_ms() + PATIENCE_MS;
    fast.prefix = "airbuild:drill:fast";
    fast.writes_per_s = fast.reads_per_s = 20000;
    fast.answer_ms = 30000;
    load_stop(lab->load);
    assert_ok(load_start(&fast, &load, &err), &err);
    while (acked < 60000 && clock_left(end_ms) > 0) {
        poll(NULL, 0, 5);
        load_now(load, &acked, &silence);
    }
    load_stop(load);
    size_t writes, reads;
    const struct load_sample *write = load_writes(load, &writes), *read = load_reads(load, &reads);
    assert_true(writes >= 60000);
    assert_int_equal(count(write, writes, LOAD_ACKED), writes);
    assert_int_equal(count(read, reads, LOAD_ACKED), reads);
    assert_ok(load_verify(load, WORKER, PATIENCE_MS, &acked, &lost, &err), &err);
    assert_int_equal(acked, writes);
    assert_int_equal(lost, 0);
}

static int
enter(void **state)
{
    return netns_enter();
}

#define lab_test(name) cmocka_unit_test_setup_teardown(name, lab_up, lab_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        lab_test(test_all_is_well),
        lab_test(test_lost_writes_are_found),
        lab_test(test_all_is_lost),
        lab_test(test_killed_and_started_again),
        lab_test(test_head_goes_away),
        lab_test(test_stands_still),
        lab_test(test_refused),
        lab_test(test_wrong_password),
        lab_test(test_goes_on),
    };
    return cmocka_run_group_tests(tests, enter, NULL);
}
