// unit.h - shared by all unit tests: cmocka with its prerequisites, assertions on errors and golden
// files, a scratch folder.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_UNIT_H
#define AIRBUILD_TESTS_UNIT_H

// cmocka.h requires these four to be included first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// cmocka passes a state to every test; most have none.
#pragma GCC diagnostic ignored "-Wunused-parameter"

#include "base/cleanup.h"
#include "base/dir.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

// Assert that the call fails with this cause and that the message contains text.
#define assert_error(call, err_, code_, text_)     \
    do {                                           \
        assert_int_equal((call), -1);              \
        assert_int_equal((err_)->code, (code_));   \
        assert_non_null((err_)->message);          \
        assert_contains((err_)->message, (text_)); \
        error_clear(err_);                         \
    } while (0)

// Assert that the call succeeds; show the message when it does not.
#define assert_ok(call, err_)                           \
    do {                                                \
        int assert_ok_ = (call);                        \
        if (assert_ok_ != 0)                            \
            fail_msg("%s: %s", #call, (err_)->message); \
        assert_int_equal((err_)->code, ERR_NONE);       \
    } while (0)

#define assert_contains(text, part)                                                 \
    do {                                                                            \
        const char *contains_text_ = (text), *contains_part_ = (part);              \
        if (strstr(contains_text_, contains_part_) == NULL)                         \
            fail_msg("'%s' does not contain '%s'", contains_text_, contains_part_); \
    } while (0)

// Assert least <= value <= most. cmocka's own name for this differs between versions.
#define assert_between(value, least, most)                                              \
    do {                                                                                \
        long long between_ = (long long) (value);                                       \
        if (between_ < (long long) (least) || between_ > (long long) (most))            \
            fail_msg("%s is %lld, not from %s to %s", #value, between_, #least, #most); \
    } while (0)

// Setup and teardown: *state is the path of a new folder, removed afterwards.
static inline int
scratch_make(void **state)
{
    struct error err = {0};
    const char *parent = getenv("TMPDIR");
    char *path = NULL;
    int answer = dir_temp(parent == NULL ? "/tmp" : parent, "airbuild-test", &path, &err);
    error_clear(&err);
    *state = path;
    return answer;
}

static inline int
scratch_remove(void **state)
{
    struct error err = {0};
    int answer = dir_remove(*state, &err);
    error_clear(&err);
    free(*state);
    return answer;
}

static inline void
put_text(const char *path, const char *text)
{
    ERROR_AUTO struct error err = {0};
    assert_ok(file_write(path, 0644, text, strlen(text), &err), &err);
}

// The same below folder; folders in name are created.
static inline void
put_file(const char *folder, const char *name, const char *text)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(folder, name), *parent = path_folder(path);
    assert_ok(dir_make(parent, 0755, &err), &err);
    put_text(path, text);
}

// Compare text with the file at path, relative to the project; AIRBUILD_REGENERATE rewrites it.
static inline void
assert_golden(const char *path, const char *text)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *golden = NULL;
    if (getenv("AIRBUILD_REGENERATE") != NULL)
        put_text(path, text);
    assert_ok(file_read(path, 1 << 20, &golden, NULL, &err), &err);
    assert_string_equal(text, golden);
}

// Run a test in a scratch folder of its own.
#define scratch_test(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

#endif
