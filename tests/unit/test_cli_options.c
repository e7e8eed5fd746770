// test_cli_options.c - the option parser, and the help from the same tables.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "cli/help.h"
#include "cli/options.h"

static const struct cli_option own_table[] = {
    {"watch", 'f', NULL, "look again and again", OPTION_FLAG(watch)},
    {"recipe", 0, "FILE", "one more", OPTION_TEXT(recipe)},
    {0},
};
static const struct cli_option general_table[] = {
    {"spec", 'f', "FILE", "the cluster", OPTION_TEXT(spec)},
    {"json", 'j', NULL, "for programs", OPTION_FLAG(json)},
    {"output", 'o', "FILE", "the result", OPTION_TEXT(html)},
    {"retry", 0, NULL, "try again", OPTION_FLAG(rebuild)},
    {0},
};

struct parsed {
    struct cli_given given;
    struct strv operands;
    struct error err;
};

static int
parse_with(struct parsed *parsed, bool stop_early, int argc, const char *const *argv)
{
    *parsed = (struct parsed){0};
    return options_parse(own_table, general_table, argc, (char *const *) argv, stop_early,
        &parsed->given, &parsed->operands, &parsed->err);
}
#define ARGUMENTS(...)                                                          \
    (int) (sizeof((const char *[]){"airbuild", __VA_ARGS__}) / sizeof(char *)), \
        (const char *const[])                                                   \
    {                                                                           \
        "airbuild", __VA_ARGS__, NULL                                           \
    }
#define parse(parsed, ...) parse_with(parsed, false, ARGUMENTS(__VA_ARGS__))
#define parse_early(parsed, ...) parse_with(parsed, true, ARGUMENTS(__VA_ARGS__))

static void
drop(struct parsed *parsed)
{
    strv_free(&parsed->operands);
    error_clear(&parsed->err);
}

static void
test_forms(void **state)
{
    struct parsed p;
    assert_ok(parse(&p, "a", "--recipe", "x.yaml", "-j", "b"), &p.err);
    assert_string_equal(p.given.recipe, "x.yaml");
    assert_true(p.given.json);
    assert_false(p.given.watch);
    assert_int_equal(p.operands.count, 2);
    assert_string_equal(p.operands.items[1], "b");
    drop(&p);
    assert_ok(parse(&p, "--spec=a=b", "--", "--json", "-x"), &p.err);
    assert_string_equal(p.given.spec, "a=b");
    assert_false(p.given.json);
    assert_int_equal(p.operands.count, 2);
    drop(&p);
    assert_ok(parse(&p, "-"), &p.err);
    assert_int_equal(p.operands.count, 1);
    drop(&p);
}

static void
test_bundles_and_abbreviations(void **state)
{
    (void) state;
    struct parsed p;
    assert_ok(parse(&p, "-jfo", "out", "--rec", "x", "--spe=s", "b"), &p.err);
    assert_true(p.given.json);
    assert_true(p.given.watch);
    assert_string_equal(p.given.html, "out");
    assert_string_equal(p.given.recipe, "x");
    assert_string_equal(p.given.spec, "s");
    assert_int_equal(p.operands.count, 1);
    drop(&p);
    assert_ok(parse(&p, "-jo-out"), &p.err);
    assert_string_equal(p.given.html, "-out");
    drop(&p);
    // An error within a bundle leaves nothing behind for the next parse.
    assert_error(parse(&p, "-jxo"), &p.err, ERR_USAGE, "there is no option '-x'");
    drop(&p);
    assert_ok(parse(&p, "a", "b"), &p.err);
    assert_int_equal(p.operands.count, 2);
    drop(&p);
}

static void
test_operands_keep_their_order(void **state)
{
    (void) state;
    struct parsed p;
    setenv("POSIXLY_CORRECT", "1", 1);
    assert_ok(parse(&p, "a", "-j", "b", "--", "c", "-f", "--"), &p.err);
    unsetenv("POSIXLY_CORRECT");
    FREE_AUTO char *list = strv_join(&p.operands, " ");
    assert_string_equal(list, "a b c -f --");
    assert_true(p.given.json);
    drop(&p);
}

static void
test_an_own_letter_hides_a_general_one(void **state)
{
    struct parsed p;
    assert_ok(parse(&p, "-f"), &p.err);
    assert_true(p.given.watch);
    assert_null(p.given.spec);
    drop(&p);
}

static void
test_stop_early(void **state)
{
    struct parsed p;
    assert_ok(parse_early(&p, "-j", "work11", "ls", "--recipe", "-j", "--", "-l"), &p.err);
    assert_true(p.given.json);
    assert_null(p.given.recipe);
    assert_int_equal(p.operands.count, 6);
    assert_string_equal(p.operands.items[2], "--recipe");
    assert_string_equal(p.operands.items[4], "--");
    drop(&p);
}

static void
test_refusals(void **state)
{
    struct parsed p;
    assert_error(parse(&p, "--jsn"), &p.err, ERR_USAGE, "'--jsn' (did you mean '--json'?)");
    assert_error(parse(&p, "--elephant"), &p.err, ERR_USAGE, "there is no option '--elephant'");
    assert_error(parse(&p, "-x"), &p.err, ERR_USAGE, "there is no option '-x'");
    assert_error(parse(&p, "-\xc3\xa4"), &p.err, ERR_USAGE, "there is no option '-\xc3\xa4'");
    assert_error(parse(&p, "-jx"), &p.err, ERR_USAGE, "there is no option '-x'");
    assert_error(parse(&p, "-j\xc3\xa4x"), &p.err, ERR_USAGE, "there is no option '-\xc3\xa4'");
    assert_error(parse(&p, "--re"), &p.err, ERR_USAGE, "is ambiguous: '--recipe', '--retry'");
    assert_error(parse(&p, "--re=x"), &p.err, ERR_USAGE, "option '--re' is ambiguous");
    assert_error(parse(&p, "-jo"), &p.err, ERR_USAGE, "option '-o' needs a value: FILE");
    assert_error(parse(&p, "-o", "a", "-ob"), &p.err, ERR_USAGE, "option '-o' is given twice");
    assert_error(parse(&p, "--json=yes"), &p.err, ERR_USAGE, "'--json' takes no value");
    assert_error(parse(&p, "--recipe"), &p.err, ERR_USAGE, "'--recipe' needs a value");
    assert_error(parse(&p, "--recipe="), &p.err, ERR_USAGE, "'--recipe' needs a value");
    assert_error(parse(&p, "--recipe", ""), &p.err, ERR_USAGE, "'--recipe' needs a value");
    assert_error(parse(&p, "--recipe", "--json"), &p.err, ERR_USAGE, "'--recipe' needs a value");
    assert_error(
        parse(&p, "--recipe", "a", "--recipe=b"), &p.err, ERR_USAGE, "'--recipe' is given twice");
    assert_error(parse(&p, "--"
                           "=x"),
        &p.err, ERR_USAGE, "there is no option '--'");
}

static void
test_help(void **state)
{
    static const struct cli_option table[] = {
        {"short", 's', NULL, "a short one", 0},
        {"much-longer-than-the-column", 0, "VALUE",
            "a phrase that is too long for the line that it begins on, so that it goes on below",
            0},
        {0},
    };
    BUF_AUTO struct buf text = {0};
    help_options(table, NULL, &text);
    assert_string_equal(text.data,
        "  -s, --short             a short one\n"
        "      --much-longer-than-the-column VALUE\n"
        "                          a phrase that is too long for the line that it begins\n"
        "                          on, so that it goes on below\n");
    buf_free(&text);
    help_options(table, table, &text);
    assert_contains(text.data, "      --short");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_bundles_and_abbreviations),
        cmocka_unit_test(test_operands_keep_their_order),
        cmocka_unit_test(test_an_own_letter_hides_a_general_one),
        cmocka_unit_test(test_stop_early),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
