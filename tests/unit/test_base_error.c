// test_base_error.c - the error value: causes, context, ownership.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include <errno.h>

static void
test_set_gives_code_and_sentence(void **state)
{
    ERROR_AUTO struct error err = {0};
    assert_int_equal(error_set(&err, ERR_SPEC, "node '%s' twice", "work11"), -1);
    assert_int_equal(err.code, ERR_SPEC);
    assert_string_equal(err.message, "node 'work11' twice");
}

static void
test_set_again_may_use_the_old_message(void **state)
{
    ERROR_AUTO struct error err = {0};
    error_set(&err, ERR_SPEC, "first");
    error_set(&err, ERR_BUSY, "second after %s", err.message);
    assert_int_equal(err.code, ERR_BUSY);
    assert_string_equal(err.message, "second after first");
}

static void
test_move_replaces_and_leaves_nothing(void **state)
{
    (void) state;
    ERROR_AUTO struct error from = {0}, to = {0};
    error_set(&from, ERR_SPEC, "new");
    error_set(&to, ERR_BUSY, "old");
    assert_int_equal(error_move(&to, &from), -1);
    assert_int_equal(to.code, ERR_SPEC);
    assert_string_equal(to.message, "new");
    assert_int_equal(from.code, ERR_NONE);
    assert_null(from.message);
}

static void
test_errno_maps_to_causes(void **state)
{
    static const struct {
        int number;
        enum error_code code;
    } rows[] = {
        {ENOSPC, ERR_SPACE},
        {EDQUOT, ERR_SPACE},
        {ENOMEM, ERR_SPACE},
        {EACCES, ERR_ACCESS},
        {EPERM, ERR_ACCESS},
        {EIO, ERR_FAILED},
        {ENOENT, ERR_FAILED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ERROR_AUTO struct error err = {0};
        assert_int_equal(error_errno(&err, rows[i].number, "cannot write '%s'", "x"), -1);
        assert_int_equal(err.code, rows[i].code);
        assert_true(str_starts(err.message, "cannot write 'x': "));
        assert_true(str_ends(err.message, strerror(rows[i].number)));
    }
}

static void
test_context_goes_before_and_keeps_the_cause(void **state)
{
    ERROR_AUTO struct error err = {0};
    error_set(&err, ERR_SPACE, "disk full");
    assert_int_equal(error_context(&err, "image '%s'", "redis"), -1);
    assert_int_equal(error_context(&err, "bake"), -1);
    assert_int_equal(err.code, ERR_SPACE);
    assert_string_equal(err.message, "bake: image 'redis': disk full");
}

static void
test_context_without_error_is_a_failure(void **state)
{
    ERROR_AUTO struct error err = {0};
    error_context(&err, "bake");
    assert_int_equal(err.code, ERR_FAILED);
    assert_string_equal(err.message, "bake");
}

static void
test_clear_leaves_nothing(void **state)
{
    struct error err = {0};
    error_set(&err, ERR_SPACE, "disk full");
    error_clear(&err);
    assert_int_equal(err.code, ERR_NONE);
    assert_null(err.message);
    error_clear(&err);
    error_clear(NULL);
}

static void
test_every_cause_has_its_own_name(void **state)
{
    STRV_AUTO struct strv names = {0};
    for (int code = ERR_NONE; code <= ERR_VERDICT; code++) {
        const char *name = error_code_name((enum error_code) code);
        assert_false(strv_has(&names, name));
        strv_add(&names, name);
    }
    assert_string_equal(error_code_name(ERR_INTERRUPTED), "interrupted");
    assert_string_equal(error_code_name((enum error_code) 99), "failed");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_gives_code_and_sentence),
        cmocka_unit_test(test_set_again_may_use_the_old_message),
        cmocka_unit_test(test_move_replaces_and_leaves_nothing),
        cmocka_unit_test(test_errno_maps_to_causes),
        cmocka_unit_test(test_context_goes_before_and_keeps_the_cause),
        cmocka_unit_test(test_context_without_error_is_a_failure),
        cmocka_unit_test(test_clear_leaves_nothing),
        cmocka_unit_test(test_every_cause_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
