// test_spec_mutated.c - a short, reproducible version of tests/fuzz: random mutations of the texts
// of tests/errors and of the built-in spec must not violate spec_one.h.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"
#include "fuzz/spec_one.h"

enum { ROUNDS = 60, CHANGES_MAX = 6 };

// xorshift64 (Marsaglia, "Xorshift RNGs"): the same numbers everywhere.
static uint64_t random_state = 88172645463325252ULL;

static size_t
random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t) (random_state % limit);
}

// Replace count bytes at a place by the piece.
static void
splice(struct buf *text, size_t at, size_t count, const char *piece, size_t length)
{
    struct buf changed = {0};
    buf_add_bytes(&changed, text->data, at);
    buf_add_bytes(&changed, piece, length);
    buf_add_bytes(&changed, text->data + at + count, text->length - at - count);
    buf_free(text);
    *text = changed;
}

static void
change(struct buf *text)
{
    static const char *const pieces[] = {"\n", "  ", "\t", ": ", "- ", "[", "]", "{", "}", ",", "'",
        "\"", "#", "&a ", "*a", "!t ", "|\n", ">-\n", "? ", "---\n", "...\n", "%", "@", "\\", "\\0",
        "~", "null", "on", "9", "-1", "\r", "\x80", "\xef\xbb\xbf", "\xe2\x80\xa8",
        "\xf0\x9f\x98\x80", "\x1b[2J", "nodes:", "role: redis", "haproxy", "172.31.255.11", "<<: "};
    size_t at = random_below(text->length + 1), left = text->length - at;
    size_t count = random_below(left < 12 ? left + 1 : 12);
    const char *piece = pieces[random_below(sizeof pieces / sizeof pieces[0])];
    char byte = (char) random_below(256);
    size_t from = random_below(text->length + 1);
    size_t length = random_below(text->length - from + 1) % 64;
    FREE_AUTO char *copy = str_ndup(text->data + from, length);
    switch (random_below(4)) {
    case 0:
        splice(text, at, 0, piece, strlen(piece));
        return;
    case 1:
        splice(text, at, count, "", 0);
        return;
    case 2:
        splice(text, at, left > 0, &byte, 1);
        return;
    default:
        splice(text, at, 0, copy, length);
        return;
    }
}

static void
try_changed(const char *seed, size_t length)
{
    for (int round = 0; round < ROUNDS; round++) {
        BUF_AUTO struct buf text = {0};
        buf_add_bytes(&text, seed, length);
        for (size_t left = random_below(CHANGES_MAX) + 1; left > 0; left--)
            change(&text);
        // A copy of exact size, so that ASan and valgrind detect every read past the end.
        FREE_AUTO char *exact = malloc(text.length + (text.length == 0));
        memcpy(exact, text.data, text.length);
        spec_one(exact, text.length);
    }
}

static void
test_changed_specs(void **state)
{
    STRV_AUTO struct strv names = {0};
    ERROR_AUTO struct error err = {0};
    assert_ok(dir_list("tests/errors", &names, &err), &err);
    for (size_t i = 0; i < names.count; i++) {
        FREE_AUTO char *path = path_join("tests/errors", names.items[i]), *text = NULL;
        size_t length;
        if (!str_ends(path, ".yaml"))
            continue;
        assert_ok(file_read(path, 1 << 20, &text, &length, &err), &err);
        try_changed(text, length);
    }
    for (int i = 0; i < ROUNDS; i++)
        try_changed(spec_builtin_text(), strlen(spec_builtin_text()));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_changed_specs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
