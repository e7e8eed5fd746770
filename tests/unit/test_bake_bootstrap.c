// test_bake_bootstrap.c - arguments of mmdebstrap, the script for the new system, and causes of
// apt's errors. Nothing runs. AIRBUILD_REGENERATE=1 writes the golden files again.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "bake/debian.h"
#include "base/cleanup.h"
#include "base/file.h"

#define GOLDEN "tests/golden/bake/"

static const char text[] =
    "name: base-small\n"
    "cmdline: rw quiet\n"
    "bootstrap:\n"
    "  sources: [\"deb {mirror} {suite} main\", \"deb {mirror}-security {suite}-security main\"]\n"
    "  packages: [systemd, cloud-init]\n"
    "  exclude: [/usr/share/man/*]\n"
    "  early:\n"
    "    - write: {path: /etc/early.conf, text: early}\n"
    "steps:\n"
    "  - write: {path: \"/etc/it's\", text: quoted}\n"
    "  - write: {path: /usr/bin/script, text: \"#!/bin/sh\\n\"}\n"
    "  - services: {enable: [a.service, b.timer], disable: [c.service], mask: [d.mount]}\n"
    "  - command: |\n"
    "      echo one\n"
    "      echo two\n";

static struct recipe *
read_recipe(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    struct recipe *recipe = NULL;
    FREE_AUTO char *path = path_join(folder, "small.yaml");
    assert_ok(file_write(path, 0644, text, strlen(text), &err), &err);
    assert_ok(recipe_load_file(path, &recipe, &err), &err);
    for (size_t i = 0; i < recipe->steps.count; i++) { // the same wherever the test runs
        char *place = recipe->steps.items[i].place;
        recipe->steps.items[i].place = str_dup(strrchr(place, '/') + 1);
        free(place);
    }
    return recipe;
}

static char mirror[] = "http://mirror.example/debian", suite[] = "bookworm";
static const struct spec_base base = {.kind = SPEC_BASE_DEBIAN, .suite = suite, .mirror = mirror};

static void
assert_arguments(const struct bake_job *job, bool kept, const char *golden)
{
    STRV_AUTO struct strv arguments = {0};
    debian_arguments(job, kept, &arguments);
    strv_add(&arguments, "");
    FREE_AUTO char *lines = strv_join(&arguments, "\n");
    assert_golden(golden, lines);
}

static void
test_arguments(void **state)
{
    RECIPE_AUTO struct recipe *recipe = read_recipe(*state);
    struct bake_source source = {.recipe = recipe, .base = base};
    struct bake_item item = {.source = &source};
    struct bake_job job = {.item = &item, .work = "/store/work", .tree = true};
    strv_add(&job.prefetch, "redis-server redis-sentinel");
    assert_arguments(&job, false, GOLDEN "mmdebstrap-tree.txt");
    job.tree = false;
    assert_arguments(&job, true, GOLDEN "mmdebstrap-kept.txt");
    strv_free(&job.prefetch);
}

static void
test_script(void **state)
{
    RECIPE_AUTO struct recipe *recipe = read_recipe(*state);
    FREE_AUTO char *script = bootstrap_script(recipe);
    assert_golden(GOLDEN "mmdebstrap-script.txt", script);
}

// The name of the kept set changes with the packages and their sources, and with nothing else.
static void
test_set(void **state)
{
    RECIPE_AUTO struct recipe *recipe = read_recipe(*state);
    FREE_AUTO char *first = bootstrap_set(recipe, &base);
    free(recipe->cmdline);
    recipe->cmdline = str_dup("other");
    FREE_AUTO char *same = bootstrap_set(recipe, &base);
    char other_suite[] = "trixie";
    struct spec_base later = base;
    later.suite = other_suite;
    FREE_AUTO char *other = bootstrap_set(recipe, &later);
    strv_add(&recipe->bootstrap.packages, "vim");
    FREE_AUTO char *more = bootstrap_set(recipe, &base);
    assert_string_equal(first, same);
    assert_string_not_equal(first, other);
    assert_string_not_equal(first, more);
}

static void
test_causes(void **state)
{
    static const struct {
        const char *said, *reason;
        enum error_code cause;
    } cases[] = {
        {NULL, "it gave no reason", ERR_FAILED},
        {"", "it gave no reason", ERR_FAILED},
        {"I: fine\nE: main() received signal PIPE\n", "main() received signal PIPE", ERR_FAILED},
        {"E: Failed to fetch http://m/InRelease  Could not connect to m:80\n"
         "E: Some index files failed to download.\nE: apt-get update failed\n",
            "Failed to fetch http://m/InRelease  Could not connect to m:80", ERR_NETWORK},
        {"Err:1 http://m\nE: The repository 'http://m x Release' does not have a Release file.",
            "The repository 'http://m x Release' does not have a Release file.", ERR_NETWORK},
        {"E: Unable to locate package foo\nE: Failed to fetch", "Unable to locate package foo",
            ERR_SPEC},
        {"E: You don't have enough free space in /var/cache/apt/archives/.",
            "You don't have enough free space in /var/cache/apt/archives/.", ERR_SPACE},
        {"dpkg: error: write failed (No space left on device)\nE: Sub-process returned 1",
            "Sub-process returned 1", ERR_SPACE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FREE_AUTO char *reason = apt_reason(cases[i].said);
        assert_string_equal(reason, cases[i].reason);
        assert_int_equal(apt_cause(cases[i].said), cases[i].cause);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_arguments),
        scratch_test(test_script),
        scratch_test(test_set),
        cmocka_unit_test(test_causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
