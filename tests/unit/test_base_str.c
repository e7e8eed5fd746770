// test_base_str.c - strings, buffers, lists; hostile sizes included.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"

#include <limits.h>
#include <sys/wait.h>

static void
test_copies(void **state)
{
    assert_null(str_dup(NULL));
    FREE_AUTO char *part = str_ndup("haproxy", 2);
    assert_string_equal(part, "ha");
    FREE_AUTO char *empty = str_ndup(NULL, 0);
    assert_string_equal(empty, "");
    FREE_AUTO char *text = str_format("%s%d", "work", 11);
    assert_string_equal(text, "work11");
}

static void
test_questions(void **state)
{
    assert_true(str_equal(NULL, NULL));
    assert_false(str_equal(NULL, ""));
    assert_true(str_equal("a", "a"));
    assert_true(str_starts("work11", "work"));
    assert_false(str_starts("wo", "work"));
    assert_true(str_ends("x.qcow2", ".qcow2"));
    assert_false(str_ends("2", ".qcow2"));
}

static void
test_distance(void **state)
{
    assert_int_equal(str_distance("", ""), 0);
    assert_int_equal(str_distance("", "abc"), 3);
    assert_int_equal(str_distance("kitten", "sitting"), 3);
    assert_int_equal(str_distance("flaw", "lawn"), 2);
}

static void
test_nearest(void **state)
{
    static const char *const names[] = {"network", "nodes", "redis", "base", NULL};
    assert_string_equal(str_nearest("netwrk", names), "network");
    assert_string_equal(str_nearest("node", names), "nodes");
    assert_string_equal(str_nearest("bsae", names), "base");
    assert_null(str_nearest("haproxy", names));
    assert_null(str_nearest("x", names));
    assert_null(str_nearest("", names));
}

static void
test_nearest_of_a_huge_word_is_quick(void **state)
{
    static const char *const names[] = {"network", NULL};
    FREE_AUTO char *word = mem_zero(50 * 1000 * 1000 + 1, 1);
    memset(word, 'n', 50 * 1000 * 1000);
    assert_null(str_nearest(word, names));
}

static void
test_to_u64(void **state)
{
    unsigned long long number = 7;
    assert_true(str_to_u64("0", 10, &number));
    assert_int_equal(number, 0);
    assert_true(str_to_u64("18446744073709551615", ULLONG_MAX, &number));
    assert_true(number == ULLONG_MAX);
    static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "11",
        "18446744073709551616", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        number = 7;
        assert_false(str_to_u64(bad[i], 10, &number));
        assert_int_equal(number, 7);
    }
    assert_false(str_to_u64("18446744073709551616", ULLONG_MAX, &number));
}

static void
test_bytes_for_people(void **state)
{
    static const struct {
        unsigned long long bytes;
        const char *text;
    } rows[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1 KiB"},
        {512 * 1024, "512 KiB"},
        {1500ull * 1024 * 1024, "1.5 GiB"},
        {1023ull * 1024 * 1024 + 1024 * 1023, "1 GiB"},
        {234ull * 1024 * 1024 + 600 * 1024, "235 MiB"},
        {ULLONG_MAX, "16 EiB"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FREE_AUTO char *text = str_bytes(rows[i].bytes);
        assert_string_equal(text, rows[i].text);
    }
}

static void
test_buffer(void **state)
{
    BUF_AUTO struct buf buf = {0};
    assert_null(buf.data);
    buf_add(&buf, "a");
    buf_add_bytes(&buf, "b\0c", 3);
    buf_printf(&buf, "%03d", 7);
    assert_int_equal(buf.length, 7);
    assert_memory_equal(buf.data, "ab\0c007", 8);
    buf_drop(&buf, 4);
    assert_string_equal(buf.data, "007");
    FREE_AUTO char *text = buf_take(&buf);
    assert_string_equal(text, "007");
    assert_null(buf.data);
    FREE_AUTO char *empty = buf_take(&buf);
    assert_string_equal(empty, "");
}

static void
test_word_of_a_shell(void **state)
{
    BUF_AUTO struct buf buf = {0};
    buf_add_word(&buf, "");
    buf_add(&buf, " ");
    buf_add_word(&buf, "it's $HOME; \"`\n");
    assert_string_equal(buf.data, "'' 'it'\\''s $HOME; \"`\n'");
}

static void
test_buffer_grows_far(void **state)
{
    BUF_AUTO struct buf buf = {0};
    for (int i = 0; i < 100000; i++)
        buf_add(&buf, "0123456789");
    assert_int_equal(buf.length, 1000000);
    assert_int_equal(strlen(buf.data), 1000000);
}

static void
test_list(void **state)
{
    STRV_AUTO struct strv list = {0};
    FREE_AUTO char *nothing = strv_join(&list, ",");
    assert_string_equal(nothing, "");
    strv_split(&list, "b,,a", ',');
    strv_addf(&list, "%d", 5);
    assert_int_equal(list.count, 4);
    assert_null(list.items[4]);
    assert_true(strv_has(&list, ""));
    assert_false(strv_has(&list, "c"));
    strv_sort(&list);
    FREE_AUTO char *joined = strv_join(&list, "|");
    assert_string_equal(joined, "|5|a|b");
}

static void
test_split_of_nothing_is_one_empty_piece(void **state)
{
    STRV_AUTO struct strv list = {0};
    strv_split(&list, "", ',');
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0], "");
}

static void
test_take_hands_over(void **state)
{
    char *text = str_dup("x");
    FREE_AUTO char *taken = TAKE(text);
    assert_null(text);
    assert_string_equal(taken, "x");
    int fd = 7;
    assert_int_equal(TAKE_FD(fd), 7);
    assert_int_equal(fd, -1);
}

// Read by AddressSanitizer: a failed allocation returns NULL, as without it.
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void
ask_for_too_much(size_t count, size_t size)
{
    void *items = NULL;
    size_t capacity = 0;
    close(STDERR_FILENO); // the sentence would be taken for this test's own
    mem_grow(&items, &capacity, count, size);
    _exit(0);
}

// Sizes that overflow or cannot be allocated end the program with ERR_SPACE.
static void
test_no_memory_ends_the_program(void **state)
{
    static const struct {
        size_t count, size;
    } rows[] = {{SIZE_MAX / 4, 1}, {SIZE_MAX / 2 + 2, 2}, {SIZE_MAX / 8, 16}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            ask_for_too_much(rows[i].count, rows[i].size);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), ERR_SPACE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_nearest_of_a_huge_word_is_quick),
        cmocka_unit_test(test_to_u64),
        cmocka_unit_test(test_bytes_for_people),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_word_of_a_shell),
        cmocka_unit_test(test_buffer_grows_far),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_split_of_nothing_is_one_empty_piece),
        cmocka_unit_test(test_take_hands_over),
        cmocka_unit_test(test_no_memory_ends_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
