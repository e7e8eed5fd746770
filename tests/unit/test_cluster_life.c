// test_cluster_life.c - a cluster is born and dies whole, and is not mistaken for another of its
// name.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "life_fixture.h"

#include "cluster/definition.h"

static void
test_birth_and_death(void **state)
{
    struct life *life = *state;
    bool found;
    assert_ok(launch(life), &life->err);
    assert_domains(life, 4, VIRT_RUNNING);
    RECORD_AUTO struct record *born = record(life);
    assert_int_equal(strlen(born->id), RECORD_ID_LENGTH);
    assert_true(born->founded && !born->old);
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    assert_ok(virt_domain_look(life->world, "work11", &info, &life->err), &life->err);
    assert_string_equal(info.id, born->id);
    assert_false(info.ours); // of a connection that acts for nobody
    assert_plan(life, "");
    assert_int_equal(count_users(life, KEY_LAYER), 1);
    assert_int_equal(count_users(life, KEY_BASE), 1);
    assert_ok(cluster_destroy(life->spec, NULL, &found, &life->err), &life->err);
    assert_true(found);
    assert_domains(life, 0, VIRT_OFF);
    assert_int_equal(count_users(life, KEY_BASE), 0);
    STRV_AUTO struct strv left = {0};
    FREE_AUTO char *parent = cluster_parent();
    assert_ok(dir_list(parent, &left, &life->err), &life->err);
    assert_int_equal(left.count, 0);
}

// The next lock removes the remnants of a process that was killed making or removing a cluster.
static void
test_remnants_go(void **state)
{
    struct life *life = *state;
    CLOSE_AUTO int lock = -1;
    FREE_AUTO char *parent = cluster_parent();
    FREE_AUTO char *gone = path_join(parent, ".air.gone-abc/nodes/work11");
    FREE_AUTO char *new = path_join(parent, ".air.new-Xyz123");
    FREE_AUTO char *other = path_join(parent, ".air2.new-Xyz123");
    assert_ok(store_pin(life->store, KEY_LAYER, "abc", "/x", &life->err), &life->err);
    assert_ok(dir_make(gone, 0711, &life->err), &life->err);
    assert_ok(dir_make(new, 0711, &life->err), &life->err);
    assert_ok(dir_make(other, 0711, &life->err), &life->err);
    assert_true(state_has_any(life->spec));
    assert_ok(state_lock(life->spec, &lock, &life->err), &life->err);
    assert_false(file_exists(gone) || file_exists(new));
    assert_true(file_exists(other)); // of a cluster that another process may have locked
    assert_false(state_has_any(life->spec));
    assert_int_equal(count_users(life, KEY_LAYER), 0);
}

// A launch that fails before the first domain runs removes what it made, and nothing else.
static void
test_failed_first_launch(void **state)
{
    struct life *life = *state;
    FREE_AUTO char *folder = cluster_folder(life->spec);
    free(life->spec->uri);
    life->spec->uri = str_dup("test:///nonexistent.xml");
    assert_int_equal(launch(life), -1);
    assert_false(file_exists(folder));
    error_clear(&life->err);
    assert_ok(dir_make(folder, 0711, &life->err), &life->err);
    put_file(folder, "lock", ""); // of an older version that was killed
    free(life->spec->uri);
    life->spec->uri = str_dup("test:///default");
    assert_ok(launch(life), &life->err);
}

static void
test_lost_record_or_secrets(void **state)
{
    struct life *life = *state;
    static const char *const parts[] = {"cluster.json", "secrets.json"};
    bool found;
    assert_ok(launch(life), &life->err);
    power_off(life);
    FREE_AUTO char *disk = file_of(life, "work12", "disk.qcow2");
    for (size_t i = 0; i < 2; i++) {
        FREE_AUTO char *path = part(life, parts[i]), *away = str_format("%s.away", path);
        assert_int_equal(rename(path, away), 0);
        assert_error(launch(life), &life->err, ERR_DAMAGED, "restore that file from a copy");
        put_text(path, "{\"format\": 2,");
        assert_error(launch(life), &life->err, ERR_DAMAGED, "airbuild destroy");
        put_text(path, "");
        assert_error(launch(life), &life->err, ERR_DAMAGED, "airbuild destroy");
        assert_true(file_exists(disk));
        assert_int_equal(rename(away, path), 0);
    }
    FREE_AUTO char *record_path = part(life, "cluster.json");
    assert_int_equal(unlink(record_path), 0);
    assert_ok(cluster_destroy(life->spec, NULL, &found, &life->err), &life->err);
    assert_domains(life, 0, VIRT_OFF); // recognized by the folder in their metadata
    assert_int_equal(count_users(life, KEY_LAYER), 0);
}

static void
test_newer_record(void **state)
{
    struct life *life = *state;
    bool found;
    FREE_AUTO char *folder = cluster_folder(life->spec);
    assert_ok(dir_make(folder, 0711, &life->err), &life->err);
    put_file(folder, "cluster.json", "{\"format\": 3, \"spec\": \"\"}");
    assert_error(launch(life), &life->err, ERR_CONFLICT, "newer airbuild");
    assert_error(
        cluster_destroy(life->spec, NULL, &found, &life->err), &life->err, ERR_CONFLICT, "newer");
    assert_true(file_exists(folder));
}

static void
test_folder_of_another_user(void **state)
{
    struct life *life = *state;
    bool found;
    if (geteuid() != 0)
        return;
    FREE_AUTO char *folder = cluster_folder(life->spec);
    assert_ok(dir_make(folder, 0711, &life->err), &life->err);
    assert_int_equal(chown(folder, 12345, 12345), 0);
    assert_error(launch(life), &life->err, ERR_ACCESS, "12345");
    assert_error(
        cluster_destroy(life->spec, NULL, &found, &life->err), &life->err, ERR_ACCESS, "12345");
    assert_true(file_exists(folder));
}

static void
test_same_name_of_another_home(void **state)
{
    struct life *life = *state;
    bool found;
    assert_ok(launch(life), &life->err);
    FREE_AUTO char *first = cluster_folder(life->spec);
    use_home(life, "two");
    CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
    assert_int_equal(made->conflicts.count, 5);
    assert_error(launch(life), &life->err, ERR_CONFLICT, first);
    // A home with a cluster of the same name: with an id, and without as older versions made it.
    for (int format = 1; format <= 2; format++) {
        RECORD_AUTO struct record *own = NULL;
        SECRETS_AUTO struct secrets *secrets = NULL;
        FREE_AUTO char *id = str_dup("00000000000000000000000000000000"), *before = NULL;
        assert_ok(state_create(life->spec, id, NULL, false, &own, &secrets, &before, &life->err),
            &life->err);
        assert_null(before);
        FREE_AUTO char *path = part(life, "cluster.json");
        if (format == 1)
            put_text(path, "{\"format\": 1, \"spec\": \"\", \"network\": \"air\", \"images\": {}}");
        assert_error(launch(life), &life->err, ERR_CONFLICT, first);
        assert_error(
            cluster_stop(life->spec, NULL, NULL, &life->err), &life->err, ERR_CONFLICT, first);
        assert_domains(life, 4, VIRT_RUNNING);
        assert_ok(cluster_destroy(life->spec, NULL, &found, &life->err), &life->err);
        assert_domains(life, 4, VIRT_RUNNING);
    }
    use_home(life, "one");
    assert_plan(life, ""); // its network is there too
}

// A cluster of an older version: its metadata carry the name alone.
static void
test_adoption(void **state)
{
    struct life *life = *state;
    bool found;
    assert_ok(launch(life), &life->err);
    power_off(life);
    // Its domains and record as the previous version wrote them.
    SESSION_AUTO struct session session = {.lock = -1};
    assert_ok(session_open(life->spec, false, &session, &life->err), &life->err);
    assert_ok(session_connect(&session, &life->err), &life->err);
    for (size_t i = 0; i < life->spec->node_count; i++) {
        FREE_AUTO char *disk = file_of(life, life->spec->nodes[i].name, "disk.qcow2");
        const struct virt_image chain[] = {{disk, "qcow2"}};
        const struct virt_disk top = {chain, 1, false, "root"};
        struct virt_domain domain = node(life->spec->nodes[i].name);
        domain.disks = &top;
        assert_ok(virt_domain_define(session.virt, &domain, &life->err), &life->err);
    }
    assert_ok(virt_network_remove(session.virt, "air", "air", &life->err), &life->err);
    NETWORK_DEFINITION_AUTO struct network_definition definition;
    network_definition_fill(&definition, life->spec, NULL);
    definition.network.folder = NULL;
    assert_ok(virt_network_ensure(session.virt, &definition.network, &life->err), &life->err);
    FREE_AUTO char *path = part(life, "cluster.json"), *text = NULL;
    assert_ok(file_read(path, 1 << 20, &text, NULL, &life->err), &life->err);
    json_auto_t *root = NULL;
    assert_ok(parse_json(text, strlen(text), &root, &life->err), &life->err);
    json_object_set_new(root, "format", json_integer(1));
    json_object_set_new(root, "id", json_null());
    json_object_set_new(root, "founded", json_null());
    FREE_AUTO char *before = print_json(root, true);
    put_text(path, before);
    assert_plan(life, "define domain head10|start domain head10|define domain work11|start domain "
                      "work11|define domain work12|start domain work12|define domain "
                      "work13|start domain work13");
    FREE_AUTO char *after = NULL;
    assert_ok(file_read(path, 1 << 20, &after, NULL, &life->err), &life->err);
    assert_string_equal(after, before); // plan writes nothing
    assert_ok(launch(life), &life->err);
    RECORD_AUTO struct record *adopted = record(life);
    assert_true(adopted->old && adopted->founded && adopted->id != NULL);
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    assert_ok(virt_domain_look(life->world, "work13", &info, &life->err), &life->err);
    assert_string_equal(info.id, adopted->id);
    assert_ok(cluster_destroy(life->spec, NULL, &found, &life->err), &life->err);
    assert_domains(life, 0, VIRT_OFF);
}

static void
test_changed_defaults(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    struct spec *spec = life->spec; // as another version would resolve the same text
    spec->redis.down_after_ms = 7000;
    spec->nodes[1].memory_mib = 4096;
    assert_plan(life, "");
    cluster_recall(spec);
    assert_int_equal(spec->redis.down_after_ms, 2000);
    assert_int_equal(spec->nodes[1].memory_mib, 768);
    strv_add(&spec->given, "redis.down-after");
    spec->redis.down_after_ms = 7000;
    cluster_recall(spec);
    assert_int_equal(spec->redis.down_after_ms, 7000);
    assert_error(
        launch(life), &life->err, ERR_CONFLICT, "redis.down-after: was 2000ms, now 7000ms");
}

// A new cluster has secrets of its own in any case; one that exists keeps them.
static void
test_new_secrets(void **state)
{
    struct life *life = *state;
    struct launch_options options = ask_for(life);
    options.new_secrets = true;
    assert_ok(launch_as(life, &options), &life->err);
    assert_domains(life, 4, VIRT_RUNNING);
    FREE_AUTO char *path = part(life, "secrets.json"), *before = NULL, *after = NULL;
    size_t length = 0;
    assert_ok(file_read(path, 1 << 20, &before, &length, &life->err), &life->err);
    assert_error(launch_as(life, &options), &life->err, ERR_CONFLICT, "keeps its secrets");
    assert_ok(file_read(path, 1 << 20, &after, &length, &life->err), &life->err);
    assert_string_equal(before, after);
    assert_ok(launch(life), &life->err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        life_test(test_birth_and_death),
        life_test(test_remnants_go),
        life_test(test_failed_first_launch),
        life_test(test_lost_record_or_secrets),
        life_test(test_newer_record),
        life_test(test_folder_of_another_user),
        life_test(test_same_name_of_another_home),
        life_test(test_adoption),
        life_test(test_changed_defaults),
        life_test(test_new_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
