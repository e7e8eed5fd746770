// test_cluster_freeze.c - a cluster is frozen and thawed; what a freeze that was cut short leaves
// is taken up.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "life_fixture.h"

#include "cluster/freeze.h"
#include "cluster/frozen.h"
#include "cluster/thaw.h"
#include "virt/memory.h"

static int
freeze(struct life *life, struct freeze_report *ret)
{
    SESSION_AUTO struct session session = {.lock = -1};
    if (session_open_launched(life->spec, true, &session, &life->err) < 0)
        return -1;
    return freeze_in_session(&session, false, NULL, ret, &life->err);
}

static char *
freeze_ok(struct life *life)
{
    struct freeze_report report = {0};
    assert_ok(freeze(life, &report), &life->err);
    return report.folder;
}

static void
destroy(struct life *life)
{
    bool found;
    assert_ok(cluster_destroy(life->spec, NULL, &found, &life->err), &life->err);
    assert_true(found);
}

// action: "write" or "read" of qemu-io; returns what that did.
static int
disk_io(struct life *life, const char *node, const char *action, const char *pattern)
{
    FREE_AUTO char *disk = file_of(life, node, "disk.qcow2");
    FREE_AUTO char *command = str_format("%s -q -P %s 1M 4k", action, pattern);
    const char *argv[] = {"qemu-io", "-c", command, disk, NULL};
    struct proc_options options = {.timeout_ms = 60000};
    return proc_check(argv, &options, NULL, &life->err);
}

static void
put_data(struct life *life, const char *node, const char *pattern)
{
    assert_ok(disk_io(life, node, "write", pattern), &life->err);
}

static bool
has_data(struct life *life, const char *node, const char *pattern)
{
    bool has = disk_io(life, node, "read", pattern) == 0;
    error_clear(&life->err);
    return has;
}

static void
put_bytes(const char *path, const char *data, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static char *
frozen_note(struct life *life)
{
    CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
    return strv_join(&made->notes, "|");
}

static void
test_freeze_and_thaw(void **state)
{
    struct life *life = *state;
    struct stat info;
    assert_ok(launch(life), &life->err);
    put_data(life, "work11", "0x11");
    FREE_AUTO char *set = freeze_ok(life);
    assert_domains(life, 4, VIRT_RUNNING);
    assert_plan(life, "");
    assert_mode(set, 0700);
    FREE_AUTO char *secrets = frozen_path(set, NULL, FROZEN_SECRETS);
    FREE_AUTO char *memory = frozen_path(set, "work12", FROZEN_MEMORY);
    FREE_AUTO char *left = file_of(life, "work12", THAW_MEMORY);
    assert_mode(secrets, 0600);
    assert_mode(memory, 0600);
    assert_false(file_exists(left));
    FREE_AUTO char *before = NULL, *after = NULL;
    size_t length = 0;
    FREE_AUTO char *own = part(life, "secrets.json");
    assert_ok(file_read(own, 1 << 20, &before, &length, &life->err), &life->err);
    put_data(life, "work11", "0x22");
    destroy(life);
    // Thawed twice, as the set does not change.
    for (int i = 0; i < 2; i++) {
        CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
        assert_non_null(made->frozen);
        assert_int_equal(made->notes.count, 0);
        assert_ok(launch(life), &life->err);
        assert_domains(life, 4, VIRT_RUNNING);
        assert_true(has_data(life, "work11", "0x11"));
        put_data(life, "work11", "0x33");
        assert_ok(file_read(own, 1 << 20, &after, &length, &life->err), &life->err);
        assert_string_equal(before, after);
        free(TAKE(after));
        assert_int_equal(count_users(life, KEY_LAYER), 1);
        assert_int_equal(stat(left, &info), -1);
        assert_plan(life, "");
        destroy(life);
    }
}

static void
test_set_that_does_not_match(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    free(freeze_ok(life));
    destroy(life);
    struct launch_options cold = ask_for(life);
    cold.cold = true;
    assert_ok(launch_as(life, &cold), &life->err);
    put_data(life, "work11", "0x44");
    destroy(life);
    // The note says what differs.
    unsigned memory = life->spec->nodes[1].memory_mib;
    life->spec->nodes[1].memory_mib = memory + 64;
    FREE_AUTO char *note = frozen_note(life);
    assert_contains(note, "no frozen set matches");
    assert_contains(note, "memory");
    assert_contains(note, "the nodes boot");
    life->spec->nodes[1].memory_mib = memory;
    FREE_AUTO char *none = frozen_note(life);
    assert_string_equal(none, "");
}

// A freeze that was killed leaves nodes off with their memory beside their disks.
static void
test_freeze_cut_short(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    FREE_AUTO char *path = file_of(life, "work12", THAW_MEMORY);
    FREE_AUTO char *other = file_of(life, "work13", THAW_MEMORY);
    for (int i = 0; i < 2; i++) {
        SESSION_AUTO struct session session = {.lock = -1};
        assert_ok(session_open_launched(life->spec, true, &session, &life->err), &life->err);
        struct virt_memory items[] = {{"work12", path, NULL}, {"work13", other, NULL}};
        assert_ok(virt_domain_suspend(session.virt, "air", "head10", &life->err), &life->err);
        assert_ok(virt_memory_save(session.virt, "air", items, 2, 60000, &life->err), &life->err);
        session_close(&session);
        if (i == 0) // it has run since
            put_data(life, "work13", "0x55");
        CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
        size_t from_memory = 0;
        for (size_t k = 0; k < made->count; k++)
            from_memory += strstr(made->steps[k].detail, "saved memory") != NULL;
        assert_int_equal(from_memory, i == 0 ? 1 : 2);
        assert_ok(launch(life), &life->err);
        assert_domains(life, 4, VIRT_RUNNING);
        assert_false(file_exists(path) || file_exists(other));
        assert_plan(life, "");
    }
}

// A thaw that was cut short begins again, unless a domain has run since.
static void
test_thaw_cut_short(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    put_data(life, "work11", "0x11");
    FREE_AUTO char *set = freeze_ok(life);
    destroy(life);
    for (int i = 0; i < 3; i++) {
        assert_ok(launch(life), &life->err);
        power_off(life);
        RECORD_AUTO struct record *cut = record(life);
        FREE_AUTO char *folder = cluster_folder(life->spec);
        assert_null(cut->thaws);
        cut->thaws = str_dup(strrchr(set, '/') + 1);
        assert_ok(record_save(folder, cut, &life->err), &life->err);
        if (i == 0) { // killed while it copied
            SESSION_AUTO struct session session = {.lock = -1};
            assert_ok(session_open_launched(life->spec, true, &session, &life->err), &life->err);
            assert_ok(virt_domain_undefine(session.virt, "air", "work12", &life->err), &life->err);
            remove_file(life, "work12", "disk.qcow2");
        }
        if (i == 2)
            put_data(life, "work11", "0x22");
        CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
        assert_int_equal(made->again, i < 2);
        assert_int_equal(made->frozen != NULL, i < 2);
        assert_string_equal(made->steps[0].verb, "keep"); // the network
        assert_string_equal(made->steps[1].verb, i < 2 ? "make" : "keep");
        assert_ok(launch(life), &life->err);
        assert_domains(life, 4, VIRT_RUNNING);
        assert_true(has_data(life, "work11", i < 2 ? "0x11" : "0x22"));
        RECORD_AUTO struct record *now = record(life);
        assert_null(now->thaws);
        assert_string_equal(now->id, cut->id);
        assert_int_equal(count_users(life, KEY_LAYER), 1);
        destroy(life);
    }
}

static void
test_cut_memory(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    power_off(life);
    FREE_AUTO char *path = file_of(life, "work12", THAW_MEMORY);
    put_text(path, "TestGuestMag"); // the save was cut short
    assert_ok(launch(life), &life->err);
    assert_domains(life, 4, VIRT_RUNNING);
    assert_false(file_exists(path));
}

// Changes one bit of the set's memory of work12.
static void
damage(struct life *life, const char *set)
{
    FREE_AUTO char *memory = frozen_path(set, "work12", FROZEN_MEMORY), *data = NULL;
    size_t length = 0;
    assert_ok(file_read(memory, 1 << 20, &data, &length, &life->err), &life->err);
    data[length / 2] ^= 0x20;
    put_bytes(memory, data, length);
}

static void
test_damaged_set(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    FREE_AUTO char *set = freeze_ok(life);
    FREE_AUTO char *folder = cluster_folder(life->spec);
    destroy(life);
    damage(life, set);
    assert_error(launch(life), &life->err, ERR_DAMAGED, "('work12/memory.zst' is damaged");
    assert_false(file_exists(folder)); // nothing half-made stays
    assert_domains(life, 0, VIRT_OFF);
    FREE_AUTO char *note = frozen_note(life);
    assert_contains(note, "is damaged (");
    assert_contains(note, "work12/memory.zst");
    assert_contains(note, "('airbuild images prune' removes it): the nodes boot");
    assert_ok(launch(life), &life->err);
    assert_plan(life, "");
}

// What names and sizes tell is found before anything is changed.
static void
test_set_with_a_missing_file(void **state)
{
    struct life *life = *state;
    struct launch_options options = ask_for(life);
    CLUSTER_REPORT_AUTO struct cluster_report *report = NULL;
    assert_ok(launch(life), &life->err);
    FREE_AUTO char *set = freeze_ok(life);
    FREE_AUTO char *memory = frozen_path(set, "work11", FROZEN_MEMORY);
    FREE_AUTO char *manifest = frozen_path(set, NULL, FROZEN_MANIFEST);
    FREE_AUTO char *away = str_format("%s.away", memory);
    FREE_AUTO char *other = str_format("%s.away", manifest);
    assert_int_equal(rename(memory, away), 0);
    assert_error(cluster_reset(&options, &report, &life->err), &life->err, ERR_NOT_FOUND,
        "lacks work11/memory.zst ('airbuild images prune' removes it); nothing was changed");
    assert_domains(life, 4, VIRT_RUNNING);
    destroy(life);
    const char *const texts[] = {"", "[]", "{\"depends\": {}}", "{\"depends\": 3}", "{"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts + 3; i++) {
        if (i == 1)
            put_text(memory, "short");
        if (i == 2)
            assert_int_equal(rename(manifest, other), 0);
        if (i > 2)
            put_text(manifest, texts[i - 3]);
        FREE_AUTO char *note = frozen_note(life);
        const char *wanted[] = {"lacks work11/memory.zst (",
            "has 5 bytes of work11/memory.zst where", "lacks manifest.json (", "manifest.json ("};
        assert_contains(note, i < 3 ? wanted[i] : "manifest.json");
        assert_contains(note, "('airbuild images prune' removes it): the nodes boot");
    }
    put_text(manifest, "{\"format\": 2}");
    FREE_AUTO char *note = frozen_note(life);
    assert_contains(note, "a later airbuild made the frozen set");
    assert_int_equal(rename(other, manifest), 0);
    assert_int_equal(rename(away, memory), 0);
    FREE_AUTO char *none = frozen_note(life);
    assert_string_equal(none, "");
}

// Its disks name the images of the home that it comes from.
static void
test_carried_set(void **state)
{
    struct life *life = *state;
    FREE_AUTO char *home = cluster_home(), *moved = path_join(life->scratch, "moved");
    assert_ok(launch(life), &life->err);
    put_data(life, "work11", "0x11");
    free(freeze_ok(life));
    destroy(life);
    image_free(TAKE(life->haproxy));
    image_free(TAKE(life->redis));
    store_free(TAKE(life->store));
    assert_int_equal(rename(home, moved), 0);
    setenv("AIRBUILD_HOME", moved, 1);
    life->store = open_store(moved);
    assert_ok(store_find(life->store, KEY_HEAD, &life->haproxy, &life->err), &life->err);
    assert_ok(store_find(life->store, KEY_LAYER, &life->redis, &life->err), &life->err);
    {
        CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
        assert_non_null(made->frozen);
    }
    assert_ok(launch(life), &life->err);
    assert_true(has_data(life, "work11", "0x11"));
    FREE_AUTO char *disk = file_of(life, "work12", "disk.qcow2");
    const char *argv[] = {"qemu-img", "info", "-U", "--output=json", disk, NULL};
    struct proc_options options = {.timeout_ms = 60000};
    struct proc_result result = {0};
    assert_ok(proc_run(argv, &options, &result, &life->err), &life->err);
    assert_contains(result.output.data, life->redis->disk);
    proc_result_free(&result);
    power_off(life);
    assert_ok(launch(life), &life->err);
}

// While a launch thaws a set, nobody removes or replaces it; several launches share it.
static void
test_set_in_use(void **state)
{
    struct life *life = *state;
    struct freeze_report report = {0};
    CLOSE_AUTO int lock = -1;
    assert_ok(launch(life), &life->err);
    FREE_AUTO char *set = freeze_ok(life);
    const char *key = strrchr(set, '/') + 1;
    destroy(life);
    {
        CLUSTER_PLAN_AUTO struct cluster_plan *one = plan(life), *two = plan(life);
        assert_non_null(one->frozen);
        assert_non_null(two->frozen);
        assert_int_equal(store_try_lock(life->store, key, &lock, &life->err), 0);
        frozen_release(one->frozen);
        assert_int_equal(store_try_lock(life->store, key, &lock, &life->err), 0);
    }
    assert_int_equal(store_try_lock(life->store, key, &lock, &life->err), 1);
    close(TAKE_FD(lock));
    assert_ok(launch(life), &life->err); // leaves no lock behind
    assert_int_equal(store_try_lock(life->store, key, &lock, &life->err), 1);
    close(TAKE_FD(lock));
    assert_ok(freeze(life, &report), &life->err);
    free(report.folder);
}

static void
test_reset(void **state)
{
    struct life *life = *state;
    struct launch_options options = ask_for(life);
    CLUSTER_REPORT_AUTO struct cluster_report *report = NULL;
    assert_error(cluster_reset(&options, &report, &life->err), &life->err, ERR_NOT_FOUND,
        "was not launched");
    assert_ok(launch(life), &life->err);
    assert_error(cluster_reset(&options, &report, &life->err), &life->err, ERR_NOT_FOUND,
        "'airbuild freeze' makes one");
    assert_domains(life, 4, VIRT_RUNNING);
    put_data(life, "work13", "0x66");
    free(freeze_ok(life));
    put_data(life, "work13", "0x77");
    RECORD_AUTO struct record *before = record(life);
    assert_ok(cluster_reset(&options, &report, &life->err), &life->err);
    assert_domains(life, 4, VIRT_RUNNING);
    assert_true(has_data(life, "work13", "0x66"));
    RECORD_AUTO struct record *after = record(life);
    assert_string_equal(before->id, after->id);
    assert_plan(life, "");
}

// Damage is found only while the set is thawed: the cluster is off then, and has its data.
static void
test_reset_to_a_damaged_set(void **state)
{
    struct life *life = *state;
    struct launch_options options = ask_for(life);
    CLUSTER_REPORT_AUTO struct cluster_report *report = NULL;
    assert_ok(launch(life), &life->err);
    FREE_AUTO char *set = freeze_ok(life);
    put_data(life, "work13", "0x77");
    RECORD_AUTO struct record *before = record(life);
    damage(life, set);
    assert_error(cluster_reset(&options, &report, &life->err), &life->err, ERR_DAMAGED,
        "cluster 'air' was not reset: it is off and has its data, and 'airbuild launch' boots it: "
        "the frozen set ");
    assert_domains(life, 0, VIRT_OFF);
    RECORD_AUTO struct record *after = record(life);
    assert_string_equal(before->id, after->id);
    assert_null(after->thaws);
    assert_true(has_data(life, "work13", "0x77"));
    assert_ok(launch(life), &life->err);
    assert_domains(life, 4, VIRT_RUNNING);
    assert_true(has_data(life, "work13", "0x77"));
    assert_plan(life, "");
}

// A changed spec is another cluster: nothing is reset.
static void
test_reset_with_a_changed_spec(void **state)
{
    struct life *life = *state;
    struct launch_options options = ask_for(life);
    CLUSTER_REPORT_AUTO struct cluster_report *report = NULL;
    assert_ok(launch(life), &life->err);
    free(freeze_ok(life));
    put_data(life, "work13", "0x77");
    life->spec->redis.down_after_ms = 5000;
    assert_error(cluster_reset(&options, &report, &life->err), &life->err, ERR_NOT_FOUND,
        "no frozen set matches (redis.down-after: was 2000ms, now 5000ms); nothing was changed");
    free(life->spec->nodes[1].address);
    life->spec->nodes[1].address = str_dup("172.31.255.77");
    assert_error(cluster_reset(&options, &report, &life->err), &life->err, ERR_CONFLICT,
        "was launched with another spec; nothing was changed");
    assert_domains(life, 4, VIRT_RUNNING);
    assert_true(has_data(life, "work13", "0x77"));
}

// A freeze that fails leaves the cluster as it was, and no set.
static void
test_failed_freeze(void **state)
{
    struct life *life = *state;
    struct freeze_report report = {0};
    assert_error(freeze(life, &report), &life->err, ERR_NOT_FOUND, "was not launched");
    assert_ok(launch(life), &life->err);
    FREE_AUTO char *seed = file_of(life, "work13", "seed.iso"),
                   *away = file_of(life, "work13", "a");
    assert_int_equal(rename(seed, away), 0);
    assert_int_equal(freeze(life, &report), -1);
    assert_contains(life->err.message, "seed.iso");
    error_clear(&life->err);
    assert_int_equal(rename(away, seed), 0);
    assert_domains(life, 4, VIRT_RUNNING);
    // A node that is off stays off, and one that is paused stays paused.
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info off = {0}, paused = {0};
    SESSION_AUTO struct session session = {.lock = -1};
    assert_ok(session_open_launched(life->spec, false, &session, &life->err), &life->err);
    assert_ok(virt_domain_suspend(session.virt, "air", "work12", &life->err), &life->err);
    assert_error(freeze(life, &report), &life->err, ERR_FAILED, "'work12' is paused");
    assert_ok(virt_domain_look(session.virt, "work12", &paused, &life->err), &life->err);
    assert_int_equal(paused.state, VIRT_PAUSED);
    assert_ok(virt_domain_resume(session.virt, "air", "work12", &life->err), &life->err);
    assert_ok(virt_domain_pull(session.virt, "air", "work13", &life->err), &life->err);
    assert_error(freeze(life, &report), &life->err, ERR_FAILED, "'work13' is off");
    assert_ok(virt_domain_look(session.virt, "work13", &off, &life->err), &life->err);
    assert_int_equal(off.state, VIRT_OFF);
    assert_ok(virt_domain_start(session.virt, "air", "work13", false, &life->err), &life->err);
    FREE_AUTO char *home = cluster_home(), *sets = path_join(home, "store/frozen");
    STRV_AUTO struct strv names = {0};
    assert_ok(dir_list(sets, &names, &life->err), &life->err);
    assert_int_equal(names.count, 0);
    assert_plan(life, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        life_test(test_freeze_and_thaw),
        life_test(test_set_that_does_not_match),
        life_test(test_freeze_cut_short),
        life_test(test_thaw_cut_short),
        life_test(test_cut_memory),
        life_test(test_damaged_set),
        life_test(test_set_with_a_missing_file),
        life_test(test_carried_set),
        life_test(test_set_in_use),
        life_test(test_reset),
        life_test(test_reset_to_a_damaged_set),
        life_test(test_reset_with_a_changed_spec),
        life_test(test_failed_freeze),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
