// test_seed.c - the cloud-init documents of a node and the files inside: golden files, what is
// hidden, hostile values.
// AIRBUILD_REGENERATE=1 rewrites the golden files.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/asset.h"
#include "base/cleanup.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/proc.h"
#include "seed/seed.h"
#include "seed_fixture.h"
#include "yaml/yaml.h"

static int
setup(void **state)
{
    struct fixture *fixture = mem_zero(1, sizeof *fixture);
    fixture_make(fixture);
    *state = fixture;
    return 0;
}

static int
teardown(void **state)
{
    unsetenv("AIRBUILD_ASSETS");
    free(*state);
    return 0;
}

static void
assert_same(const char *folder, const char *name, const char *suffix, const char *text)
{
    FREE_AUTO char *path = str_format("tests/golden/%s/%s.%s", folder, name, suffix);
    assert_golden(path, text);
}

static void
golden(struct fixture *fixture, const char *name, size_t node, bool secrets, bool reveal)
{
    ERROR_AUTO struct error err = {0};
    SEED_AUTO struct seed seed = {0};
    assert_ok(seed_build(&fixture->spec, &fixture->nodes[node], secrets ? &fixture->secrets : NULL,
                  reveal, &seed, &err),
        &err);
    assert_same("seed", name, "user-data", seed.user_data);
    assert_same("seed", name, "meta-data", seed.meta_data);
    assert_same("seed", name, "network-config", seed.network_config);
}

// What a program says of the airbuild.tar in the ISO of a node's seed. The caller frees it.
static char *
early_output(const struct seed *seed, const char *program)
{
    ERROR_AUTO struct error err = {0};
    char *folder = NULL;
    assert_ok(dir_temp("/tmp", "airbuild-test", &folder, &err), &err);
    FREE_AUTO char *path = path_join(folder, "seed.iso");
    assert_ok(iso_write(seed, path, &err), &err);
    FREE_AUTO char *script = str_format("isoinfo -R -i %s -x /airbuild.tar | %s", path, program);
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct proc_options options = {.timeout_ms = 20000};
    PROC_RESULT_AUTO struct proc_result result = {0};
    assert_ok(proc_check(argv, &options, &result, &err), &err);
    assert_ok(dir_remove(folder, &err), &err);
    free(folder);
    return str_dup(result.output.data);
}

static void
golden_early(struct fixture *fixture, const char *name, size_t node)
{
    ERROR_AUTO struct error err = {0};
    SEED_AUTO struct seed seed = {0};
    assert_ok(
        seed_build(&fixture->spec, &fixture->nodes[node], &fixture->secrets, true, &seed, &err),
        &err);
    FREE_AUTO char *list = early_output(&seed, "TZ=UTC tar -tv --numeric-owner"),
                   *facts = early_output(&seed, "tar -xO etc/airbuild/facts"),
                   *written = fixture_file(seed.user_data, "facts");
    assert_string_equal(facts, written);
    FREE_AUTO char *rest = early_output(&seed, "tar -xO --exclude=etc/airbuild/*.conf "
                                               "--exclude=etc/airbuild/haproxy.* "
                                               "--exclude=etc/airbuild/facts");
    FREE_AUTO char *text = str_format("%s\n%s", list, rest);
    assert_same("seed", name, "early", text);
}

static int
facts_of(const struct fixture *fixture, size_t node, char **ret, struct error *err)
{
    SEED_AUTO struct seed seed = {0};
    int answer =
        seed_build(&fixture->spec, &fixture->nodes[node], &fixture->secrets, true, &seed, err);
    *ret = answer == 0 ? fixture_file(seed.user_data, "facts") : NULL;
    return answer;
}

// The configurations of a node.
static void
golden_files(struct fixture *fixture, const char *name, size_t node)
{
    static const char *const names[][2] = {
        [SPEC_HAPROXY] = {"haproxy.cfg", "haproxy.state"},
        [SPEC_REDIS] = {"redis.conf", "sentinel.conf"},
    };
    ERROR_AUTO struct error err = {0};
    SEED_AUTO struct seed seed = {0};
    assert_ok(
        seed_build(&fixture->spec, &fixture->nodes[node], &fixture->secrets, true, &seed, &err),
        &err);
    for (size_t i = 0; i < 2; i++) {
        const char *file = names[fixture->nodes[node].role][i];
        FREE_AUTO char *text = fixture_file(seed.user_data, file);
        assert_non_null(text);
        assert_same("node", name, file, text);
    }
}

static void
test_configurations(void **state)
{
    struct fixture *fixture = *state;
    golden_files(fixture, "head10", 0);
    golden_files(fixture, "work11", 1);
    golden_files(fixture, "work12", 2);
    fixture->spec.redis.auth = false;
    golden_files(fixture, "open-head", 0);
    golden_files(fixture, "open-work12", 2);
    fixture->spec.redis.auth = true;
    fixture->spec.redis.persistence = false;
    golden_files(fixture, "memory-work12", 2);
}

// A cluster without failover, of one worker.
static void
make_single(struct fixture *fixture)
{
    fixture->spec.ha = false;
    fixture->spec.node_count = 2;
    fixture->spec.redis.quorum = 1;
    fixture->spec.redis.min_replicas = 0;
}

static void
test_single_configurations(void **state)
{
    make_single(*state);
    golden_files(*state, "single-head", 0);
    golden_files(*state, "single-work11", 1);
}

static void
test_head(void **state)
{
    golden(*state, "head", 0, true, true);
}

static void
test_worker(void **state)
{
    golden(*state, "worker", 1, true, true);
}

// The files that a node needs before cloud-init.
static void
test_early(void **state)
{
    golden_early(*state, "head", 0);
    golden_early(*state, "worker", 1);
}

static void
test_hidden(void **state)
{
    golden(*state, "worker-hidden", 1, true, false);
}

static void
test_never_launched(void **state)
{
    golden(*state, "worker-never-launched", 1, false, false);
}

// A gateway and name server, a second key, a disk to grow, another account, other settings.
static void
test_nat(void **state)
{
    struct fixture *fixture = *state;
    fixture->spec.network.mode = SPEC_NETWORK_NAT;
    fixture->spec.ssh_user = FIXTURE_TEXT("ops");
    fixture->ssh_keys[0] = FIXTURE_TEXT("ssh-ed25519 AAAAperson a person: \"#'");
    fixture->spec.ssh_keys = (struct strv){fixture->ssh_keys, 1, 2};
    fixture->nodes[2].disk_bytes = 8ULL << 30;
    fixture->spec.redis.persistence = false;
    fixture->spec.redis.auth = false;
    golden(fixture, "worker-nat", 2, true, true);
    golden_early(fixture, "worker-nat", 2);
}

static void
test_single_worker(void **state)
{
    make_single(*state);
    golden(*state, "single", 1, true, true);
}

static void
test_nothing_secret_is_shown(void **state)
{
    struct fixture *fixture = *state;
    ERROR_AUTO struct error err = {0};
    for (size_t i = 0; i < fixture->spec.node_count; i++) {
        SEED_AUTO struct seed seed = {0};
        assert_ok(
            seed_build(&fixture->spec, &fixture->nodes[i], &fixture->secrets, false, &seed, &err),
            &err);
        for (size_t k = 0; k < SECRETS_ACCOUNTS; k++)
            assert_null(strstr(seed.user_data, fixture->secrets.passwords[k]));
        assert_null(strstr(seed.user_data, "OPENSSH PRIVATE KEY"));
        assert_contains(seed.user_data, SEED_HIDDEN);
    }
}

static void
test_head_knows_one_password(void **state)
{
    struct fixture *fixture = *state;
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *facts = NULL;
    assert_ok(facts_of(fixture, 0, &facts, &err), &err);
    for (size_t k = 0; k < SECRETS_ACCOUNTS; k++)
        assert_int_equal(strstr(facts, fixture->secrets.passwords[k]) != NULL, k == SECRETS_CHECK);
}

// A shell that sources the facts gets the values and runs nothing.
static void
test_shell_reads_facts(void **state)
{
    struct fixture *fixture = *state;
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *facts = NULL;
    assert_ok(facts_of(fixture, 1, &facts, &err), &err);
    FREE_AUTO char *script = str_format("set -eu\n%s\nfor w in $workers; do echo \"$w\"; done\n"
                                        "echo \"$node $head $password_status $ha\"\n",
        facts);
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct proc_options options = {.timeout_ms = 20000};
    PROC_RESULT_AUTO struct proc_result result = {0};
    assert_ok(proc_check(argv, &options, &result, &err), &err);
    assert_string_equal(result.output.data,
        "work11=172.31.255.11=1111111111111111111111111111111111111111\n"
        "work12=172.31.255.12=1212121212121212121212121212121212121212\n"
        "work13=172.31.255.13=1313131313131313131313131313131313131313\n"
        "work11 172.31.255.10 StatusStatusStatusStatusStatusSt yes\n");
}

// ---- hostile values -----------------------------------------------------------------------------

static const char *const hostile[] = {"a'b", "a;reboot", "$(reboot)", "`reboot`", "a\nb", "a\"b",
    "a\\b", "a&b", "a|b", "a\tb", "<a>", "\xc3\xa4", "a*", "a{b", "a#b", "a@b"};

// Texts of the spec that a shell would interpret are refused in the facts.
static void
test_facts_refuse_hostile_values(void **state)
{
    struct fixture *fixture = *state;
    char **places[] = {&fixture->spec.cluster, &fixture->spec.network.subnet,
        &fixture->spec.redis.master_name, &fixture->nodes[0].address, &fixture->nodes[1].name,
        &fixture->nodes[1].address, &fixture->own[2].sentinel_id, &fixture->secrets.passwords[0]};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        for (size_t k = 0; k < sizeof hostile / sizeof *hostile; k++) {
            ERROR_AUTO struct error err = {0};
            FREE_AUTO char *facts = NULL;
            char *kept = *places[i], *own_name = fixture->own[1].name;
            *places[i] = FIXTURE_TEXT(hostile[k]);
            fixture->own[1].name = fixture->nodes[1].name;
            assert_error(
                facts_of(fixture, 1, &facts, &err), &err, ERR_SPEC, "; use letters, digits");
            assert_null(facts);
            *places[i] = kept;
            fixture->own[1].name = own_name;
        }
    }
}

static void
test_hosts_refuse_hostile_names(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"a\n6.6.6.6 head10", "a b", "a#", ""};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        ERROR_AUTO struct error err = {0};
        SEED_AUTO struct seed seed = {0};
        fixture->nodes[0].address = FIXTURE_TEXT(names[k]);
        assert_error(seed_build(&fixture->spec, &fixture->nodes[1], NULL, false, &seed, &err), &err,
            ERR_SPEC, "cannot");
    }
}

static const char *
value_of(const char *text, const char *first, const char *second, struct yaml_node **ret)
{
    YAML_SOURCE_AUTO struct yaml_source source = {
        .origin = "test", .text = text, .length = strlen(text)};
    *ret = yaml_read(&source);
    assert_non_null(*ret);
    const struct yaml_node *node = yaml_get(*ret, first);
    if (node->kind == YAML_LIST)
        node = node->items[0];
    return second == NULL ? node->text : yaml_get(node, second)->text;
}

// Texts that do not reach a shell survive YAML unchanged.
static void
test_yaml_keeps_hostile_values(void **state)
{
    struct fixture *fixture = *state;
    static const char *const users[] = {"a: b", "- a", "a\nroot: x", "@name@", "'", "\"", "# a",
        "true", "0", "null", "~", "{a}", "&a", "*a", "!a", "|", ">", "%a", "a\n", " a "};
    for (size_t k = 0; k < sizeof users / sizeof *users; k++) {
        ERROR_AUTO struct error err = {0};
        SEED_AUTO struct seed seed = {0};
        YAML_NODE_AUTO struct yaml_node *root = NULL;
        fixture->spec.ssh_user = FIXTURE_TEXT(users[k]);
        assert_ok(seed_build(&fixture->spec, &fixture->nodes[1], NULL, false, &seed, &err), &err);
        assert_string_equal(value_of(seed.user_data, "users", "name", &root), users[k]);
    }
}

static void
test_unknown_node_in_secrets(void **state)
{
    struct fixture *fixture = *state;
    ERROR_AUTO struct error err = {0};
    SEED_AUTO struct seed seed = {0};
    fixture->secrets.node_count = 3;
    assert_error(
        seed_build(&fixture->spec, &fixture->nodes[1], &fixture->secrets, true, &seed, &err), &err,
        ERR_FAILED, "lack node 'work13'");
    assert_null(seed.user_data);
}

// ---- the user's own templates -------------------------------------------------------------------

static int
build_with(struct fixture *fixture, const char *name, const char *text, struct seed *ret,
    struct error *err)
{
    char *folder = NULL;
    assert_ok(dir_temp("/tmp", "airbuild-test", &folder, err), err);
    FREE_AUTO char *path = path_join(folder, name), *below = path_folder(path);
    assert_ok(dir_make(below, 0755, err), err);
    assert_ok(file_write(path, 0644, text, strlen(text), err), err);
    setenv("AIRBUILD_ASSETS", folder, 1);
    int answer = seed_build(&fixture->spec, &fixture->nodes[1], &fixture->secrets, true, ret, err);
    ERROR_AUTO struct error later = {0};
    assert_ok(dir_remove(folder, &later), &later);
    free(folder);
    return answer;
}

static void
test_own_template(void **state)
{
    ERROR_AUTO struct error err = {0};
    SEED_AUTO struct seed seed = {0};
    assert_ok(
        build_with(*state, "cloud-init/redis/network-config.yaml",
            "version: 2\nethernets:\n  lan:\n    match: {macaddress: '@mac@'}\n    mtu: 9000\n"
            "    addresses: ['@address@/@prefix@']\n    gateway4: '@gateway@'\n",
            &seed, &err),
        &err);
    // A text right below a mapping removes the mapping: lan is gone, and everything above it.
    assert_string_equal(seed.network_config, "version: 2\n");
    assert_null(seed.network); // only cloud-init understands it
}

static void
test_own_template_that_forgets(void **state)
{
    ERROR_AUTO struct error err = {0};
    SEED_AUTO struct seed seed = {0};
    assert_error(build_with(*state, "cloud-init/redis/user-data.yaml",
                     "#cloud-config\nhostname: '@name@'\n", &seed, &err),
        &err, ERR_SPEC, "does not contain '@facts@'");
}

static void
test_own_configuration(void **state)
{
    ERROR_AUTO struct error err = {0};
    SEED_AUTO struct seed seed = {0};
    assert_ok(build_with(*state, "cloud-init/redis/redis.conf",
                  "bind @address@\n@when auth=yes@\nrequirepass x\n@end@\n", &seed, &err),
        &err);
    assert_contains(seed.user_data, "    bind 172.31.255.11\n    requirepass x\n");
}

static void
test_own_configuration_that_is_wrong(void **state)
{
    ERROR_AUTO struct error err = {0};
    SEED_AUTO struct seed seed = {0};
    assert_error(build_with(*state, "cloud-init/redis/sentinel.conf", "port 1\nbind @addres@\n",
                     &seed, &err),
        &err, ERR_SPEC,
        "cloud-init/redis/sentinel.conf:2:1: there is no value '@addres@'; did you mean "
        "'@address@'?");
}

// A head's template cannot spread what the head need not know.
static void
test_head_has_no_other_password(void **state)
{
    struct fixture *fixture = *state;
    ERROR_AUTO struct error err = {0};
    SEED_AUTO struct seed seed = {0};
    assert_ok(
        seed_build(&fixture->spec, &fixture->nodes[0], &fixture->secrets, true, &seed, &err), &err);
    for (size_t k = 0; k < 2; k++) {
        FREE_AUTO char *text =
            fixture_file(seed.user_data, k == 0 ? "haproxy.cfg" : "haproxy.state");
        assert_non_null(text);
        for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
            if (i != SECRETS_CHECK)
                assert_null(strstr(text, fixture->secrets.passwords[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_configurations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_single_configurations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_configuration_that_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_has_no_other_password, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_worker, setup, teardown),
        cmocka_unit_test_setup_teardown(test_early, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hidden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never_launched, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nat, setup, teardown),
        cmocka_unit_test_setup_teardown(test_single_worker, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_secret_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_knows_one_password, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shell_reads_facts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_facts_refuse_hostile_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hosts_refuse_hostile_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_yaml_keeps_hostile_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_node_in_secrets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_template, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_template_that_forgets, setup, teardown),
    };
    return cmocka_run_group_tests_name("seed", tests, NULL, NULL);
}
