// test_virt_agent.c - programs run by the guest agent: the JSON of both sides, base64 output, and a
// hypervisor without agents. The drills test a real agent.
// SPDX-License-Identifier: Apache-2.0
#include "virt_bench.h"

#include "base/cleanup.h"
#include "virt/agent.h"

static void
test_commands(void **state)
{
    const char *const argv[] = {"/usr/bin/env", "A=\"b\"", "", NULL};
    FREE_AUTO char *exec = agent_exec(argv), *status = agent_exec_status(4711);
    assert_string_equal(exec,
        "{\"execute\": \"guest-exec\", \"arguments\": {\"path\": \"/usr/bin/env\", "
        "\"arg\": [\"A=\\\"b\\\"\", \"\"], \"capture-output\": true}}");
    assert_string_equal(
        status, "{\"execute\": \"guest-exec-status\", \"arguments\": {\"pid\": 4711}}");
}

static void
test_started(void **state)
{
    ERROR_AUTO struct error err = {0};
    long long pid = 0;
    assert_ok(agent_started("{\"return\":{\"pid\":912}}", &pid, &err), &err);
    assert_int_equal(pid, 912);
    static const char *const wrong[] = {"", "null", "[]", "{", "{\"return\":{}}",
        "{\"return\":{\"pid\":\"912\"}}", "{\"return\":{\"pid\":0}}",
        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_error(
            agent_started(wrong[i], &pid, &err), &err, ERR_GUEST, "sent an unexpected answer");
}

static void
test_still_running(void **state)
{
    ERROR_AUTO struct error err = {0};
    bool ended = true;
    int status = 77;
    char *output = NULL;
    assert_ok(agent_ended("{\"return\":{\"exited\":false}}", &ended, &status, &output, &err), &err);
    assert_false(ended);
    assert_int_equal(status, 77);
    assert_null(output);
}

static void
assert_ends(const char *answer, int status, const char *text)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *output = NULL;
    bool ended = false;
    int seen = -1;
    assert_ok(agent_ended(answer, &ended, &seen, &output, &err), &err);
    assert_true(ended);
    assert_int_equal(seen, status);
    assert_string_equal(output, text);
    assert_ok(agent_ended(answer, &ended, &seen, NULL, &err), &err);
}

static void
test_ended(void **state)
{
    assert_ends("{\"return\":{\"exitcode\":0,\"exited\":true}}", 0, "");
    assert_ends("{\"return\":{\"exitcode\":3,\"out-data\":\"YQ==\",\"exited\":true}}", 3, "a");
    assert_ends("{\"return\":{\"exitcode\":0,\"out-data\":\"YWI=\",\"exited\":true}}", 0, "ab");
    assert_ends("{\"return\":{\"exitcode\":0,\"out-data\":\"YWJj\",\"exited\":true}}", 0, "abc");
    assert_ends(
        "{\"return\":{\"exitcode\":0,\"out-data\":\"+/+/\",\"exited\":true}}", 0, "\xfb\xff\xbf");
    assert_ends("{\"return\":{\"signal\":9,\"out-data\":\"b3V0Cg==\",\"err-data\":\"ZXJyCg==\","
                "\"exited\":true}}",
        128 + 9, "out\nerr\n");
    // Output that is not base64 is ignored.
    assert_ends("{\"return\":{\"exitcode\":0,\"out-data\":\"*\",\"err-data\":\"YWJj\","
                "\"exited\":true}}",
        0, "abc");
    assert_ends("{\"return\":{\"exitcode\":0,\"out-data\":7,\"exited\":true}}", 0, "");
}

static void
test_not_understood(void **state)
{
    static const char *const wrong[] = {"", "{\"return\":", "{\"return\":{}}", "{\"return\":[]}",
        "{\"return\":{\"exited\":true},\"return\":{}}"};
    ERROR_AUTO struct error err = {0};
    bool ended;
    int status;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_error(agent_ended(wrong[i], &ended, &status, NULL, &err), &err, ERR_GUEST,
            "sent an unexpected answer");
}

static void
test_output_is_bounded(void **state)
{
    BUF_AUTO struct buf answer = {0};
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *output = NULL;
    bool ended;
    int status;
    buf_add(&answer,
        "{\"return\":{\"exited\":true,\"exitcode\":0,\"err-data\":\"YWJj\",\"out-data\":\"");
    for (size_t i = 0; i < AGENT_OUTPUT_MAX; i++)
        buf_add(&answer, "YWJj");
    buf_add(&answer, "\"}}");
    assert_ok(agent_ended(answer.data, &ended, &status, &output, &err), &err);
    assert_in_range(strlen(output), AGENT_OUTPUT_MAX - 2, AGENT_OUTPUT_MAX);
}

// The domains of libvirt's test driver have no agent.
static void
test_without_an_agent(void **state)
{
    struct bench *bench = *state;
    struct error *err = &bench->err;
    const char *const argv[] = {"/bin/true", NULL};
    int status;
    start(bench, "work11");
    assert_error(virt_agent_run(bench->virt, "air", "work11", argv, 5000, &status, NULL, err), err,
        ERR_GUEST, "the guest agent of 'work11'");
    assert_error(virt_agent_run(bench->virt, "air", "test", argv, 5000, &status, NULL, err), err,
        ERR_CONFLICT, "'test'");
    assert_error(virt_agent_run(bench->virt, "air", "work12", argv, 5000, &status, NULL, err), err,
        ERR_NOT_FOUND, "'work12'");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_started),
        cmocka_unit_test(test_still_running),
        cmocka_unit_test(test_ended),
        cmocka_unit_test(test_not_understood),
        cmocka_unit_test(test_output_is_bounded),
        bench_test(test_without_an_agent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
