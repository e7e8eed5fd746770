// test_yaml.c - the YAML reader: positions, limits, errors. tests/errors has the messages for
// invalid texts.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "fuzz/spec_one.h"
#include "yaml/yaml.h"

static struct yaml_source
source_of(const char *text)
{
    return (struct yaml_source){.origin = "test", .text = text, .length = strlen(text)};
}

// Assert that text has exactly one error, which contains this sentence.
static void
assert_refused(const char *text, size_t length, const char *sentence)
{
    YAML_SOURCE_AUTO struct yaml_source source = {.origin = "t", .text = text, .length = length};
    ERROR_AUTO struct error err = {0};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    assert_null(root);
    assert_error(yaml_result(&source, &err), &err, ERR_SPEC, sentence);
}

static void
test_tree_and_places(void **state)
{
    YAML_SOURCE_AUTO struct yaml_source source =
        source_of("\xef\xbb\xbf# c\nname: 'a b'\n\nlist:\n- one\n- {\xc3\xa9: 2, deep: [x]}\n");
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    assert_non_null(root);
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 2);
    const struct yaml_node *name = yaml_get(root, "name"), *list = yaml_get(root, "list");
    assert_string_equal(name->text, "a b");
    assert_false(name->plain);
    assert_int_equal(name->line, 2);
    assert_int_equal(name->column, 7);
    assert_int_equal(list->kind, YAML_LIST);
    assert_true(list->items[0]->plain);
    const struct yaml_node *deep = yaml_get(list->items[1], "deep");
    assert_int_equal(deep->line, 6);
    assert_int_equal(deep->column, 16); // in characters: the accent counts once
    assert_int_equal(yaml_get_key(root, "list")->line, 4);
    assert_null(yaml_get(root, "nothing"));
    assert_null(yaml_get(list, "name"));
    assert_null(yaml_get(NULL, "name"));
    assert_null(yaml_get_key(name, "name"));
}

static void
test_nothing(void **state)
{
    YAML_SOURCE_AUTO struct yaml_source source =
        source_of("a: \nb: ~\nc: null\nd: ''\ne: []\nf: x\n");
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    assert_non_null(root);
    for (size_t i = 0; i < root->count; i++)
        assert_int_equal(yaml_is_null(root->items[i]), i < 3);
}

static void
test_depth(void **state)
{
    char text[200] = {0};
    memset(text, '[', YAML_DEPTH_MAX);
    memset(text + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
    YAML_SOURCE_AUTO struct yaml_source source = source_of(text);
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    assert_non_null(root);
    memset(text, '[', YAML_DEPTH_MAX + 1);
    memset(text + YAML_DEPTH_MAX + 1, ']', YAML_DEPTH_MAX + 1);
    assert_refused(text, strlen(text), "nested too deeply");
}

// piece again and again, length bytes in all; the caller frees.
static char *
repeated(const char *piece, size_t length)
{
    struct buf text = {0};
    while (text.length < length)
        buf_add(&text, piece);
    text.data[length] = '\0';
    return buf_take(&text);
}

// A reader without limits, or with quadratic comparisons, would need minutes for each of these.
static void
test_large_texts_are_refused(void **state)
{
    static const struct {
        const char *piece, *sentence;
    } cases[] = {
        {"[", "t:1:33: this is nested too deeply; use at most 32 levels"},
        {"[\n", "t:33:1: this is nested too deeply"},
        {"{a: ", "nested too deeply"},
        {"[a: ", "nested too deeply"},
        {"- ", "nested too deeply"},
        {"? ", "a key must be a text, not a mapping"},
        {"[? ", "a key must be a text, not a list"},
        {"- a\n", "t:100000:3: this text has more than 100000 keys and values"},
        {"a: 1\n", "more than 100000 keys and values"},
        {"- {}\n", "more than 100000 keys and values"},
        {"!a ", "tags are not supported"},
        {"&a ", "anchors are not supported"},
        {"*a : \n", "aliases are not supported"},
        {"- !a &b c\n", "fix the first ones and try again"},
        {"\"a", "the document has ended above"},
        {"[\"", "the list that begins here is not closed"},
        {"---\n", "a second document begins here"},
        {"%YAML 1.1\n", "directives are not supported"},
        {"\t", "a tab is not allowed as indentation"},
        {"# comment\n", "the text is empty"},
        {"\n", "the text is empty"},
        {"|\n", "the document has ended above"},
        {"}", "a value is missing here"},
        {":", "a ':' is not allowed here"},
        {"@", "a text cannot begin with '@'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FREE_AUTO char *text = repeated(cases[i].piece, YAML_TEXT_MAX);
        assert_refused(text, YAML_TEXT_MAX, cases[i].sentence);
    }
}

static void
test_many_different_keys(void **state)
{
    BUF_AUTO struct buf text = {0};
    for (int i = 0; i < 49000; i++)
        buf_printf(&text, "k%d: %d\n", i * 7919 % 49000, i);
    YAML_SOURCE_AUTO struct yaml_source source = source_of(text.data);
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    assert_non_null(root);
    assert_int_equal(root->count, 49000);
    buf_add(&text, "k48999: again\n");
    assert_refused(text.data, text.length, "the key 'k48999' occurs twice");
}

static void
test_size_limit(void **state)
{
    FREE_AUTO char *text = repeated("a", YAML_TEXT_MAX + 1);
    assert_refused(text, YAML_TEXT_MAX + 1, "t: the text is larger than 1 MiB");
    YAML_SOURCE_AUTO struct yaml_source source = {
        .origin = "t", .text = text, .length = YAML_TEXT_MAX};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    assert_int_equal(strlen(root->text), YAML_TEXT_MAX);
}

// The text has no final NUL: nothing beyond its length is read (ASan checks).
static void
test_exact_length(void **state)
{
    static const char *const texts[] = {
        "a: \xe2\x80", "a: b\r", "a: \xf0\x9f\x98", "a: 'b", "\xef\xbb"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t length = strlen(texts[i]);
        FREE_AUTO char *exact = malloc(length);
        memcpy(exact, texts[i], length);
        spec_one(exact, length);
    }
    assert_refused("a: b\0c", 6, "t:1:5: this is a NUL byte");
}

static void
test_complaints_are_sorted_and_counted(void **state)
{
    YAML_SOURCE_AUTO struct yaml_source source = source_of("a\nb\nc\n");
    ERROR_AUTO struct error err = {0};
    assert_int_equal(yaml_result(&source, &err), 0);
    for (unsigned i = 25; i > 0; i--)
        yaml_error(&source, &(struct yaml_node){.line = i, .column = 1}, "number %u", i);
    yaml_error(&source, &(struct yaml_node){.line = 1, .column = 9}, "behind the line");
    yaml_error(&source, NULL, "of all");
    assert_int_equal(source.error_total, 27);
    assert_int_equal(source.error_count, YAML_ERROR_MAX);
    assert_error(yaml_result(&source, &err), &err, ERR_SPEC,
        "test: of all\n"
        "test:1:1: number 1\n    a\n    ^\n"
        "test:1:9: behind the line\n    a\n     ^\n"
        "test:2:1: number 2\n    b\n    ^\n"
        "test:3:1: number 3\n    c\n    ^\n"
        "test:4:1: number 4\n");
    yaml_source_clear(&source);
    assert_int_equal(yaml_result(&source, &err), 0);
}

static void
test_quote(void **state)
{
    FREE_AUTO char *plain = yaml_quote("a'b \xc3\xa9");
    assert_string_equal(plain, "'a'b \xc3\xa9'");
    FREE_AUTO char *hostile = yaml_quote("\x1b[2J\n\xff\xc2\x9b\xe2\x80\xae");
    assert_string_equal(hostile, "'\\x1b[2J\\x0a\\xff\\xc2\\x9b\\xe2\\x80\\xae'");
    FREE_AUTO char *cut = yaml_quote("1234567890123456789012345678901234567890X");
    assert_string_equal(cut, "'1234567890123456789012345678901234567890...'");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_and_places),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_large_texts_are_refused),
        cmocka_unit_test(test_many_different_keys),
        cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_exact_length),
        cmocka_unit_test(test_complaints_are_sorted_and_counted),
        cmocka_unit_test(test_quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
