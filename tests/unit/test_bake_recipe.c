// test_bake_recipe.c - reads recipes: every form of a step, and an error with its place for every
// wrong one.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "bake/arch.h"
#include "bake/debian.h"
#include "bake/recipe.h"
#include "base/asset.h"
#include "base/cleanup.h"
#include "base/file.h"

// Reads a text as the recipe "r.yaml" in folder.
static struct recipe *
read_text(const char *folder, const char *text)
{
    ERROR_AUTO struct error err = {0};
    struct recipe *recipe = NULL;
    FREE_AUTO char *path = path_join(folder, "r.yaml");
    put_file(folder, "r.yaml", text);
    assert_ok(recipe_load_file(path, &recipe, &err), &err);
    return recipe;
}

// ---- right ones ----------------------------------------------------------------------------------

static void
test_carried_recipes(void **state)
{
    static const char *const names[] = {"base-debian", "base-arch", "haproxy", "redis"};
    for (size_t i = 0; i < 4; i++) {
        ERROR_AUTO struct error err = {0};
        RECIPE_AUTO struct recipe *recipe = NULL;
        assert_ok(recipe_load(names[i], &recipe, &err), &err);
        assert_string_equal(recipe->name, names[i]);
        assert_int_equal(recipe->is_base, i < 2);
        assert_ptr_equal(recipe_distro(recipe), i == 1 ? &distro_arch : &distro_debian);
        assert_true(recipe->steps.count > 0);
    }
}

static void
test_every_step(void **state)
{
    RECIPE_AUTO struct recipe *recipe = read_text(*state,
        "name: all\ndescription: all that a step can be\nsteps:\n"
        "  - packages: [sudo, libfoo++, g@1:2]\n"
        "  - write: {path: /etc/motd, mode: \"0640\", text: hello}\n"
        "  - services: {enable: [a.service], disable: [b.timer], mask: [c@x.socket]}\n"
        "  - command: |\n      echo one\n      echo two\n");
    const struct recipe_step *steps = recipe->steps.items;
    assert_int_equal(recipe->steps.count, 4);
    assert_int_equal(steps[0].action, RECIPE_PACKAGES);
    assert_int_equal(steps[0].packages.count, 3);
    assert_int_equal(steps[1].action, RECIPE_FILES);
    assert_string_equal(steps[1].files[0].path, "/etc/motd");
    assert_string_equal(steps[1].files[0].data, "hello");
    assert_int_equal(steps[1].files[0].length, 5);
    assert_int_equal(steps[1].files[0].mode, 0640);
    assert_int_equal(steps[2].action, RECIPE_SERVICES);
    assert_string_equal(steps[2].enable.items[0], "a.service");
    assert_string_equal(steps[2].disable.items[0], "b.timer");
    assert_string_equal(steps[2].mask.items[0], "c@x.socket");
    assert_int_equal(steps[3].action, RECIPE_COMMAND);
    assert_string_equal(steps[3].command, "echo one\necho two\n");
    assert_false(recipe->is_base);
}

static const struct recipe_file *
file_named(const struct recipe *recipe, const char *path)
{
    const struct recipe_step *step = &recipe->steps.items[0];
    for (size_t i = 0; i < step->file_count; i++)
        if (strcmp(step->files[i].path, path) == 0)
            return &step->files[i];
    fail_msg("no file '%s'", path);
    return NULL;
}

// The mode is 0644, or 0755 for a script; a pattern overrides it.
static void
test_modes(void **state)
{
    put_file(*state, "tree/etc/a.conf", "a");
    put_file(*state, "tree/etc/deep/secret", "s");
    put_file(*state, "tree/usr/bin/run", "#!/bin/sh\n");
    put_file(*state, "tree/usr/bin/quiet", "#!/bin/sh\n");
    RECIPE_AUTO struct recipe *recipe = read_text(*state,
        "name: modes\nsteps:\n  - files: tree\n"
        "    modes: {\"/etc/*\": \"0600\", /etc/a.conf: \"440\", /usr/bin/quiet: \"0644\"}\n");
    assert_int_equal(recipe->steps.items[0].file_count, 4);
    assert_int_equal(file_named(recipe, "/etc/a.conf")->mode, 0440);
    assert_int_equal(file_named(recipe, "/etc/deep/secret")->mode, 0600);
    assert_int_equal(file_named(recipe, "/usr/bin/run")->mode, 0755);
    assert_int_equal(file_named(recipe, "/usr/bin/quiet")->mode, 0644);
    assert_string_equal(file_named(recipe, "/etc/deep/secret")->data, "s");
}

static void
test_mode_without_a_pattern(void **state)
{
    put_file(*state, "tree/etc/plain", "p");
    put_file(*state, "tree/etc/empty", "");
    RECIPE_AUTO struct recipe *recipe = read_text(*state, "name: modes\nsteps:\n  - files: tree\n");
    assert_int_equal(file_named(recipe, "/etc/plain")->mode, 0644);
    assert_int_equal(file_named(recipe, "/etc/empty")->length, 0);
}

static void
test_family_filters(void **state)
{
    STRV_AUTO struct strv debian = {0}, arch = {0};
    RECIPE_AUTO struct recipe *recipe =
        read_text(*state, "name: two\nsteps:\n"
                          "  - packages: [both]\n"
                          "  - {packages: [redis-server], family: debian}\n"
                          "  - {packages: [valkey], family: arch}\n"
                          "  - {command: true, family: arch}\n");
    recipe_packages(recipe, &distro_debian, &debian);
    recipe_packages(recipe, &distro_arch, &arch);
    FREE_AUTO char *on_debian = strv_join(&debian, " ");
    FREE_AUTO char *on_arch = strv_join(&arch, " ");
    assert_string_equal(on_debian, "both redis-server");
    assert_string_equal(on_arch, "both valkey");
    const struct recipe_step *command = &recipe->steps.items[3];
    assert_false(recipe_step_applies(command, &distro_debian));
    assert_true(recipe_step_applies(command, &distro_arch));
}

// Steps of included recipes come first, in the order of the list. Their other keys are ignored.
static void
test_include(void **state)
{
    put_file(*state, "one.yaml", "name: one\ndescription: one\nsteps:\n  - command: echo 1\n");
    put_file(*state, "two.yaml", "name: two\ninclude: [one.yaml]\nsteps:\n  - command: echo 2\n");
    RECIPE_AUTO struct recipe *recipe = read_text(
        *state, "name: three\ninclude: [two.yaml, common.yaml]\nsteps:\n  - command: echo 3\n");
    RECIPE_AUTO struct recipe *common = NULL;
    ERROR_AUTO struct error err = {0};
    assert_ok(recipe_load("common", &common, &err), &err);
    assert_string_equal(recipe->name, "three");
    assert_true(str_ends(recipe->steps.items[0].place, "/one.yaml:4"));
    assert_int_equal(recipe->steps.count, 3 + common->steps.count);
    assert_string_equal(recipe->steps.items[0].command, "echo 1");
    assert_string_equal(recipe->steps.items[1].command, "echo 2");
    assert_string_equal(recipe->steps.items[recipe->steps.count - 1].command, "echo 3");
}

// Files beside the recipe override those that the program carries.
static void
test_own_files_first(void **state)
{
    put_file(*state, "common.yaml", "name: common\nsteps:\n  - command: echo mine\n");
    RECIPE_AUTO struct recipe *recipe = read_text(*state, "name: own\ninclude: [common.yaml]\n");
    assert_int_equal(recipe->steps.count, 1);
    assert_string_equal(recipe->steps.items[0].command, "echo mine");
}

// ---- fixed form ----------------------------------------------------------------------------------

static char *
canonical(const char *folder, const char *text)
{
    RECIPE_AUTO struct recipe *recipe = read_text(folder, text);
    return recipe_canonical(recipe);
}

static void
test_layout_means_nothing(void **state)
{
    FREE_AUTO char *first = canonical(*state,
        "name: x\nsteps:\n  - packages: [a, b]\n  - {command: \"echo hi\", family: debian}\n");
    FREE_AUTO char *second = canonical(*state,
        "# a comment\nsteps:\n- packages:\n  - a\n  - b\n- family: debian\n  command: echo hi\n"
        "name: x\ndescription: what people read\n");
    assert_string_equal(first, second);
}

static void
test_meaning_shows(void **state)
{
    static const char *const texts[] = {
        "name: x\nsteps:\n  - packages: [a, b]\n",
        "name: y\nsteps:\n  - packages: [a, b]\n",
        "name: x\nsteps:\n  - packages: [b, a]\n",
        "name: x\nsteps:\n  - packages: [a]\n  - packages: [b]\n",
        "name: x\nsteps:\n  - {packages: [a, b], family: arch}\n",
        "name: x\nsteps:\n  - command: a\n",
        "name: x\nsteps:\n  - command: b\n",
        "name: x\nsteps:\n  - services: {enable: [a]}\n",
        "name: x\nsteps:\n  - services: {mask: [a]}\n",
        "name: x\nsteps:\n  - write: {path: /a, text: a}\n",
        "name: x\nsteps:\n  - write: {path: /a, text: b}\n",
        "name: x\nsteps:\n  - write: {path: /b, text: a}\n",
        "name: x\nsteps:\n  - write: {path: /a, text: a, mode: \"0600\"}\n",
    };
    STRV_AUTO struct strv seen = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        FREE_AUTO char *one = canonical(*state, texts[i]);
        if (strv_has(&seen, one))
            fail_msg("'%s' is as one before it", texts[i]);
        strv_add(&seen, one);
    }
}

// ---- wrong ones ----------------------------------------------------------------------------------

struct wrong {
    const char *text;
    const char *place; // ":LINE:COLUMN: SENTENCE"
};

static const struct wrong wrongs[] = {
    {"name: x\nstep: []\n", ":2:1: a recipe has no key 'step'; did you mean 'steps'?"},
    {"steps: []\n", "'name'"},
    {"name: X\n", ":1:7: 'name' must be at most 40 lowercase letters, digits and hyphens"},
    {"name: -x\n", ":1:7: 'name' must be"},
    {"name: ../x\n", ":1:7: 'name' must be"},
    {"name: x\nsteps: {}\n", ":2:8: 'steps' must be a list of steps"},
    {"name: x\nsteps:\n  - {}\n", ":3:5: a step has exactly one of packages, files, write, "},
    {"name: x\nsteps:\n  - {packages: [a], command: b}\n", ":3:5: a step has exactly one of"},
    {"name: x\nsteps:\n  - {family: debian}\n", ":3:5: a step has exactly one of"},
    {"name: x\nsteps:\n  - {command: a, family: suse}\n",
        ":3:26: 'family' must be all, debian or arch"},
    {"name: x\nsteps:\n  - write: {path: /a, text: b, mode: rwx}\n",
        ":3:12: 'mode' is three or four octal digits"},
    {"name: x\nsteps:\n  - write: {path: /a, text: b, mode: \"4755\"}\n",
        ":3:12: 'mode' is three or four octal digits"},
    {"name: x\nsteps:\n  - write: {path: a, text: b}\n",
        ":3:12: 'path' must be an absolute path without '..'"},
    {"name: x\nsteps:\n  - write: {path: /a/../b, text: b}\n", ":3:12: 'path' must be"},
    {"name: x\nsteps:\n  - write: {path: /a/, text: b}\n", ":3:12: 'path' must be"},
    {"name: x\nsteps:\n  - write: {text: b}\n", "'path'"},
    {"name: x\nsteps:\n  - write: {path: /a}\n", "'text'"},
    {"name: x\nsteps:\n  - packages: [\"a; reboot\"]\n",
        ":3:5: 'a; reboot' is not a valid name of a package or unit"},
    {"name: x\nsteps:\n  - packages: [--force]\n", ":3:5: '--force' is not a valid name"},
    {"name: x\nsteps:\n  - services: {enable: [\"$(id)\"]}\n", ":3:5: '$(id)' is not a valid name"},
    {"name: x\nsteps:\n  - services: {mask: [\"a b\"]}\n", ":3:5: 'a b' is not a valid name"},
    {"name: x\nsteps:\n  - services: {start: [a]}\n", "has no key 'start'"},
    {"name: x\nsteps:\n  - files: nowhere\n", ":3:12: there is no folder 'nowhere' with files"},
    {"name: x\nsteps:\n  - {files: tree, modes: [a]}\n",
        ":3:26: 'modes' must be a mapping of path patterns to modes"},
    {"name: x\nsteps:\n  - {files: tree, modes: {a: \"999\"}}\n",
        ":3:30: a mode is three or four octal digits, such as \"0755\""},
    {"name: x\nsteps:\n  - {files: links}\n", "is neither a file nor a folder"},
    {"name: x\nname: y\n", ":2:1: "},
    {"name: x\nsteps: &a []\n", ":2:8: "},
    {"- name\n", "a recipe"},
    {"name: x\ncmdline: quiet\nsteps: []\n",
        ":2:1: 'cmdline' goes with a 'bootstrap': a layer boots with the arguments of its base; "
        "remove it"},
    {"name: x\nbootstrap: {sources: [], packages: [a]}\n",
        ":2:22: 'sources' is empty; name at least one"},
    {"name: x\nbootstrap: {sources: [a], packages: []}\n",
        ":2:37: 'packages' is empty; name at least one"},
    {"name: x\nbootstrap: {packages: [a]}\n", "'sources'"},
    {"name: x\nbootstrap: {family: suse, sources: [a], packages: [a]}\n",
        ":2:21: 'family' must be debian or arch"},
    {"name: x\nbootstrap: {family: arch, sources: [\"core]\"], packages: [a]}\n",
        ":2:36: 'core]' is not a valid repository name of pacman; name them as in [core, extra]"},
    {"name: x\nbootstrap: {family: arch, sources: [options], packages: [a]}\n",
        ":2:36: 'options' is not a valid repository name"},
    {"name: x\nbootstrap:\n  sources: [a]\n  packages: [a]\n  early:\n    - command: a\n",
        ":6:7: an early step must be 'files' or 'write': the system is not installed yet"},
};

static void
test_complaints(void **state)
{
    FREE_AUTO char *path = path_join(*state, "r.yaml");
    FREE_AUTO char *link = path_join(*state, "links/etc/passwd");
    put_file(*state, "tree/etc/a.conf", "a");
    put_file(*state, "links/etc/b", "b");
    assert_int_equal(symlink("/etc/passwd", link), 0);
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        ERROR_AUTO struct error err = {0};
        RECIPE_AUTO struct recipe *recipe = NULL;
        put_file(*state, "r.yaml", wrongs[i].text);
        if (recipe_load_file(path, &recipe, &err) == 0)
            fail_msg("accepted: %s", wrongs[i].text);
        assert_int_equal(err.code, ERR_SPEC);
        assert_contains(err.message, path);
        assert_contains(err.message, wrongs[i].place);
    }
}

static void
test_all_complaints_at_once(void **state)
{
    ERROR_AUTO struct error err = {0};
    RECIPE_AUTO struct recipe *recipe = NULL;
    FREE_AUTO char *path = path_join(*state, "r.yaml");
    put_file(*state, "r.yaml", "name: X\nsteps:\n  - {}\n  - {command: a, family: b}\n");
    assert_int_equal(recipe_load_file(path, &recipe, &err), -1);
    assert_contains(err.message, ":1:7: ");
    assert_contains(err.message, ":3:5: ");
    assert_contains(err.message, ":4:26: ");
}

// An error in an included recipe names that recipe.
static void
test_include_wrong(void **state)
{
    ERROR_AUTO struct error err = {0};
    RECIPE_AUTO struct recipe *recipe = NULL;
    FREE_AUTO char *path = path_join(*state, "r.yaml");
    FREE_AUTO char *inner =
        str_format("%s/in.yaml:2:1: a recipe has no key 'stops'", (char *) *state);
    put_file(*state, "in.yaml", "name: in\nstops: []\n");
    put_file(*state, "r.yaml", "name: x\ninclude: [in.yaml]\n");
    assert_error(recipe_load_file(path, &recipe, &err), &err, ERR_SPEC, inner);
    put_file(*state, "r.yaml", "name: x\ninclude: [r.yaml]\n");
    assert_error(
        recipe_load_file(path, &recipe, &err), &err, ERR_SPEC, "does a recipe include itself?");
    put_file(*state, "r.yaml", "name: x\ninclude: [none.yaml]\n");
    assert_error(recipe_load_file(path, &recipe, &err), &err, ERR_NOT_FOUND, "none.yaml");
}

static void
test_absent(void **state)
{
    ERROR_AUTO struct error err = {0};
    RECIPE_AUTO struct recipe *recipe = NULL;
    FREE_AUTO char *path = path_join(*state, "none.yaml");
    FREE_AUTO char *sentence = str_format("there is no recipe '%s'", path);
    assert_error(recipe_load_file(path, &recipe, &err), &err, ERR_NOT_FOUND, sentence);
    assert_error(recipe_load("none", &recipe, &err), &err, ERR_NOT_FOUND, "none.yaml");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_carried_recipes),
        scratch_test(test_every_step),
        scratch_test(test_modes),
        scratch_test(test_mode_without_a_pattern),
        scratch_test(test_family_filters),
        scratch_test(test_include),
        scratch_test(test_own_files_first),
        scratch_test(test_layout_means_nothing),
        scratch_test(test_meaning_shows),
        scratch_test(test_complaints),
        scratch_test(test_all_complaints_at_once),
        scratch_test(test_include_wrong),
        scratch_test(test_absent),
    };
    unsetenv("AIRBUILD_ASSETS");
    return cmocka_run_group_tests_name("recipes", tests, NULL, NULL);
}
