// test_spec_errors.c - every tests/errors/NAME.yaml is refused with exactly the text of
// NAME.expected. AIRBUILD_REGENERATE=1 rewrites the .expected files: review them before you commit.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"
#include "spec/spec.h"

#define FOLDER "tests/errors"

static char *
complaints_about(const char *name)
{
    SPEC_AUTO struct spec *spec = NULL;
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *path = path_join(FOLDER, name), *text = NULL;
    size_t length;
    assert_ok(file_read(path, 1 << 20, &text, &length, &err), &err);
    if (spec_parse(name, text, length, &spec, &err) == 0)
        return str_dup("accepted\n");
    assert_int_equal(err.code, ERR_SPEC);
    return str_format("%s\n", err.message);
}

static void
check_one(void **state)
{
    const char *name = *state;
    FREE_AUTO char *stem = str_ndup(name, strlen(name) - strlen(".yaml"));
    FREE_AUTO char *path = str_format("%s/%s.expected", FOLDER, stem);
    FREE_AUTO char *found = complaints_about(name);
    assert_string_not_equal(found, "accepted\n");
    assert_golden(path, found);
}

int
main(void)
{
    STRV_AUTO struct strv names = {0};
    ERROR_AUTO struct error err = {0};
    if (dir_list(FOLDER, &names, &err) < 0)
        return 1;
    FREE_AUTO struct CMUnitTest *tests = mem_zero(names.count, sizeof *tests);
    size_t count = 0;
    for (size_t i = 0; i < names.count; i++)
        if (str_ends(names.items[i], ".yaml"))
            tests[count++] =
                (struct CMUnitTest){names.items[i], check_one, NULL, NULL, names.items[i]};
    // There are far more than this; fewer means that they were not found.
    if (count < 100)
        return 1;
    return _cmocka_run_group_tests("spec errors", tests, count, NULL, NULL);
}
