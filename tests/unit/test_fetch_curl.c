// test_fetch_curl.c - the rule for redirects, and armored keys; without a server.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "fetch/curl.h"
#include "fetch/signature.h"

static void
test_armor(void **state)
{
    static const char good[] = "words before\n-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\n"
                               "aGVs\r\nbG8=\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";
    static const char *const broken[] = {"", "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n", "-----BEGIN PGP X-----\n\naGVs\n",
        "-----BEGIN PGP X-----\n\naG*s\n-----END PGP X-----\n",
        "-----BEGIN PGP X-----\n\n-----END PGP X-----\n"};
    FREE_AUTO char *data = NULL;
    size_t length = 0;
    assert_true(fetch_dearmor(good, &data, &length));
    assert_int_equal(length, 5);
    assert_string_equal(data, "hello");
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char *none = NULL;
        assert_false(fetch_dearmor(broken[i], &none, &length));
    }
}

static void
test_redirects(void **state)
{
    static const struct {
        const char *from, *to;
        bool may;
    } cases[] = {
        {"https://a.org/x", "https://b.org/x", true},
        {"https://a.org/x", "https://a.org/y", true},
        {"https://a.org/x", "http://a.org/x", false},
        {"https://a.org/x", "http://b.org/x", false},
        {"http://a.org/x", "http://A.org:81/x", true},
        {"http://a.org/x", "https://a.org/x", true},
        {"http://a.org/x", "https://b.org/x", false},
        {"http://a.org/x", "http://b.org/x", false},
        {"https://a.org/x", "file:///etc/passwd", false},
        {"http://a.org/x", "ftp://a.org/x", false},
        {"file:///a", "file:///b", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(fetch_url_may_redirect(cases[i].from, cases[i].to), cases[i].may);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_armor),
        cmocka_unit_test(test_redirects),
    };
    return cmocka_run_group_tests_name("fetch curl", tests, NULL, NULL);
}
