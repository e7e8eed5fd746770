// test_probe_hostile.c - the probe against servers that are not redis: silence, garbage, endless
// and broken replies. It always returns by its deadline, leaks no descriptor, and its errors are
// printable.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/interrupt.h"
#include "fake_server.h"
#include "netns.h"
#include "probe/probe.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#define ADDRESS "127.0.0.21"
// Tolerance for a loaded machine. Without the deadline a connection takes two minutes to fail.
#define LATE_MS 20000
#define LONG_MS 30000 // for a script that ends by itself
#define SHORT_MS 150  // for one that does not

static int
start_servers(void **state)
{
    return netns_enter() == 0 && serve_on(ADDRESS, PROBE_REDIS_PORT) == 0 &&
                   serve_on(ADDRESS, PROBE_SENTINEL_PORT) == 0 &&
                   serve_on(ADDRESS, PROBE_WRITE_PORT) == 0
               ? 0
               : -1;
}

// ---- probing -------------------------------------------------------------------------------------

static const struct probe_access status = {"status", "secret", "redis-primary"};

// Probe a worker and a head at this address.
static void
ask(const char *address, int64_t deadline_ms, struct probe_result ret[2])
{
    const struct probe_target targets[2] = {
        {"work21", address, false, true}, {"head10", address, true, true}};
    ERROR_AUTO struct error err = {0};
    int64_t start = clock_ms();
    assert_ok(probe_cluster(targets, 2, &status, deadline_ms, ret, &err), &err);
    assert_true(clock_ms() - start < deadline_ms + LATE_MS);
}

static void
ask_script(const char *text, size_t length, enum manner manner, struct probe_result ret[2])
{
    script.text = text;
    script.length = length;
    script.manner = manner;
    bool ends = manner == THEN_CLOSE || manner == THEN_REPEAT;
    ask(ADDRESS, ends ? LONG_MS : SHORT_MS, ret);
    while (atomic_load(&serving) > 0)
        poll(NULL, 0, 1);
}

static void
assert_printable(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    assert_true(length < size);
    for (size_t i = 0; i < length; i++)
        assert_between((unsigned char) text[i], ' ', '~');
}

static void
assert_sane(const struct probe_result results[2])
{
    const struct probe_redis *redis = &results[0].redis;
    const struct probe_sentinel *sentinel = &results[0].sentinel;
    const struct probe_head *head = &results[1].head;
    assert_int_equal(redis->answered, redis->error[0] == '\0');
    assert_int_equal(sentinel->answered, sentinel->error[0] == '\0');
    assert_true(head->written || head->write_error[0] != '\0');
    assert_printable(redis->error, sizeof redis->error);
    assert_printable(redis->master, sizeof redis->master);
    assert_printable(redis->run_id, sizeof redis->run_id);
    assert_printable(sentinel->error, sizeof sentinel->error);
    assert_printable(sentinel->master, sizeof sentinel->master);
    assert_printable(sentinel->quorum_text, sizeof sentinel->quorum_text);
    assert_printable(head->write_error, sizeof head->write_error);
    assert_printable(head->read_error, sizeof head->read_error);
    assert_printable(head->writer_id, sizeof head->writer_id);
}

static size_t
open_descriptors(void)
{
    STRV_AUTO struct strv names = {0};
    ERROR_AUTO struct error err = {0};
    assert_ok(dir_list("/proc/self/fd", &names, &err), &err);
    return names.count;
}

// The servers close their connections a moment later.
static void
assert_descriptors(size_t wanted)
{
    int64_t end_ms = clock_ms() + LATE_MS;
    while (open_descriptors() != wanted && clock_left(end_ms) > 0)
        poll(NULL, 0, 5);
    assert_int_equal(open_descriptors(), wanted);
}

static const struct {
    const char *text;
    size_t length; // 0: of the text
    enum manner manner;
    const char *error; // of redis
} rows[] = {
    {"", 0, THEN_CLOSE, "the connection was"},
    {"", 0, THEN_HANG, "within 150 ms"},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", 0, THEN_CLOSE, "it does not speak redis' protocol"},
    {"SSH-2.0-OpenSSH_9.2\r\n", 0, THEN_CLOSE, "it does not speak redis' protocol"},
    {"\0\0\0\0\0\0", 6, THEN_CLOSE, "it does not speak redis' protocol"},
    {"\xff\xfe\x1b[31m", 0, THEN_CLOSE, "it does not speak redis' protocol"},
    // Half a reply.
    {"$4096\r\nredis_ver", 0, THEN_HANG, "within 150 ms"},
    {"$4096\r\nredis_ver", 0, THEN_CLOSE, "the connection was"},
    {"*2\r\n$1\r\na\r\n", 0, THEN_CLOSE, "the connection was"},
    {"$", 0, THEN_CLOSE, "the connection was"},
    {"+", 0, THEN_HANG, "within 150 ms"},
    // False lengths.
    {"$536870912\r\nx", 0, THEN_HANG, "within 150 ms"},
    {"$99999999999999999999\r\nx", 0, THEN_CLOSE, "it does not speak redis' protocol"},
    {"$-5\r\n", 0, THEN_CLOSE, "it does not speak redis' protocol"},
    {"*2147483647\r\n", 0, THEN_CLOSE, "its reply is larger than any of redis"},
    {"*4294967295\r\n", 0, THEN_CLOSE, "it"},
    {"*99999999999999999999\r\n", 0, THEN_CLOSE, "it does not speak redis' protocol"},
    {"*5000\r\n", 0, THEN_CLOSE, "its reply is larger than any of redis"},
    {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", 0, THEN_CLOSE, "it"},
    // Endless: the error depends on how much came at once.
    {"*1\r\n", 0, THEN_REPEAT, "it"},
    {"$1000000\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "x",
        0, THEN_REPEAT, "it"},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        0, THEN_REPEAT, "it"},
    {"+xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        0, THEN_REPEAT, "its reply is longer than any of redis"},
    {"+OK\r\n", 0, THEN_REPEAT, "it"},
    // Each kind of reply where another is expected (the first is to AUTH).
    {"+OK\r\n:1\r\n:1\r\n:1\r\n:1\r\n", 0, THEN_CLOSE, "its reply to INFO is not a text"},
    {"+OK\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n", 0, THEN_CLOSE, "its reply to INFO is not a text"},
    {"+OK\r\n*-1\r\n*-1\r\n*-1\r\n*-1\r\n", 0, THEN_CLOSE, "its reply to INFO is not a text"},
    {"+OK\r\n*0\r\n*0\r\n*0\r\n*0\r\n", 0, THEN_CLOSE, "its reply to INFO is not a text"},
    {"+OK\r\n*2\r\n:1\r\n*-1\r\n*2\r\n:1\r\n*-1\r\n:1\r\n:1\r\n", 0, THEN_CLOSE,
        "its reply to INFO is not a text"},
    {"+OK\r\n-ERR \x1b[31m red\x07 \xc3\xa4\r\n", 0, THEN_CLOSE, "ERR ?[31m red? ??"},
    {"-WRONGPASS invalid\r\n", 0, THEN_CLOSE, "WRONGPASS invalid"},
    {"-\r\n", 0, THEN_CLOSE, "it refuses without a reason"},
};

static void
test_rows(void **state)
{
    size_t before = open_descriptors();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct probe_result results[2];
        size_t length = rows[i].length == 0 ? strlen(rows[i].text) : rows[i].length;
        ask_script(rows[i].text, length, rows[i].manner, results);
        print_message("# row %zu: redis: %s; sentinel: %s; head: %s; %s\n", i,
            results[0].redis.error, results[0].sentinel.error, results[1].head.write_error,
            results[1].head.read_error);
        assert_false(results[0].redis.answered);
        assert_contains(results[0].redis.error, rows[i].error);
        assert_sane(results);
    }
    assert_descriptors(before);
}

// ---- values -------------------------------------------------------------------------------------

// Reply to AUTH, INFO and TIME with this INFO, then close the connection.
static void
ask_info(const char *info, struct probe_result ret[2])
{
    FREE_AUTO char *text = str_format("+OK\r\n$%zu\r\n%s\r\n-NOPERM\r\n", strlen(info), info);
    ask_script(text, strlen(text), THEN_CLOSE, ret);
    assert_sane(ret);
}

static void
test_info(void **state)
{
    struct probe_result results[2];
    const struct probe_redis *redis = &results[0].redis;
    ask_info(
        "# Server\r\nredis_version:7.0.15\r\nrun_id:0123456789012345678901234567890123456789\r\n"
        "uptime_in_seconds:77\r\nloading:1\r\nrole:slave\r\nmaster_host:172.31.255.11\r\n"
        "master_link_status:up\r\nmaster_last_io_seconds_ago:3\r\nmaster_sync_in_progress:0\r\n"
        "slave_repl_offset:4711\r\nmaster_repl_offset:1\r\nconnected_slaves:9\r\n",
        results);
    assert_true(redis->answered && redis->loading && redis->link_up && !redis->syncing);
    assert_int_equal(redis->role, PROBE_REPLICA);
    assert_string_equal(redis->master, "172.31.255.11");
    assert_string_equal(redis->run_id, "0123456789012345678901234567890123456789");
    assert_int_equal(redis->link_idle_s, 3);
    ask_info("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.3\r\nrole:master\r\n"
             "connected_slaves:2\r\nmaster_repl_offset:12\r\n",
        results);
    assert_int_equal(redis->role, PROBE_MASTER);
    assert_int_equal(redis->link_idle_s, -1);
}

static void
test_odd_info(void **state)
{
    struct probe_result results[2];
    const struct probe_redis *redis = &results[0].redis;
    ask_info("", results);
    assert_true(redis->answered);
    assert_int_equal(redis->role, PROBE_ROLE_UNKNOWN);
    ask_info("xrole:master\r\nrole :master\r\nrole:masters\r\n", results);
    assert_int_equal(redis->role, PROBE_ROLE_UNKNOWN);
    ask_info("role:slave\nmaster_link_status:up\nmaster_last_io_seconds_ago:99999999999999999999\n"
             "master_sync_in_progress:x",
        results);
    assert_int_equal(redis->role, PROBE_REPLICA);
    assert_int_equal(redis->link_idle_s, -1);
    assert_false(redis->syncing);
    ask_info(
        "role:master\nrun_id:\x1b]0;title\x07\xff and much more of it than there is room for in "
        "here, far more",
        results);
    assert_string_equal(redis->run_id, "?]0;title?? and much more of it than the");
}

// ---- mutations of real conversations ------------------------------------------------------------

static const char *const seeds[] = {
    "+OK\r\n$37\r\nrole:slave\r\nmaster_host:172.31.255.11\r\n\r\n",
    "+OK\r\n*2\r\n$13\r\n172.31.255.11\r\n$4\r\n6379\r\n*4\r\n$5\r\nflags\r\n$6\r\nmaster\r\n"
    "$19\r\nnum-other-sentinels\r\n$1\r\n2\r\n+OK 3 usable "
    "Sentinels.\r\n$15\r\nsentinel_tilt:0\r\n",
    "+OK\r\n$45\r\nrun_id:0123456789012345678901234567890123456789\r\n+OK\r\n$3\r\nabc\r\n",
};

static void
test_mutations(void **state)
{
    static const char spice[] = "$*+-:\r\n0123456789\x00\xff_#,(=%~>|";
    size_t before = open_descriptors();
    srand(20261122);
    for (unsigned round = 0; round < 600; round++) {
        const char *seed = seeds[round % 3];
        FREE_AUTO char *text = str_dup(seed);
        size_t length = strlen(seed);
        for (int i = rand() % 6; i >= 0; i--)
            text[(size_t) rand() % length] = spice[(size_t) rand() % (sizeof spice - 1)];
        if (round % 4 == 0)
            length = (size_t) rand() % length;
        struct probe_result results[2];
        ask_script(text, length, THEN_CLOSE, results);
        assert_sane(results);
    }
    assert_descriptors(before);
}

// ---- deadlines ----------------------------------------------------------------------------------

static void
test_byte_by_byte(void **state)
{
    static char text[20000];
    struct probe_result results[2];
    memset(text, 'x', sizeof text);
    memcpy(text, "+OK\r\n$19900\r\n", 13);
    ask_script(text, sizeof text, BYTE_BY_BYTE, results);
    assert_contains(results[0].redis.error, "within 150 ms");
}

static void
test_black_hole(void **state)
{
    struct probe_result results[2];
    ask(NETNS_HOLE, SHORT_MS, results);
    assert_string_equal(results[0].redis.error, "no connection within 150 ms");
    assert_string_equal(results[0].sentinel.error, "no connection within 150 ms");
    assert_string_equal(results[1].head.write_error, "no connection within 150 ms");
    assert_string_equal(results[1].head.read_error, "no connection within 150 ms");
    assert_int_equal(results[1].head.writer, -1);
}

static void
test_refused(void **state)
{
    struct probe_result results[2];
    ask("127.0.0.99", LONG_MS, results);
    assert_string_equal(results[0].redis.error, "connection refused");
    assert_string_equal(results[1].head.read_error, "connection refused");
}

static void
test_no_route(void **state)
{
    struct probe_result results[2];
    ask("198.51.100.1", LONG_MS, results);
    assert_string_equal(results[0].redis.error, "no route to it");
}

static void
test_no_address(void **state)
{
    struct probe_result results[2];
    ask("head10", LONG_MS, results);
    assert_string_equal(results[0].redis.error, "'head10' is not an IPv4 address");
}

// Nodes that do not answer cost the others only time, however many there are.
static void
test_many_at_once(void **state)
{
    struct probe_target targets[40];
    struct probe_result results[40];
    ERROR_AUTO struct error err = {0};
    for (size_t i = 0; i < 40; i++)
        targets[i] =
            (struct probe_target){"w", i % 2 == 0 ? NETNS_HOLE : "127.0.0.99", false, i < 39};
    int64_t start = clock_ms();
    assert_ok(probe_cluster(targets, 40, &status, SHORT_MS, results, &err), &err);
    assert_true(clock_ms() - start < SHORT_MS + LATE_MS);
    assert_string_equal(results[38].redis.error, "no connection within 150 ms");
    assert_string_equal(results[37].redis.error, "connection refused");
    assert_string_equal(results[39].redis.error, "its domain does not run");
}

static void
test_none(void **state)
{
    ERROR_AUTO struct error err = {0};
    assert_ok(probe_cluster(NULL, 0, &status, LONG_MS, NULL, &err), &err);
}

// ---- interruption -------------------------------------------------------------------------------

static int
interrupted_probe(int ready)
{
    const struct probe_target target = {"work21", NETNS_HOLE, false, true};
    struct probe_result result;
    ERROR_AUTO struct error err = {0};
    if (interrupt_install(&err) < 0 || write(ready, "", 1) != 1)
        return 2;
    int answer = probe_cluster(&target, 1, &status, 600000, &result, &err);
    return answer == -1 && err.code == ERR_INTERRUPTED ? 0 : 1;
}

// In a child, as an interruption is never reset.
static void
test_interrupted(void **state)
{
    int ended, ready[2];
    char byte;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(interrupted_probe(ready[1]));
    assert_int_equal(read(ready[0], &byte, 1), 1);
    poll(NULL, 0, 50);
    kill(child, SIGINT);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), 0);
    close(ready[0]);
    close(ready[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_odd_info),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_black_hole),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_route),
        cmocka_unit_test(test_no_address),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_interrupted),
    };
    return cmocka_run_group_tests_name("probe hostile", tests, start_servers, NULL);
}
