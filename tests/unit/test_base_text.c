// test_base_text.c - characters, policies and widths of texts; console logs.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/console_filter.h"
#include "base/text.h"

static void
assert_first(const char *text, size_t length, unsigned kind)
{
    struct text_iter iter = {.next = text, .left = strlen(text)};
    assert_true(text_next(&iter));
    assert_int_equal(iter.length, length);
    assert_int_equal(iter.kind, kind);
    assert_ptr_equal(iter.at, text);
    assert_ptr_equal(iter.next, text + length);
}

static void
test_characters(void **state)
{
    struct text_iter end = {.next = ""};
    assert_false(text_next(&end));
    assert_first("a", 1, TEXT_PRINTABLE);
    assert_first("\xc3\xa9", 2, TEXT_PRINTABLE);
    assert_first("\xe2\x9c\x93", 3, TEXT_PRINTABLE);
    assert_first("\xf0\x9f\x98\x80", 4, TEXT_PRINTABLE);
    assert_first("\t", 1, TEXT_LAYOUT);
    assert_first("\n", 1, TEXT_LAYOUT);
    assert_first("\r", 1, TEXT_RETURN);
    assert_first("\033", 1, TEXT_CONTROL);
    assert_first("\x7f", 1, TEXT_LATE_CONTROL);
    assert_first("\xc2\x9b", 2, TEXT_LATE_CONTROL);
    assert_first("\xe2\x80\xae", 3, TEXT_INVISIBLE);
    assert_first("\xe2\x81\xa6", 3, TEXT_INVISIBLE);
    assert_first("\xef\xbb\xbf", 3, TEXT_INVISIBLE);
    assert_first("\xef\xbf\xbe", 3, TEXT_NONCHARACTER);
}

static void
test_broken_bytes(void **state)
{
    static const char *const bad[] = {
        "\x80",             // a continuation alone
        "\xc3",             // cut off
        "\xe2\x9c",         // cut off
        "\xc0\xaf",         // overlong '/'
        "\xe0\x80\xaf",     // overlong
        "\xf0\x80\x80\xaf", // overlong
        "\xed\xa0\x80",     // a surrogate
        "\xf4\x90\x80\x80", // above U+10FFFF
        "\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_first(bad[i], 1, TEXT_BROKEN);
        assert_false(text_is_utf8(bad[i]));
    }
    assert_true(text_is_utf8("\xc3\xa9\n"));
    struct text_iter cut = {.next = "\xc3\xa9", .left = 1}; // what follows left is not looked at
    assert_true(text_next(&cut));
    assert_int_equal(cut.kind, TEXT_BROKEN);
}

static void
assert_clean(enum text_policy policy, const char *text, const char *expected)
{
    FREE_AUTO char *seen = text_clean(policy, text);
    assert_string_equal(seen, expected);
}

static void
test_policies(void **state)
{
    assert_clean(TEXT_LINES, "two\nlines\tand \xc3\xa9", "two\nlines\tand \xc3\xa9");
    assert_clean(TEXT_LINES, "\033[2J\r\a\x7f", "\\x1b[2J\\x0d\\x07\\x7f");
    assert_clean(TEXT_LINES, "\xc2\x9bz", "\\xc2\\x9bz"); // CSI in C1
    assert_clean(TEXT_LINES, "bad \xff\xc3", "bad \\xff\\xc3");
    assert_clean(TEXT_LINES, "\xe2\x80\xae", "\\xe2\\x80\\xae");
    assert_clean(TEXT_WORD, "a\nb\t", "a\\x0ab\\x09");
    assert_clean(TEXT_ROW, "\033[2J\n\xc2\x9bz\xff\xc3\xa9", "?[2J??z?\xc3\xa9");
    assert_clean(TEXT_UTF8, "\033\xff\xc2\x9b", "\033\xef\xbf\xbd\xc2\x9b");
    assert_clean(TEXT_XML, "\r\n\t\033\xff\x7f", "\r\n\t\xef\xbf\xbd\xef\xbf\xbd\x7f");
    assert_clean(TEXT_XML, "\xef\xbf\xbf", "\xef\xbf\xbd");
    assert_clean(TEXT_XML, "", "");
}

static void
test_columns(void **state)
{
    assert_int_equal(text_columns(""), 0);
    assert_int_equal(text_columns("a\xc3\xa9\xe2\x9c\x93"), 3);
}

// The same text in pieces of every size.
static void
assert_filtered(const char *text, const char *expected)
{
    size_t length = strlen(text);
    for (size_t piece = 1; piece <= length; piece++) {
        struct console_filter filter = {0};
        BUF_AUTO struct buf seen = {0};
        for (size_t at = 0; at < length; at += piece)
            console_filter_add(
                &filter, text + at, piece < length - at ? piece : length - at, &seen);
        assert_string_equal(seen.data, expected);
    }
}

static void
test_console_filter(void **state)
{
    assert_filtered("[\033[0;32m  OK  \033[0m] Started\r\n", "[  OK  ] Started\n");
    assert_filtered("a\033]0;title\007b\033]2;t\033\\c", "abc");
    assert_filtered("\033(Bx\033)0y\033=z\033cw", "xyzw");
    assert_filtered("\033[999;999H\033[6ngo", "go");
    assert_filtered("never \033]ended\nnext \033[1\nlast", "never \nnext \nlast");
    assert_filtered("\xe2\x82\xac \xc2\x9b[1m\b\tz", "\xe2\x82\xac [1m\tz");
    assert_filtered("bad \xff\xfe!", "bad ?!");
    assert_filtered("\033\033[mx", "x");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_broken_bytes),
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_console_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
