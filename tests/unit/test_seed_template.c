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
    // Text that is not an @name@ stays.
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
    {"a: 'x @keys@'", "t.yaml:1:4: '@keys@' is no text; write it alone"},
    {"a: '@grow@ '", "'@grow@' is no text"},
    {"- a", "t.yaml:1:1: a template is a mapping"},
    {"a", "a template is a mapping"},
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

// YAML syntax in a value is text.
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
        ERR_SPEC, "the template never asks for '@keys@'");
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
    };
    return cmocka_run_group_tests_name("seed template", tests, NULL, NULL);
}
