// test_base_jv.c - JSON: order, replacement, borrowed values, hostile texts with line and column.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/jv.h"

#include <math.h>

static void
assert_printed(const struct jv *value, bool pretty, const char *expected)
{
    FREE_AUTO char *text = jv_print(value, pretty);
    assert_string_equal(text, expected);
}

static void
test_keys_keep_their_order(void **state)
{
    JV_AUTO struct jv *object = jv_object();
    jv_set_string(object, "zebra", "z");
    jv_set_int(object, "ant", -5);
    jv_set_bool(object, "mule", true);
    jv_set_string(object, "zebra", "again");
    jv_set(object, "none", jv_null());
    assert_printed(
        object, false, "{\"zebra\": \"again\", \"ant\": -5, \"mule\": true, \"none\": null}");
    assert_string_equal(jv_key_at(object, 0), "zebra");
    assert_string_equal(jv_key_at(object, 3), "none");
    assert_null(jv_key_at(object, 4));
    assert_int_equal(jv_count(object), 4);
}

static void
test_pretty(void **state)
{
    JV_AUTO struct jv *object = jv_object();
    struct jv *list = jv_array();
    jv_push(list, jv_int(1));
    jv_push(list, jv_bool(false));
    jv_set(object, "list", list);
    assert_printed(object, true, "{\n  \"list\": [\n    1,\n    false\n  ]\n}\n");
}

static void
test_numbers(void **state)
{
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
        JV_AUTO struct jv *value = jv_real(rows[i].number);
        assert_printed(value, false, rows[i].text);
    }
}

static void
test_text_is_always_utf8(void **state)
{
    JV_AUTO struct jv *object = jv_object();
    jv_set_string(object, "k\xff", "a\xc3\xa9\xc3(\x80");
    jv_set_string(object, "null", NULL);
    assert_printed(object, false,
        "{\"k\xef\xbf\xbd\": \"a\xc3\xa9\xef\xbf\xbd(\xef\xbf\xbd\", \"null\": null}");
}

static void
test_reading(void **state)
{
    ERROR_AUTO struct error err = {0};
    JV_AUTO struct jv *value = NULL;
    const char *text = "{\"a\": {\"b\": [1, \"two\", 9007199254740993]}, \"yes\": true}";
    assert_ok(jv_parse(text, strlen(text), &value, &err), &err);
    const struct jv *list = jv_get(jv_get(value, "a"), "b");
    assert_int_equal(jv_count(list), 3);
    assert_string_equal(jv_text(jv_at(list, 1)), "two");
    assert_null(jv_text(jv_at(list, 0)));
    assert_null(jv_at(list, 3));
    assert_true(jv_get_bool(value, "yes", false));
    assert_true(jv_get_bool(value, "no", true));
    assert_int_equal(jv_get_int(value, "yes", 7), 7);
    assert_null(jv_get_string(value, "yes"));
    assert_null(jv_key_at(list, 0));
}

static void
test_absent_things_can_be_chained(void **state)
{
    assert_null(jv_get(jv_get(NULL, "a"), "b"));
    assert_null(jv_get_string(NULL, "a"));
    assert_null(jv_at(NULL, 0));
    assert_null(jv_key_at(NULL, 0));
    assert_int_equal(jv_count(NULL), 0);
    assert_int_equal(jv_get_int(NULL, "a", 3), 3);
    jv_free(NULL);
}

static void
test_refused_texts_name_the_place(void **state)
{
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
        struct jv *value = NULL;
        assert_error(jv_parse(rows[i].text, strlen(rows[i].text), &value, &err), &err, ERR_DAMAGED,
            rows[i].place);
        assert_null(value);
    }
}

static void
test_nesting_is_bounded(void **state)
{
    ERROR_AUTO struct error err = {0};
    struct jv *value = NULL;
    FREE_AUTO char *text = mem_zero(1000001, 1);
    memset(text, '[', 1000000);
    assert_error(jv_parse(text, 1000000, &value, &err), &err, ERR_DAMAGED, "line 1");
}

static void
test_length_counts_not_the_nul(void **state)
{
    ERROR_AUTO struct error err = {0};
    JV_AUTO struct jv *value = NULL;
    assert_ok(jv_parse("[7]garbage", 3, &value, &err), &err);
    assert_printed(value, false, "[7]");
}

static void
test_files(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(*state, "value.json");
    JV_AUTO struct jv *value = NULL, *written = jv_object();
    jv_set_int(written, "ant", 5);
    assert_error(jv_read(path, 100, &value, &err), &err, ERR_NOT_FOUND, path);
    assert_ok(jv_write(path, 0600, written, &err), &err);
    assert_int_equal(file_size(path), strlen("{\n  \"ant\": 5\n}\n"));
    assert_ok(jv_read(path, 100, &value, &err), &err);
    assert_int_equal(jv_get_int(value, "ant", 0), 5);
    assert_ok(file_write(path, 0600, "{", 1, &err), &err);
    assert_error(jv_read(path, 100, &value, &err), &err, ERR_DAMAGED, "line 1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_keep_their_order),
        cmocka_unit_test(test_pretty),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_text_is_always_utf8),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_absent_things_can_be_chained),
        cmocka_unit_test(test_refused_texts_name_the_place),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_length_counts_not_the_nul),
        scratch_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
