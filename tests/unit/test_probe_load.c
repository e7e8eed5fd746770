// test_probe_load.c - the clients of a load: evaluation of samples, and faulty servers. Real
// servers are in test_live_load.c.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "fake_server.h"
#include "netns.h"
#include "probe/load.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PATIENCE_MS 60000

// ---- outage and pause -----------------------------------------------------------------------------

static void
assert_outage(const struct load_sample *samples, size_t count, int64_t from, int64_t to,
    int64_t expected_from, int64_t expected_to)
{
    struct load_gap gap = load_outage(samples, count, from, to);
    assert_int_equal(gap.from_ms, expected_from);
    assert_int_equal(gap.to_ms, expected_to);
}

static void
test_outage(void **state)
{
    static const struct load_sample samples[] = {
        {100, 101, LOAD_ACKED, 1, false},
        {104, 1104, LOAD_SILENT, 2, false},
        {1124, 1125, LOAD_BROKEN, 3, false},
        {1145, 1146, LOAD_REFUSED, 4, false},
        {1150, 1155, LOAD_ACKED, 5, false},
        {1160, 1161, LOAD_BROKEN, 6, false},
        {1181, 1182, LOAD_ACKED, 7, false},
        {1190, 1191, LOAD_BROKEN, 8, false},
    };
    assert_outage(samples, COUNT(samples), 0, 2000, 104, 1155);
    // The write in flight during the fault counts from its start.
    assert_outage(samples, COUNT(samples), 600, 2000, 104, 1155);
    // An outage before the window does not count; one that goes on lasts to the window's end.
    assert_outage(samples, COUNT(samples), 1156, 1200, 1160, 1182);
    assert_outage(samples, COUNT(samples), 1156, 3000, 1190, 3000);
    assert_outage(samples, COUNT(samples), 0, 1120, 104, 1120);
    assert_outage(samples, COUNT(samples), 1150, 1158, 0, 0);
    assert_outage(samples, 1, 0, 2000, 0, 0);
    assert_outage(NULL, 0, 0, 2000, 0, 0);
}

static void
test_pause(void **state)
{
    static const struct load_sample samples[] = {
        {100, 110, LOAD_ACKED, 1, false},
        {120, 130, LOAD_ACKED, 2, false},
        {140, 300, LOAD_ACKED, 3, false},
        {310, 311, LOAD_REFUSED, 4, false},
        {320, 330, LOAD_ACKED, 5, false},
    };
    // From the acknowledgement before the window to the first in it, then to its end.
    assert_int_equal(load_pause(samples, COUNT(samples), 200, 400), 300 - 130);
    assert_int_equal(load_pause(samples, COUNT(samples), 300, 340), 30);
    assert_int_equal(load_pause(samples, COUNT(samples), 300, 9000), 9000 - 330);
    // What comes after the window does not count, nor the time before the first acknowledgement.
    assert_int_equal(load_pause(samples, COUNT(samples), 0, 135), 20);
    assert_int_equal(load_pause(samples, COUNT(samples), 0, 250), 250 - 130);
    assert_int_equal(load_pause(samples, COUNT(samples), 0, 50), 50);
    assert_int_equal(load_pause(NULL, 0, 100, 350), 250);
}

// ---- servers --------------------------------------------------------------------------------------

// The outcome of the load's first attempts at address, which must all be the same.
static void
assert_outcome(const char *address, const char *password, enum load_outcome expected)
{
    ERROR_AUTO struct error err = {0};
    LOAD_AUTO struct load *load = NULL;
    const struct probe_access access = {.user = "status", .password = password};
    const struct load_options options = {
        .address = address,
        .access = &access,
        .prefix = "airbuild:drill:test",
        .writes_per_s = 200,
        .reads_per_s = 200,
        .answer_ms = 150,
        .reconnect_ms = 1,
    };
    assert_ok(load_start(&options, &load, &err), &err);
    poll(NULL, 0, 400);
    load_stop(load);
    size_t writes, reads;
    const struct load_sample *write = load_writes(load, &writes), *read = load_reads(load, &reads);
    assert_true(writes > 0 && reads > 0);
    for (size_t i = 0; i < writes; i++) {
        assert_int_equal(write[i].number, i + 1);
        assert_int_equal(write[i].outcome, expected);
        assert_true(write[i].ended_ms >= write[i].sent_ms);
        assert_true(i == 0 || (write[i].sent_ms >= write[i - 1].sent_ms &&
                                  write[i].ended_ms >= write[i - 1].ended_ms));
    }
    for (size_t i = 0; i < reads; i++) {
        assert_int_equal(read[i].number, 0);
        assert_int_equal(read[i].outcome, expected);
    }
    unsigned long long acked;
    int64_t silence;
    load_now(load, &acked, &silence);
    assert_int_equal(acked, 0);
    assert_true(silence >= 0);
}

static void
test_nobody_listens(void **state)
{
    assert_outcome("127.0.0.77", NULL, LOAD_BROKEN);
    assert_outcome("127.0.0.77", "secret", LOAD_BROKEN);
    assert_outcome("192.0.2.1", NULL, LOAD_BROKEN); // no route
    assert_outcome(NETNS_HOLE, NULL, LOAD_BROKEN);  // packets vanish
}

static void
set_script(const char *text, enum manner manner)
{
    while (atomic_load(&serving) > 0)
        poll(NULL, 0, 1);
    script.text = text;
    script.length = strlen(text);
    script.manner = manner;
}

static void
test_servers_that_do_not_do_it(void **state)
{
    set_script("", THEN_HANG);
    assert_outcome("127.0.0.20", NULL, LOAD_SILENT);
    assert_outcome("127.0.0.20", "secret", LOAD_SILENT);
    set_script("$1000\r\nnever whole", THEN_HANG);
    assert_outcome("127.0.0.20", NULL, LOAD_SILENT);
    set_script("", THEN_CLOSE);
    assert_outcome("127.0.0.20", NULL, LOAD_BROKEN);
    set_script("HTTP/1.1 400 Bad Request\r\n\r\n", THEN_CLOSE);
    assert_outcome("127.0.0.20", NULL, LOAD_BROKEN);
    set_script("*3\r\n:1\r\n:2\r\n:3\r\n", THEN_CLOSE);
    assert_outcome("127.0.0.20", "secret", LOAD_BROKEN);
    set_script("-WRONGPASS invalid username-password pair\r\n", THEN_HANG);
    assert_outcome("127.0.0.20", "secret", LOAD_REFUSED);
}

static void
test_verify_where_nobody_answers(void **state)
{
    ERROR_AUTO struct error err = {0};
    LOAD_AUTO struct load *load = NULL;
    const struct probe_access access = {.user = "status", .password = "secret"};
    const struct load_options options = {.address = "127.0.0.20",
        .access = &access,
        .prefix = "airbuild:drill:test",
        .writes_per_s = 100,
        .reads_per_s = 100,
        .answer_ms = 300,
        .reconnect_ms = 1};
    unsigned long long acked, lost;
    int64_t silence;
    set_script("+OK\r\n", THEN_REPEAT); // to every command
    assert_ok(load_start(&options, &load, &err), &err);
    int64_t end_ms = clock_ms() + PATIENCE_MS;
    do {
        poll(NULL, 0, 1);
        load_now(load, &acked, &silence);
    } while (acked == 0 && clock_left(end_ms) > 0);
    load_stop(load);
    assert_true(acked > 0);
    assert_error(load_verify(load, "127.0.0.77", 5000, &acked, &lost, &err), &err, ERR_FAILED,
        "'127.0.0.77': connection refused");
    assert_error(
        load_verify(load, NETNS_HOLE, 200, &acked, &lost, &err), &err, ERR_TIMEOUT, NETNS_HOLE);
    set_script("-WRONGPASS no\r\n", THEN_HANG);
    assert_error(load_verify(load, "127.0.0.20", 5000, &acked, &lost, &err), &err, ERR_FAILED,
        "WRONGPASS no");
    set_script("+OK\r\n-NOPERM no\r\n", THEN_HANG);
    assert_error(
        load_verify(load, "127.0.0.20", 5000, &acked, &lost, &err), &err, ERR_FAILED, "NOPERM no");
    set_script("+OK\r\n", THEN_HANG);
    assert_error(load_verify(load, "127.0.0.20", 200, &acked, &lost, &err), &err, ERR_TIMEOUT,
        "'127.0.0.20'");
    load_forget(load, "127.0.0.77", 5000);
    load_forget(load, NETNS_HOLE, 100);
    load_forget(load, "127.0.0.20", 100);
    assert_false(load_accepts("127.0.0.77", &access, "airbuild:drill:twin", 5000));
    assert_false(load_accepts("127.0.0.20", &access, "airbuild:drill:twin", 200));
}

static int
setup(void **state)
{
    return netns_enter() == 0 && serve_on("127.0.0.20", 6379) == 0 &&
                   serve_on("127.0.0.20", 6380) == 0
               ? 0
               : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_servers_that_do_not_do_it),
        cmocka_unit_test(test_verify_where_nobody_answers),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
