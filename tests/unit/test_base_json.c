// test_base_json.c - JSON: clean text, rounded numbers, hostile texts with line and column, files.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"

#include <math.h>

static void
assert_printed(const json_t *value, bool pretty, const char *expected)
{
    FREE_AUTO char *text = print_json(value, pretty);
    assert_string_equal(text, expected);
}

static void
test_keys_keep_their_order(void **state)
{
    (void) state;
    json_auto_t *object = json_object();
    json_object_set_new(object, "zebra", json_string("z"));
    json_object_set_new(object, "ant", json_integer(-5));
    json_object_set_new(object, "zebra", json_string("again"));
    assert_printed(object, false, "{\"zebra\": \"again\", \"ant\": -5}");
}

static void
test_pretty(void **state)
{
    (void) state;
    json_auto_t *object = json_pack("{s: [i, b]}", "list", 1, 0);
    assert_printed(object, true, "{\n  \"list\": [\n    1,\n    false\n  ]\n}\n");
}

static void
test_numbers(void **state)
{
    (void) state;
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {0.1, "0.1"},
        {3, "3.0"},
        {1.0 / 3, "0.333333"},
        {-2.5, "-2.5"},
        {123456.7891234, "123456.789123"},
        {NAN, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_auto_t *value = real_to_json(rows[i].number);
        assert_printed(value, false, rows[i].text);
    }
}

static void
test_text_is_always_utf8(void **state)
{
    (void) state;
    json_auto_t *dirty = text_to_json("a\xc3\xa9\xc3(\x80"), *none = text_to_json(NULL);
    assert_printed(dirty, false, "\"a\xc3\xa9\xef\xbf\xbd(\xef\xbf\xbd\"");
    assert_printed(none, false, "null");
}

static void
test_refused_texts_name_the_place(void **state)
{
    (void) state;
    static const struct {
        const char *text, *place;
    } rows[] = {
        {"", "line 1, column 0"},
        {"{\"a\": 1,\n \"a\": 2}", "line 2, column 4"},
        {"{\"a\": 1,\n\n  oops}", "line 3, column 6"},
        {"[1, 2", "line 1, column 5"},
        {"[1] [2]", "line 1, column 5"},
        {"[\"a\\u0000b\"]", "line 1"},
        {"[\"\xff\"]", "line 1"},
        {"[99999999999999999999]", "line 1"},
        {"nul", "line 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ERROR_AUTO struct error err = {0};
        json_t *value = NULL;
        assert_error(parse_json(rows[i].text, strlen(rows[i].text), &value, &err), &err,
            ERR_DAMAGED, rows[i].place);
        assert_null(value);
    }
}

static void
test_nesting_is_bounded(void **state)
{
    (void) state;
    ERROR_AUTO struct error err = {0};
    json_t *value = NULL;
    FREE_AUTO char *text = mem_zero(1000001, 1);
    memset(text, '[', 1000000);
    assert_error(parse_json(text, 1000000, &value, &err), &err, ERR_DAMAGED, "line 1");
}

static void
test_length_counts_not_the_nul(void **state)
{
    (void) state;
    ERROR_AUTO struct error err = {0};
    json_auto_t *value = NULL;
    assert_ok(parse_json("[7]garbage", 3, &value, &err), &err);
    assert_printed(value, false, "[7]");
}

static void
test_files(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "value.json");
    json_auto_t *value = NULL, *written = json_pack("{s: i}", "ant", 5);
    assert_error(read_json_file(path, 100, &value, &err), &err, ERR_NOT_FOUND, path);
    assert_ok(write_json_file(path, 0600, written, &err), &err);
    assert_int_equal(file_size(path), strlen("{\n  \"ant\": 5\n}\n"));
    assert_ok(read_json_file(path, 100, &value, &err), &err);
    assert_int_equal(json_integer_value(json_object_get(value, "ant")), 5);
    json_decref(TAKE(value));
    assert_ok(file_write(path, 0600, "{", 1, &err), &err);
    assert_error(read_json_file(path, 100, &value, &err), &err, ERR_DAMAGED, "line 1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_keep_their_order),
        cmocka_unit_test(test_pretty),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_text_is_always_utf8),
        cmocka_unit_test(test_refused_texts_name_the_place),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_length_counts_not_the_nul),
        scratch_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
