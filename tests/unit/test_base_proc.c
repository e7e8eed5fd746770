// test_base_proc.c - child processes: output, input, environment, deadlines, process groups.
// Signals are in test_base_clock.c.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/proc.h"

#include <signal.h>
#include <unistd.h>

static const struct proc_options plain = {.timeout_ms = 60000};

static int
shell(const char *script, const struct proc_options *options, struct proc_result *result,
    struct error *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    return proc_run(argv, options, result, err);
}

static void
test_outputs_and_status(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    assert_ok(shell("echo out; echo problem >&2; exit 3", &plain, &result, &err), &err);
    assert_int_equal(result.status, 3);
    assert_string_equal(result.output.data, "out\n");
    assert_string_equal(result.errors.data, "problem\n");
    assert_ok(shell("kill -SEGV $$", &plain, &result, &err), &err);
    assert_int_equal(result.status, 128 + SIGSEGV);
    assert_int_equal(result.output.length, 0);
    assert_ok(shell("echo unheard", &plain, NULL, &err), &err);
}

static void
test_arguments_are_no_shell_text(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    const char *const argv[] = {"printf", "%s|", "$(id)", "a b", "'\"", NULL};
    assert_ok(proc_run(argv, &plain, &result, &err), &err);
    assert_string_equal(result.output.data, "$(id)|a b|'\"|");
}

static void
test_no_input_and_large_output(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    const char *const argv[] = {"cat", NULL};
    FREE_AUTO char *large = mem_zero(3 * 1000 * 1000 + 1, 1);
    memset(large, 'x', 3 * 1000 * 1000);
    struct proc_options options = {.timeout_ms = 60000, .output_max = 4000000};
    assert_ok(shell("head -c 3000000 /dev/zero | tr '\\0' x", &options, &result, &err), &err);
    assert_int_equal(result.output.length, 3 * 1000 * 1000);
    assert_string_equal(result.output.data, large);
    assert_ok(proc_run(argv, &plain, &result, &err), &err);
    assert_int_equal(result.output.length, 0);
}

static void
test_environment_is_added_and_replaced(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    const char *const env[] = {"AIRBUILD_ONE=new", "AIRBUILD_TWO=b=c", NULL};
    struct proc_options options = {.timeout_ms = 60000, .env = env};
    setenv("AIRBUILD_ONE", "old", 1);
    setenv("AIRBUILD_ONE_MORE", "stays", 1);
    assert_ok(
        shell("echo $AIRBUILD_ONE $AIRBUILD_TWO $AIRBUILD_ONE_MORE; env | grep -c ^AIRBUILD_ONE=",
            &options, &result, &err),
        &err);
    assert_string_equal(result.output.data, "new b=c stays\n1\n");
    assert_string_equal(getenv("AIRBUILD_ONE"), "old");
    unsetenv("AIRBUILD_ONE");
    unsetenv("AIRBUILD_ONE_MORE");
}

static void
test_programs_speak_english(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    const char *const env[] = {"LC_ALL=tlh", NULL};
    struct proc_options own = {.timeout_ms = 60000, .env = env};
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    setenv("LANGUAGE", "de:fr", 1);
    const char *look = "echo $LC_ALL ${LANGUAGE-none}; env | grep -c '^LC_ALL='";
    assert_ok(shell(look, &plain, &result, &err), &err);
    assert_string_equal(result.output.data, "C.UTF-8\n1\n");
    assert_ok(shell(look, &own, &result, &err), &err);
    assert_string_equal(result.output.data, "tlh\n1\n");
    assert_string_equal(getenv("LC_ALL"), "de_DE.UTF-8");
    unsetenv("LC_ALL");
    unsetenv("LANGUAGE");
}

static void
test_only_the_last_output_is_kept(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    struct proc_options options = {.timeout_ms = 60000, .output_max = 6};
    assert_ok(shell("seq 1 100000; seq 5 9 >&2", &options, &result, &err), &err);
    assert_string_equal(result.output.data, "00000\n");
    assert_string_equal(result.errors.data, "7\n8\n9\n");
}

static void
note_line(void *context, const char *line)
{
    strv_add(context, line);
}

static void
test_lines_as_they_come(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv lines = {0};
    struct proc_options options = {.timeout_ms = 60000, .line = note_line, .context = &lines};
    assert_ok(shell("printf 'one\\n\\ntw'; printf 'o\\nrest'", &options, NULL, &err), &err);
    FREE_AUTO char *joined = strv_join(&lines, "|");
    assert_string_equal(joined, "one||two|rest");
}

static void
test_endless_line_is_told_in_pieces(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv lines = {0};
    struct proc_options options = {.timeout_ms = 60000, .line = note_line, .context = &lines};
    assert_ok(shell("head -c 300000 /dev/zero | tr '\\0' x", &options, NULL, &err), &err);
    size_t total = 0;
    for (size_t i = 0; i < lines.count; i++)
        total += strlen(lines.items[i]);
    assert_true(lines.count > 2);
    assert_int_equal(total, 300000);
}

static void
test_no_such_program(void **state)
{
    ERROR_AUTO struct error err = {0};
    const char *const argv[] = {"airbuild-no-such-program", NULL};
    const char *const by_path[] = {"/nowhere/sh", NULL};
    assert_error(proc_run(argv, &plain, NULL, &err), &err, ERR_MISSING, argv[0]);
    assert_error(proc_check(by_path, &plain, NULL, &err), &err, ERR_MISSING, "/nowhere/sh");
    assert_error(proc_exec(argv, &err), &err, ERR_MISSING, argv[0]);
}

static void
test_deadline_is_asked_for(void **state)
{
    ERROR_AUTO struct error err = {0};
    struct proc_options options = {0};
    assert_error(shell("true", &options, NULL, &err), &err, ERR_FAILED, "has no timeout set");
}

static pid_t
pid_in(const struct buf *text)
{
    assert_non_null(text->data);
    long pid = strtol(text->data, NULL, 10);
    assert_true(pid > 1);
    return (pid_t) pid;
}

// Gone, or a zombie that its new parent has not reaped; kill(2) of a zombie succeeds.
static bool
is_dead(pid_t pid)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = str_format("/proc/%ld/stat", (long) pid);
    FREE_AUTO char *text = NULL;
    if (file_read(path, 4096, &text, NULL, &err) < 0)
        return true;
    return strstr(text, ") Z ") != NULL;
}

static void
assert_dies(pid_t pid)
{
    for (int i = 0; i < 500 && !is_dead(pid); i++)
        usleep(10000);
    assert_true(is_dead(pid));
}

static void
test_timeout_ends_the_whole_group(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    struct proc_options options = {.timeout_ms = 700};
    const char *script = "sleep 600 & echo $!; wait";
    assert_error(shell(script, &options, &result, &err), &err, ERR_TIMEOUT, "'sh' timed out");
    assert_dies(pid_in(&result.output));
}

static void
test_timeout_kills_what_ignores_term(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    struct proc_options options = {.timeout_ms = 700};
    const char *script = "trap '' TERM; sleep 600 & echo $!; while :; do wait; sleep 1; done";
    assert_error(shell(script, &options, &result, &err), &err, ERR_TIMEOUT, "timed out");
    assert_int_equal(result.status, 128 + SIGKILL);
    assert_dies(pid_in(&result.output));
}

static void
test_term_lets_it_clean_up(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *mark = path_join(*state, "cleaned");
    FREE_AUTO char *script = str_format("trap 'touch %s; exit 0' TERM; sleep 600 & wait", mark);
    struct proc_options options = {.timeout_ms = 700};
    assert_error(shell(script, &options, NULL, &err), &err, ERR_TIMEOUT, "timed out");
    assert_true(file_exists(mark));
}

// A daemon keeps its parent's pipes open: the run ends with the parent and has its output.
static void
test_background_process_does_not_hold_us(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    assert_ok(shell("sleep 600 & echo $!", &plain, &result, &err), &err);
    pid_t pid = pid_in(&result.output);
    assert_false(is_dead(pid));
    kill(pid, SIGKILL);
}

static void
test_background_writer_does_not_hold_us(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    assert_ok(shell("yes & echo $! >&2", &plain, &result, &err), &err);
    kill(pid_in(&result.errors), SIGKILL);
}

static void
test_child_that_closes_its_outputs_is_awaited(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    assert_ok(shell("exec >&- 2>&-; sleep 0.3; exit 5", &plain, &result, &err), &err);
    assert_int_equal(result.status, 5);
}

static unsigned long long
mask_in(const char *text, const char *name)
{
    const char *found = strstr(text, name);
    assert_non_null(found);
    return strtoull(found + strlen(name), NULL, 16) & 0x7fffffff; // 32 and 33 are the C library's
}

static void
test_child_starts_with_fresh_signals_and_few_files(void **state)
{
    ERROR_AUTO struct error err = {0};
    PROC_RESULT_AUTO struct proc_result result = {0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGINT, SIG_IGN);
    int answer = shell("cat /proc/self/status; ls /proc/self/fd", &plain, &result, &err);
    signal(SIGINT, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    assert_ok(answer, &err);
    assert_int_equal(mask_in(result.output.data, "SigBlk:"), 0);
    assert_int_equal(mask_in(result.output.data, "SigIgn:"), 0);
    assert_true(str_ends(result.output.data, "\n0\n1\n2\n3\n")); // 3 is ls's own
}

static void
test_check_tells_the_last_line(void **state)
{
    ERROR_AUTO struct error err = {0};
    const char *const bad[] = {"sh", "-c", "echo one >&2; echo two >&2; echo >&2; exit 9", NULL};
    const char *const mute[] = {"false", NULL};
    const char *const good[] = {"true", NULL};
    assert_error(proc_check(bad, &plain, NULL, &err), &err, ERR_FAILED, "status 9: two");
    assert_error(proc_check(mute, &plain, NULL, &err), &err, ERR_FAILED, "no error output");
    assert_ok(proc_check(good, &plain, NULL, &err), &err);
}

static void
test_check_knows_a_full_disk(void **state)
{
    ERROR_AUTO struct error err = {0};
    const char *const full[] = {"dd", "if=/dev/zero", "of=/dev/full", "count=1", NULL};
    assert_error(proc_check(full, &plain, NULL, &err), &err, ERR_SPACE, "free some space");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs_and_status),
        cmocka_unit_test(test_arguments_are_no_shell_text),
        cmocka_unit_test(test_no_input_and_large_output),
        cmocka_unit_test(test_environment_is_added_and_replaced),
        cmocka_unit_test(test_programs_speak_english),
        cmocka_unit_test(test_only_the_last_output_is_kept),
        cmocka_unit_test(test_lines_as_they_come),
        cmocka_unit_test(test_endless_line_is_told_in_pieces),
        cmocka_unit_test(test_no_such_program),
        cmocka_unit_test(test_deadline_is_asked_for),
        cmocka_unit_test(test_timeout_ends_the_whole_group),
        cmocka_unit_test(test_timeout_kills_what_ignores_term),
        scratch_test(test_term_lets_it_clean_up),
        cmocka_unit_test(test_background_process_does_not_hold_us),
        cmocka_unit_test(test_background_writer_does_not_hold_us),
        cmocka_unit_test(test_child_that_closes_its_outputs_is_awaited),
        cmocka_unit_test(test_child_starts_with_fresh_signals_and_few_files),
        cmocka_unit_test(test_check_tells_the_last_line),
        cmocka_unit_test(test_check_knows_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
