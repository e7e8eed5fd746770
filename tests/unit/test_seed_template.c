// test_seed_template.c - templates: kinds of values, omitted parts, and every error with its
// position.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "seed/template.h"

static char key_one[] = "ssh-ed25519 A b", key_two[] = "x: y";
static char *keys_of[] = {key_one, key_two, NULL};
static const struct strv keys = {keys_of, 2, 3};
static const struct strv no_keys = {0};

static const struct template_value values[] = {
    {"name", .text = "work11"},
    {"facts", .text = "a='1'\nb='2'\n"},
    {"gateway", .text = NULL},
    {"evil", .text = "x\"\n- y: {z: '\n#"},
    {"keys", TEMPLATE_LIST, .list = &keys},
    {"no_keys", TEMPLATE_LIST, .list = &no_keys},
    {"grow", TEMPLATE_TRUTH, .truth = true},
};

static int
fill(const char *text, char **ret, struct error *err)
{
    return template_fill(
        "t.yaml", text, strlen(text), NULL, values, sizeof values / sizeof *values, ret, err);
}

struct row {
    const char *text, *result;
};

static const struct row good[] = {
    {"a: '@name@'", "a: work11\n"},
    {"a: x-@name@-@name@", "a: x-work11-work11\n"},
    {"a: '@facts@'", "a: |\n  a='1'\n  b='2'\n"},
    {"a: '@keys@'", "a:\n- ssh-ed25519 A b\n- \"x: y\"\n"},
    {"a: '@no_keys@'", "a: []\n"},
    {"a: ['@keys@']", "a:\n- - ssh-ed25519 A b\n  - \"x: y\"\n"},
    {"a: '@grow@'", "a: true\n"},
    // Anything but an @name@ stays.
    {"a: me@work.example", "a: me@work.example\n"},
    {"a: '@@'", "a: \"@@\"\n"},
    {"a: '@ name@'", "a: \"@ name@\"\n"},
    {"a: '@Name@'", "a: \"@Name@\"\n"},
    {"a: '@name'", "a: \"@name\"\n"},
    {"a: me@@name@", "a: me@work11\n"},
    // Kinds of plain values; the same in quotes is text.
    {"a: true", "a: true\n"},
    {"a: false", "a: false\n"},
    {"a: 'true'", "a: \"true\"\n"},
    {"a: 9000", "a: 9000\n"},
    {"a: '9000'", "a: \"9000\"\n"},
    {"a: 0", "a: 0\n"},
    {"a: 0644", "a: \"0644\"\n"},
    {"a: off", "a: \"off\"\n"},
    {"a: ~", "a: null\n"},
    {"a:", "a: null\n"},
    {"a: ''", "a: \"\"\n"},
    {"a: {}\nb: []", "a: {}\nb: []\n"},
    // A missing value removes its list item, its mapping, and whatever is empty then.
    {"a: 1\nb: ['@gateway@', c]", "a: 1\nb:\n- c\n"},
    {"a: 1\nb: ['@gateway@']", "a: 1\n"},
    {"a: 1\nb: {c: ['@gateway@']}", "a: 1\n"},
    {"a: 1\nb: [{to: x, via: '@gateway@'}]", "a: 1\n"},
    {"a: 1\nb: [{to: x, via: '@gateway@'}, {to: z}]", "a: 1\nb:\n- to: z\n"},
    {"a: 1\nb: {c: 'via @gateway@', d: 2}", "a: 1\n"},
    {"a: 1\nb: {c: {d: '@gateway@'}, e: 2}", "a: 1\nb:\n  e: 2\n"},
};

static void
test_good(void **state)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *text = NULL;
        assert_ok(fill(good[i].text, &text, &err), &err);
        assert_string_equal(text, good[i].result);
    }
}

static const struct row bad[] = {
    {"a: '@nam@'", "t.yaml:1:4: there is no value '@nam@'; did you mean '@name@'?"},
    {"a: x\nb:\n  - c @wholly_else@", "t.yaml:3:5: there is no value '@wholly_else@'"},
    {"a: 'x @keys@'", "t.yaml:1:4: '@keys@' is not text; write it alone"},
    {"a: '@grow@ '", "'@grow@' is not text"},
    {"- a", "t.yaml:1:1: a template must be a mapping"},
    {"a", "a template must be a mapping"},
    {"", "t.yaml"},
    {"a: &x b", "t.yaml:1:4"},
    {"a: 1\na: 2", "t.yaml:2:1"},
    {"a: [", "t.yaml"},
    {"\ta: 1", "t.yaml:1"},
};

static void
test_bad(void **state)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *text = NULL;
        assert_error(fill(bad[i].text, &text, &err), &err, ERR_SPEC, bad[i].result);
        assert_null(text);
    }
}

static void
test_every_complaint_at_once(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    assert_int_equal(fill("a: '@one@'\nb: '@two@'\nc: 'x@keys@'\n", &text, &err), -1);
    assert_contains(err.message, "t.yaml:1:4");
    assert_contains(err.message, "t.yaml:2:4");
    assert_contains(err.message, "t.yaml:3:4");
}

// YAML in a value stays one text.
static void
test_value_adds_nothing(void **state)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    assert_ok(fill("a: '@evil@'\nb: 'x@evil@'\n", &text, &err), &err);
    assert_string_equal(text, "a: |-\n  x\"\n  - y: {z: '\n  #\n"
                              "b: |-\n  xx\"\n  - y: {z: '\n  #\n");
}

static void
test_required(void **state)
{
    static const struct template_value needed[] = {
        {"name", .text = "work11", .required = true},
        {"keys", TEMPLATE_LIST, .list = &keys, .required = true},
    };
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    assert_error(template_fill("t.yaml", "a: '@name@'", 11, NULL, needed, 2, &text, &err), &err,
        ERR_SPEC, "the template does not contain '@keys@'");
}

static void
test_value_that_is_no_utf8(void **state)
{
    static const struct template_value odd[] = {{"name", .text = "a\xff"}};
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    assert_error(template_fill("t.yaml", "a: '@name@'", 11, NULL, odd, 1, &text, &err), &err,
        ERR_FAILED, "t.yaml");
}

// ---- plain text ---------------------------------------------------------------------------------

static const struct template_value cells[] = {
    {"worker_name", .text = "one"},
    {"worker_id", .text = "1"},
    {"worker_name", .text = "two"},
    {"worker_id", .text = "2"},
};

static const struct template_value text_values[] = {
    {"name", .text = "work11"},
    {"auth", .text = "yes"},
    {"worker", TEMPLATE_ROWS, .cells = cells, .row_count = 2, .column_count = 2},
    {"nobody", TEMPLATE_ROWS, .cells = cells, .row_count = 0, .column_count = 2},
};

static int
fill_plain(const char *text, char **ret, struct error *err)
{
    return template_fill("t.conf", text, strlen(text), NULL, text_values,
        sizeof text_values / sizeof *text_values, ret, err);
}

static const struct row good_text[] = {
    {"a @name@\n", "a work11\n"},
    {"a @name@", "a work11\n"},
    {"\n a: [ \"'#@@ \n\n", "\n a: [ \"'#@@ \n\n"},
    {"@name@-@name@\n", "work11-work11\n"},
    {"a\n@each worker@\n@worker_name@=@worker_id@ @name@\n\n@end@\nb\n",
        "a\none=1 work11\n\ntwo=2 work11\n\nb\n"},
    {"@each nobody@\n@worker_name@\n@end@\nb\n", "b\n"},
    {"@each worker@\n@end@\n@each worker@\nx\n@end@\n", "x\nx\n"},
    {"@when auth=yes@\nlocked\n@end@\n@when auth=no@\nopen @unknown@\n@end@\n", "locked\n"},
    // Not a directive: one has its own line.
    {"x @each worker@\n", "x @each worker@\n"},
    {"@each worker @ y\n", "@each worker @ y\n"},
};

static void
test_good_text(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof good_text / sizeof *good_text; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *text = NULL;
        assert_ok(fill_plain(good_text[i].text, &text, &err), &err);
        assert_string_equal(text, good_text[i].result);
    }
}

static const struct row bad_text[] = {
    {"a\nb @nam@\n", "t.conf:2:1: there is no value '@nam@'; did you mean '@name@'?"},
    {"@worker_name@\n", "t.conf:1:1: there is no value '@worker_name@'"},
    {"@worker@\n", "t.conf:1:1: '@worker@' is not text; write '@each worker@'"},
    {"@end@\n", "t.conf:1:1: there is no value '@end@'"},
    {"a\n@each worker@\nb\n", "t.conf:2:1: the block has no end"},
    {"@each worker@\n@when auth=yes@\n@end@\n@end@\n", "t.conf:2:1: blocks do not nest"},
    {"@each workers@\n@end@\n", "t.conf:1:1: there is no value '@workers@'; did you mean"},
    {"@each name@\n@end@\n", "t.conf:1:1: there is no value '@name@'"},
    {"@when worker=yes@\n@end@\n", "t.conf:1:1: there is no value '@worker@'"},
    {"@when aut=yes@\n@end@\n", "t.conf:1:1: there is no value '@aut@'; did you mean '@auth@'?"},
    {"@each worker@\n@worker_nam@\n@end@\n", "t.conf:2:1: there is no value '@worker_nam@'"},
};

static void
test_bad_text(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof bad_text / sizeof *bad_text; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *text = NULL;
        assert_error(fill_plain(bad_text[i].text, &text, &err), &err, ERR_SPEC, bad_text[i].result);
        assert_null(text);
    }
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    assert_int_equal(template_fill("t.conf", "a\0b\n", 4, NULL, NULL, 0, &text, &err), -1);
    assert_contains(err.message, "has a NUL byte");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_every_complaint_at_once),
        cmocka_unit_test(test_value_adds_nothing),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_value_that_is_no_utf8),
        cmocka_unit_test(test_good_text),
        cmocka_unit_test(test_bad_text),
    };
    return cmocka_run_group_tests_name("seed template", tests, NULL, NULL);
}
