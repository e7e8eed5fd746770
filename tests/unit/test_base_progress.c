// test_base_progress.c - the list of tasks: plain lines, redrawing, hostile texts, many threads.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/progress.h"

#include <pthread.h>

struct sheet {
    FILE *stream;
    char *text;
    size_t length;
};

static void
sheet_open(struct sheet *sheet)
{
    sheet->stream = open_memstream(&sheet->text, &sheet->length);
    assert_non_null(sheet->stream);
}

static void
sheet_close(struct sheet *sheet)
{
    if (sheet->stream != NULL)
        fclose(sheet->stream);
    free(sheet->text);
}

static void
test_nothing_takes_everything(void **state)
{
    progress_step(NULL, "a", "b");
    progress_part(NULL, "a", 0.5);
    progress_done(NULL, "a", "b");
    progress_note(NULL, "a");
    progress_clear(NULL);
    progress_free(NULL);
}

static void
test_plain_lines_on_change(void **state)
{
    CLEANUP(sheet_close) struct sheet sheet = {0};
    sheet_open(&sheet);
    PROGRESS_AUTO struct progress *progress = progress_new(sheet.stream, false, false);
    progress_step(progress, "redis", "packages %d", 1);
    progress_step(progress, "redis", "packages %d", 1);
    progress_part(progress, "redis", 0.5);
    progress_step(progress, "haproxy", "waits");
    progress_note(progress, "base 'auto' means Debian");
    progress_step(progress, "redis", "packages %d", 2);
    progress_done(progress, "redis", "baked");
    progress_clear(progress);
    assert_string_equal(sheet.text, "redis: packages 1\nhaproxy: waits\nbase 'auto' means Debian\n"
                                    "redis: packages 2\nredis: baked\n");
}

static void
test_quiet(void **state)
{
    CLEANUP(sheet_close) struct sheet sheet = {0};
    sheet_open(&sheet);
    PROGRESS_AUTO struct progress *progress = progress_new(sheet.stream, true, true);
    progress_step(progress, "redis", "packages");
    progress_note(progress, "a fact");
    progress_done(progress, "redis", "baked");
    progress_clear(progress);
    fflush(sheet.stream);
    assert_int_equal(sheet.length, 0);
}

static void
test_live_board_and_its_end(void **state)
{
    CLEANUP(sheet_close) struct sheet sheet = {0};
    sheet_open(&sheet);
    unsetenv("NO_COLOR");
    setenv("LC_ALL", "C.UTF-8", 1);
    PROGRESS_AUTO struct progress *progress = progress_new(sheet.stream, true, false);
    progress_step(progress, "work11", "boots");
    progress_step(progress, "head10", "boots");
    assert_contains(sheet.text, "work11  boots");
    assert_contains(sheet.text, "\x1b[1A"); // back over the one line
    progress_done(progress, "work11", "redis up");
    assert_contains(sheet.text, "\x1b[2A"); // back over both
    assert_contains(sheet.text, "\x1b[32m✓\x1b[0m work11  redis up");
    progress_clear(progress);
    assert_true(str_ends(sheet.text, "\r\x1b[2A\x1b[J"));
    size_t before = sheet.length;
    progress_clear(progress);
    assert_int_equal(sheet.length, before);
    unsetenv("LC_ALL");
}

static void
test_no_color_and_no_utf8(void **state)
{
    CLEANUP(sheet_close) struct sheet sheet = {0};
    sheet_open(&sheet);
    setenv("NO_COLOR", "1", 1);
    setenv("LC_ALL", "C", 1);
    PROGRESS_AUTO struct progress *progress = progress_new(sheet.stream, true, false);
    progress_done(progress, "work11", "redis up");
    assert_null(strstr(sheet.text, "\x1b[32m"));
    assert_contains(sheet.text, "* work11  redis up");
    unsetenv("NO_COLOR");
    unsetenv("LC_ALL");
}

static void
test_lines_fit_the_width(void **state)
{
    CLEANUP(sheet_close) struct sheet sheet = {0};
    sheet_open(&sheet);
    setenv("NO_COLOR", "1", 1);
    setenv("LC_ALL", "C", 1);
    PROGRESS_AUTO struct progress *progress = progress_new(sheet.stream, true, false);
    FREE_AUTO char *wide = mem_zero(501, 1);
    memset(wide, 'w', 500);
    progress_done(progress, "task", "%s", wide);
    char *begin = strstr(sheet.text, "* task"), *end = strstr(sheet.text, "0s\x1b[K\n");
    assert_non_null(begin);
    assert_non_null(end);
    assert_int_equal(end + 2 - begin, 80); // no terminal: 80 columns
    progress_clear(progress);
    size_t before = sheet.length;
    progress_step(progress, wide, "x");
    fflush(sheet.stream);
    assert_true(sheet.length - before < 300);
    unsetenv("NO_COLOR");
    unsetenv("LC_ALL");
}

// A console line of a guest must not move the cursor or change the terminal.
static void
test_control_characters_are_not_drawn(void **state)
{
    CLEANUP(sheet_close) struct sheet sheet = {0};
    sheet_open(&sheet);
    PROGRESS_AUTO struct progress *progress = progress_new(sheet.stream, false, false);
    progress_step(progress, "work11",
        "a\x1b[2Jb\nc\rd\x7f\xc2\x9b"
        "e\xff"
        "f\xc3\xa9");
    progress_note(progress, "x\x1b]0;title\x07");
    assert_string_equal(sheet.text, "work11: a?[2Jb?c?d??e?f\xc3\xa9\nx?]0;title?\n");
}

static void
test_note_goes_above_the_board(void **state)
{
    CLEANUP(sheet_close) struct sheet sheet = {0};
    sheet_open(&sheet);
    PROGRESS_AUTO struct progress *progress = progress_new(sheet.stream, true, false);
    progress_note(progress, "first");
    assert_string_equal(sheet.text, "first\n");
    progress_step(progress, "work11", "boots");
    progress_note(progress, "a fact");
    const char *erased = strstr(sheet.text, "\r\x1b[1A\x1b[Ja fact\n");
    assert_non_null(erased);
    assert_contains(erased, "boots");
}

// The ticker redraws by itself: elapsed time and progress advance.
static void
test_board_lives_by_itself(void **state)
{
    CLEANUP(sheet_close) struct sheet sheet = {0};
    ERROR_AUTO struct error err = {0};
    sheet_open(&sheet);
    PROGRESS_AUTO struct progress *progress = progress_new(sheet.stream, true, false);
    progress_step(progress, "redis", "packages");
    progress_part(progress, "redis", 0.42);
    bool seen = false;
    for (int i = 0; i < 200 && !seen; i++) {
        assert_ok(clock_sleep(50, &err), &err);
        progress_note(progress, "look"); // its flush makes the text of the ticker ours to read
        seen = strstr(sheet.text, " 42%") != NULL;
    }
    assert_true(seen);
}

static void *
many_steps(void *context)
{
    for (int i = 0; i < 500; i++) {
        progress_step(context, "task", "step %d", i);
        progress_part(context, "task", i / 500.0);
        if (i % 100 == 0)
            progress_note(context, "note %d", i);
    }
    progress_done(context, "task", "done");
    return NULL;
}

static void
test_many_threads(void **state)
{
    CLEANUP(sheet_close) struct sheet sheet = {0};
    pthread_t threads[4];
    sheet_open(&sheet);
    PROGRESS_AUTO struct progress *progress = progress_new(sheet.stream, true, false);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_steps, progress), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    progress_clear(progress);
    size_t notes = 0;
    for (const char *next = sheet.text; (next = strstr(next, "note ")) != NULL; next++)
        notes++;
    assert_int_equal(notes, 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_takes_everything),
        cmocka_unit_test(test_plain_lines_on_change),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_live_board_and_its_end),
        cmocka_unit_test(test_no_color_and_no_utf8),
        cmocka_unit_test(test_lines_fit_the_width),
        cmocka_unit_test(test_control_characters_are_not_drawn),
        cmocka_unit_test(test_note_goes_above_the_board),
        cmocka_unit_test(test_board_lives_by_itself),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
