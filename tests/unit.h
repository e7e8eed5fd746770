// unit.h - what every unit test needs: cmocka with its prerequisites, a scratch folder, errors
// asserted.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_UNIT_H
#define AIRBUILD_TESTS_UNIT_H

// cmocka.h asks for these four first, in any order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

// The call fails with this cause; the message contains text.
#define assert_error(call, err_, code_, text_)     \
    do {                                           \
        assert_int_equal((call), -1);              \
        assert_int_equal((err_)->code, (code_));   \
        assert_non_null((err_)->message);          \
        assert_contains((err_)->message, (text_)); \
        error_clear(err_);                         \
    } while (0)

// The call succeeds; otherwise the message is shown.
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

// least <= value <= most. cmocka has it by names that differ from version to version.
#define assert_between(value, least, most)                                              \
    do {                                                                                \
        long long between_ = (long long) (value);                                       \
        if (between_ < (long long) (least) || between_ > (long long) (most))            \
            fail_msg("%s is %lld, not from %s to %s", #value, between_, #least, #most); \
    } while (0)

// Test setup and teardown: *state is the path of a fresh folder, gone afterwards.
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

// A test with such a folder of its own.
#define scratch_test(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

#endif
