// test_store_web.c - what servers say, where redirects may lead, armored keys: without a server.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "store/reply.h"
#include "store/signature.h"
#include "store/web.h"

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
    (void) state;
    assert_true(armor_read(good, &data, &length));
    assert_int_equal(length, 5);
    assert_string_equal(data, "hello");
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char *none = NULL;
        assert_false(armor_read(broken[i], &none, &length));
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
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(web_may_redirect(cases[i].from, cases[i].to), cases[i].may);
}

static void
test_reply(void **state)
{
    static const char *const lines[] = {"HTTP/1.1 100 Continue\r\n", "ETag: \"gone\"\r\n",
        "HTTP/2 206 \r\n", "last-modified: Sun, 01 Nov 2026 00:00:00 GMT\r\n", "etag:  \"abc\"\r\n",
        "Last-Modified: Sun, 01 Nov 2020 00:00:00 GMT\r\n", "ETag: W/\"weak\"\r\n",
        "Content-Range: bytes 17-99/100\r\n", "\r\n", ":\r\n", ""};
    struct reply reply = {0};
    (void) state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        reply_header(&reply, lines[i], strlen(lines[i]));
    assert_int_equal(reply.status, 206);
    assert_string_equal(reply.validator, "\"abc\"");
    assert_int_equal(reply.range_start, 17);
    assert_false(reply.html);
    reply_clear(&reply);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_armor),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_reply),
    };
    return cmocka_run_group_tests_name("store web", tests, NULL, NULL);
}
