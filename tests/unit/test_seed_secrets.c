// test_seed_secrets.c - the secrets file: created once, kept, extended, refused when damaged; and
// the files for ssh.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "bare_child.h"
#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/proc.h"
#include "seed/secrets.h"
#include "seed_fixture.h"

#include <jansson.h>
#include <sys/stat.h>

static char *
file_text(const char *folder, const char *name)
{
    FREE_AUTO char *path = path_join(folder, name);
    ERROR_AUTO struct error err = {0};
    char *text = NULL;
    assert_ok(file_read(path, 1 << 20, &text, NULL, &err), &err);
    return text;
}

static unsigned
file_mode(const char *folder, const char *name)
{
    FREE_AUTO char *path = path_join(folder, name);
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

static struct secrets *
open_secrets(const char *folder, const struct spec *spec)
{
    ERROR_AUTO struct error err = {0};
    struct secrets *secrets = NULL;
    assert_ok(secrets_open(folder, spec, &secrets, &err), &err);
    return secrets;
}

static void
test_made_whole(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    SECRETS_AUTO struct secrets *secrets = open_secrets(*state, &fixture.spec);
    assert_int_equal(secrets->node_count, 4);
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++) {
        assert_int_equal(strlen(secrets->passwords[i]), 32);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(secrets->passwords[i], secrets->passwords[k]);
    }
    for (size_t i = 0; i < 4; i++) {
        const struct secrets_node *node = secrets_find(secrets, fixture.nodes[i].name);
        assert_non_null(node);
        assert_int_equal(strlen(node->instance_id), 36);
        assert_int_equal(strlen(node->sentinel_id), 40);
        assert_true(str_starts(node->host_key.public, "ssh-ed25519 "));
        assert_true(str_ends(node->host_key.public, fixture.nodes[i].name));
        assert_string_not_equal(node->host_key.public, secrets->client_key.public);
    }
    assert_null(secrets_find(secrets, "work99"));
    assert_int_equal(file_mode(*state, "secrets.json"), 0600);
}

// No key file of ssh-keygen is left; the secrets file is the only file.
static void
test_nothing_else_is_left(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    secrets_free(open_secrets(*state, &fixture.spec));
    assert_ok(dir_list(*state, &names, &err), &err);
    assert_int_equal(names.count, 1);
    assert_string_equal(names.items[0], "secrets.json");
}

static void
test_kept_and_added_to(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    fixture.spec.node_count = 3;
    SECRETS_AUTO struct secrets *first = open_secrets(*state, &fixture.spec);
    FREE_AUTO char *before = file_text(*state, "secrets.json");
    secrets_free(open_secrets(*state, &fixture.spec));
    FREE_AUTO char *same = file_text(*state, "secrets.json");
    assert_string_equal(before, same);

    fixture.spec.node_count = 4;
    SECRETS_AUTO struct secrets *more = open_secrets(*state, &fixture.spec);
    assert_int_equal(more->node_count, 4);
    assert_string_equal(more->passwords[SECRETS_APP], first->passwords[SECRETS_APP]);
    assert_string_equal(more->client_key.private, first->client_key.private);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(more->nodes[i].instance_id, first->nodes[i].instance_id);
        assert_string_equal(more->nodes[i].sentinel_id, first->nodes[i].sentinel_id);
        assert_string_equal(more->nodes[i].host_key.private, first->nodes[i].host_key.private);
    }

    // A node that was removed from the spec is kept, as it may return.
    fixture.spec.node_count = 2;
    SECRETS_AUTO struct secrets *fewer = open_secrets(*state, &fixture.spec);
    assert_int_equal(fewer->node_count, 4);
}

static void
test_new_disk(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    ERROR_AUTO struct error err = {0};
    SECRETS_AUTO struct secrets *secrets = open_secrets(*state, &fixture.spec);
    FREE_AUTO char *id = str_dup(secrets->nodes[1].instance_id);
    FREE_AUTO char *other = str_dup(secrets->nodes[2].instance_id);
    assert_ok(secrets_new_disk(secrets, *state, "work11", true, &err), &err);
    assert_string_not_equal(secrets->nodes[1].instance_id, id);
    assert_true(secrets->nodes[1].joins);

    SECRETS_AUTO struct secrets *stored = NULL;
    assert_ok(secrets_load(*state, &stored, &err), &err);
    assert_string_equal(stored->nodes[1].instance_id, secrets->nodes[1].instance_id);
    assert_string_equal(stored->nodes[2].instance_id, other);
    assert_true(stored->nodes[1].joins);
    assert_false(stored->nodes[2].joins);
    assert_string_equal(stored->nodes[1].sentinel_id, secrets->nodes[1].sentinel_id);
    assert_error(
        secrets_new_disk(secrets, *state, "work99", true, &err), &err, ERR_NOT_FOUND, "'work99'");
}

static void
test_renew(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    ERROR_AUTO struct error err = {0};
    SECRETS_AUTO struct secrets *before = open_secrets(*state, &fixture.spec);
    SECRETS_AUTO struct secrets *secrets = open_secrets(*state, &fixture.spec);
    assert_ok(secrets_new_disk(secrets, *state, "work12", true, &err), &err);
    FREE_AUTO char *id = str_dup(secrets->nodes[2].instance_id);
    assert_ok(secrets_renew(secrets, *state, &fixture.spec, &err), &err);

    SECRETS_AUTO struct secrets *stored = NULL;
    assert_ok(secrets_load(*state, &stored, &err), &err);
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++) {
        assert_string_not_equal(stored->passwords[i], before->passwords[i]);
        assert_string_equal(stored->passwords[i], secrets->passwords[i]);
    }
    assert_string_not_equal(stored->client_key.private, before->client_key.private);
    assert_string_not_equal(stored->client_key.public, before->client_key.public);
    assert_true(str_ends(stored->client_key.public, " airbuild@air"));
    assert_int_equal(stored->node_count, before->node_count);
    for (size_t i = 0; i < stored->node_count; i++) {
        const struct secrets_node *now = &stored->nodes[i], *then = &before->nodes[i];
        assert_string_equal(now->name, then->name);
        assert_string_equal(now->instance_id, i == 2 ? id : then->instance_id);
        assert_string_equal(now->sentinel_id, then->sentinel_id);
        assert_string_not_equal(now->host_key.private, then->host_key.private);
        assert_string_not_equal(now->host_key.public, then->host_key.public);
        assert_true(now->joins == (i == 2));
    }
}

static void
test_load_makes_nothing(void **state)
{
    ERROR_AUTO struct error err = {0};
    SECRETS_AUTO struct secrets *secrets = NULL;
    FREE_AUTO char *path = path_join(*state, "secrets.json");
    assert_error(secrets_load(*state, &secrets, &err), &err, ERR_NOT_FOUND, path);
    assert_false(file_exists(path));
}

// ---- damage -------------------------------------------------------------------------------------

// Assert that open and load refuse the file with this text, say why, and do not change it.
static void
assert_damaged(const char *folder, const char *text, size_t length, const char *what)
{
    struct fixture fixture;
    fixture_make(&fixture);
    FREE_AUTO char *path = path_join(folder, "secrets.json"), *after = NULL;
    ERROR_AUTO struct error err = {0};
    struct secrets *secrets = NULL;
    size_t after_length;
    assert_ok(file_write(path, 0600, text, length, &err), &err);
    assert_error(secrets_open(folder, &fixture.spec, &secrets, &err), &err, ERR_DAMAGED, what);
    assert_error(secrets_load(folder, &secrets, &err), &err, ERR_DAMAGED, path);
    assert_null(secrets);
    assert_ok(file_read(path, 1 << 20, &after, &after_length, &err), &err);
    assert_int_equal(after_length, length);
    assert_memory_equal(after, text, length);
}

static void
test_no_json(void **state)
{
    assert_damaged(*state, "", 0, "damaged");
    assert_damaged(*state, "{", 1, "damaged");
    assert_damaged(*state, "\0\0\0", 3, "damaged");
    assert_damaged(*state, "[]", 2, "'format'");
    assert_damaged(*state, "{}", 2, "'format'");
    assert_damaged(*state, "{\"format\": 2}", 13, "'format'");
    assert_damaged(*state, "{\"format\": 1}", 13, "'app' is missing");
}

// Replace one member of a good file: path is its place, value the new text (NULL: a number).
static void
test_wrong_members(void **state)
{
    static const struct {
        const char *from, *to, *what;
    } rows[] = {
        {"\"app\"", "\"app_\"", "passwords: 'app' is missing"},
        {"\"status\": \"", "\"status\": \"x", "'status' is malformed"},
        {"\"check\": \"", "\"check\": \"$(reboot)", "'check' is malformed"},
        {"\"client_key\"", "\"client\"", "client_key: 'private' is missing"},
        {"BEGIN OPENSSH", "BEGIN OPENSSL", "'private' is not an OpenSSH key"},
        {"\"ssh-ed25519 ", "\"ssh-rsa ", "'public' is not an ed25519 key"},
        {"\"ssh-ed25519 ", "\"ssh-ed25519 A\\nroot ", "'public' is not an ed25519 key"},
        {"\"instance_id\": \"", "\"instance_id\": \"Z", "node 'head10': 'instance_id'"},
        {"\"sentinel_id\": \"", "\"sentinel_id\": \"0", "node 'head10': 'sentinel_id'"},
        {"\"name\": \"work11\"", "\"name\": \"head10\"", "a node has no name or a duplicate one"},
        {"\"name\": \"work11\"", "\"name\": 11", "a node has no name or a duplicate one"},
    };
    struct fixture fixture;
    fixture_make(&fixture);
    secrets_free(open_secrets(*state, &fixture.spec));
    FREE_AUTO char *good = file_text(*state, "secrets.json");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *at = strstr(good, rows[i].from);
        assert_non_null(at);
        FREE_AUTO char *bad =
            str_format("%.*s%s%s", (int) (at - good), good, rows[i].to, at + strlen(rows[i].from));
        assert_damaged(*state, bad, strlen(bad), rows[i].what);
    }
}

static void
test_cut_anywhere(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    secrets_free(open_secrets(*state, &fixture.spec));
    FREE_AUTO char *good = file_text(*state, "secrets.json");
    // A missing last newline is no damage.
    for (size_t length = 0; length + 1 < strlen(good); length += 37)
        assert_damaged(*state, good, length, "damaged");
}

// A folder or device of that name is not replaced by a new file.
static void
test_not_a_file(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    FREE_AUTO char *path = path_join(*state, "secrets.json");
    ERROR_AUTO struct error err = {0};
    SECRETS_AUTO struct secrets *secrets = NULL;
    assert_ok(dir_make(path, 0700, &err), &err);
    assert_error(secrets_open(*state, &fixture.spec, &secrets, &err), &err, ERR_FAILED, path);
}

static int
open_without_programs(void *folder)
{
    struct fixture fixture;
    fixture_make(&fixture);
    ERROR_AUTO struct error err = {0};
    SECRETS_AUTO struct secrets *secrets = NULL;
    if (secrets_open(folder, &fixture.spec, &secrets, &err) == 0 || err.code != ERR_MISSING)
        return 1;
    return strstr(err.message, "'openssh-client' (Debian) or 'openssh' (Arch)") ? 0 : 2;
}

static void
test_no_ssh_keygen(void **state)
{
    ERROR_AUTO struct error err = {0};
    STRV_AUTO struct strv names = {0};
    assert_int_equal(bare_child(*state, open_without_programs, *state), 0);
    assert_ok(dir_list(*state, &names, &err), &err);
    assert_int_equal(names.count, 0);
}

// ---- ssh ----------------------------------------------------------------------------------------

static void
write_ssh(const char *folder, const struct secrets *secrets, const struct spec *spec)
{
    ERROR_AUTO struct error err = {0};
    assert_ok(secrets_write_ssh(secrets, folder, spec, &err), &err);
}

static void
test_ssh_files(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    write_ssh(*state, &fixture.secrets, &fixture.spec);
    FREE_AUTO char *hosts = file_text(*state, "ssh/known_hosts");
    FREE_AUTO char *private = file_text(*state, "ssh/id_ed25519");
    FREE_AUTO char *public = file_text(*state, "ssh/id_ed25519.pub");
    assert_string_equal(hosts, "head10,172.31.255.10 ssh-ed25519 AAAAhost10 head10\n"
                               "work11,172.31.255.11 ssh-ed25519 AAAAhost11 work11\n"
                               "work12,172.31.255.12 ssh-ed25519 AAAAhost12 work12\n"
                               "work13,172.31.255.13 ssh-ed25519 AAAAhost13 work13\n");
    assert_string_equal(private, fixture.secrets.client_key.private);
    assert_string_equal(public, "ssh-ed25519 AAAAclient airbuild@air\n");
    assert_int_equal(file_mode(*state, "ssh"), 0700);
    assert_int_equal(file_mode(*state, "ssh/id_ed25519"), 0600);
}

// Only differences are written, a wrong mode included.
static void
test_ssh_files_are_repaired(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    write_ssh(*state, &fixture.secrets, &fixture.spec);
    FREE_AUTO char *key = path_join(*state, "ssh/id_ed25519");
    FREE_AUTO char *config = path_join(*state, "ssh/config");
    struct stat before, after;
    assert_int_equal(stat(config, &before), 0);
    assert_int_equal(chmod(key, 0644), 0);
    write_ssh(*state, &fixture.secrets, &fixture.spec);
    assert_int_equal(file_mode(*state, "ssh/id_ed25519"), 0600);
    assert_int_equal(stat(config, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

// ssh accepts the configuration, with spaces and percent signs in the path.
static void
test_ssh_understands(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *folder = path_join(*state, "a %h b");
    assert_ok(dir_make(folder, 0711, &err), &err);
    write_ssh(folder, &fixture.secrets, &fixture.spec);
    FREE_AUTO char *config = path_join(folder, "ssh/config");
    const char *const names[] = {"work12", "172.31.255.12"};
    for (size_t i = 0; i < 2; i++) {
        const char *const argv[] = {"ssh", "-G", "-F", config, names[i], NULL};
        const struct proc_options options = {.timeout_ms = 20000};
        PROC_RESULT_AUTO struct proc_result result = {0};
        assert_ok(proc_check(argv, &options, &result, &err), &err);
        FREE_AUTO char *known = str_format("userknownhostsfile %s/ssh/known_hosts\n", folder);
        assert_contains(result.output.data, known);
        assert_contains(result.output.data, "hostname 172.31.255.12\n");
        assert_contains(result.output.data, "user air\n");
        assert_contains(result.output.data, "stricthostkeychecking true\n");
        assert_contains(result.output.data, "identitiesonly yes\n");
    }
}

static void
test_ssh_refuses_odd_folder(void **state)
{
    struct fixture fixture;
    fixture_make(&fixture);
    static const char *const odd[] = {"a\"b", "a$b", "a\nb", "a\\b"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *folder = path_join(*state, odd[i]);
        assert_ok(dir_make(folder, 0711, &err), &err);
        assert_error(secrets_write_ssh(&fixture.secrets, folder, &fixture.spec, &err), &err,
            ERR_USAGE, "AIRBUILD_HOME");
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_make, scratch_remove)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_made_whole),
        TEST(test_nothing_else_is_left),
        TEST(test_kept_and_added_to),
        TEST(test_new_disk),
        TEST(test_renew),
        TEST(test_load_makes_nothing),
        TEST(test_no_json),
        TEST(test_wrong_members),
        TEST(test_cut_anywhere),
        TEST(test_not_a_file),
        TEST(test_no_ssh_keygen),
        TEST(test_ssh_files),
        TEST(test_ssh_files_are_repaired),
        TEST(test_ssh_understands),
        TEST(test_ssh_refuses_odd_folder),
    };
    return cmocka_run_group_tests_name("seed secrets", tests, NULL, NULL);
}
