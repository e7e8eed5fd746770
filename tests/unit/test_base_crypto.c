// test_base_crypto.c - SHA-256 of published vectors, unambiguous fields, base64, random text.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/file.h"

#include <ctype.h>

static const char million_a[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

// FIPS 180-4's examples (csrc.nist.gov, "SHA256.pdf" and "SHA_All.pdf").
static void
test_vectors(void **state)
{
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char hex[DIGEST_HEX + 1];
        digest_bytes(rows[i].text, strlen(rows[i].text), hex);
        assert_string_equal(hex, rows[i].hex);
    }
}

static void
test_pieces_make_the_whole(void **state)
{
    DIGEST_AUTO struct digest *digest = digest_new();
    char piece[1000], hex[DIGEST_HEX + 1];
    memset(piece, 'a', sizeof piece);
    for (int i = 0; i < 1000; i++)
        digest_add(digest, piece, sizeof piece);
    digest_hex(digest, hex);
    assert_string_equal(hex, million_a);
}

static void
test_file(void **state)
{
    ERROR_AUTO struct error err = {0};
    char hex[DIGEST_HEX + 1];
    FREE_AUTO char *path = path_join(*state, "file");
    FREE_AUTO char *data = mem_zero(1000000, 1);
    memset(data, 'a', 1000000);
    assert_ok(file_write(path, 0644, data, 1000000, &err), &err);
    assert_ok(digest_file(path, hex, &err), &err);
    assert_string_equal(hex, million_a);
    FREE_AUTO char *none = path_join(*state, "none");
    assert_error(digest_file(none, hex, &err), &err, ERR_NOT_FOUND, none);
    assert_error(digest_file(*state, hex, &err), &err, ERR_FAILED, *state);
}

static void
digest_fields(const char *const *fields, size_t count, char ret_hex[DIGEST_HEX + 1])
{
    DIGEST_AUTO struct digest *digest = digest_new();
    for (size_t i = 0; i < count; i++)
        digest_add_field(digest, fields[i]);
    digest_hex(digest, ret_hex);
}

static void
test_fields_are_not_confused(void **state)
{
    static const char *const lists[][2] = {{"ab", "c"}, {"a", "bc"}, {"abc", ""}, {"abc", NULL},
        {NULL, "abc"}, {"", "abc"}, {"1:a", ""}, {"-:", NULL}};
    STRV_AUTO struct strv seen = {0};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char hex[DIGEST_HEX + 1];
        digest_fields(lists[i], 2, hex);
        assert_false(strv_has(&seen, hex));
        strv_add(&seen, hex);
        digest_fields(lists[i], 2, hex);
        assert_true(strv_has(&seen, hex));
    }
}

static void
test_base64(void **state)
{
    // RFC 4648, section 10.
    static const char *const rows[][2] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"}, {"Zm9v\r\n YmE=\n", "fooba"}, {"Zm9vYmFy", "foobar"}};
    static const char *const wrong[] = {"Z", "Zg", "Zg=", "Z*==", "Zg==Zg==", "=", "Zm9v=abc"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        BUF_AUTO struct buf buf = {0};
        buf_add(&buf, ":");
        assert_true(base64_decode(rows[i][0], strlen(rows[i][0]), &buf));
        assert_string_equal(buf.data + 1, rows[i][1]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        BUF_AUTO struct buf buf = {0};
        assert_false(base64_decode(wrong[i], strlen(wrong[i]), &buf));
        assert_int_equal(buf.length, 0);
    }
}

static void
test_random_text(void **state)
{
    size_t seen[256] = {0};
    FREE_AUTO char *text = random_text(62 * 1000);
    assert_int_equal(strlen(text), 62 * 1000);
    for (const char *next = text; *next != '\0'; next++) {
        assert_true(isalnum((unsigned char) *next));
        seen[(unsigned char) *next]++;
    }
    // Each occurs 1000 times on average, with a deviation of 31. Bytes modulo 62 would give the
    // first eight 1211 times.
    size_t first = 0;
    for (int letter = 'A'; letter <= 'H'; letter++) {
        assert_between(seen[letter], 700, 1300);
        first += seen[letter];
    }
    assert_between(first, 7200, 8800);
    FREE_AUTO char *empty = random_text(0);
    assert_string_equal(empty, "");
}

static void
test_random_hex(void **state)
{
    for (size_t length = 0; length < 42; length++) {
        FREE_AUTO char *hex = random_hex(length);
        assert_int_equal(strlen(hex), length);
        assert_int_equal(strspn(hex, "0123456789abcdef"), length);
    }
    FREE_AUTO char *one = random_hex(40), *two = random_hex(40);
    assert_string_not_equal(one, two);
}

static void
test_random_uuid(void **state)
{
    for (int i = 0; i < 100; i++) {
        FREE_AUTO char *uuid = random_uuid();
        assert_int_equal(strlen(uuid), 36);
        assert_int_equal(strspn(uuid, "0123456789abcdef-"), 36);
        assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-');
        assert_int_equal(uuid[14], '4');
        assert_non_null(strchr("89ab", uuid[19]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_pieces_make_the_whole),
        scratch_test(test_file),
        cmocka_unit_test(test_fields_are_not_confused),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_random_text),
        cmocka_unit_test(test_random_hex),
        cmocka_unit_test(test_random_uuid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
