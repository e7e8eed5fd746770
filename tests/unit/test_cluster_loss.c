// test_cluster_loss.c - disks that are lost, damaged or changed by others: what launch reports and
// makes.
// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "life_fixture.h"

static void
test_files_are_private(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    FREE_AUTO char *disk = file_of(life, "work11", "disk.qcow2");
    FREE_AUTO char *seed = file_of(life, "work11", "seed.iso");
    FREE_AUTO char *log = file_of(life, "work11", "console.log");
    assert_mode(disk, 0600);
    assert_mode(seed, 0600);
    assert_mode(log, 0600);
    assert_int_equal(chmod(disk, 0644) | chmod(log, 0644), 0); // as older versions made them
    assert_ok(launch(life), &life->err);
    assert_mode(disk, 0600);
    assert_mode(log, 0600);
}

static void
spoil(struct life *life, const char *how)
{
    FREE_AUTO char *disk = file_of(life, "work12", "disk.qcow2");
    if (str_equal(how, "cut short"))
        assert_int_equal(truncate(disk, 70000), 0);
    else if (str_equal(how, "not a qcow2"))
        put_text(disk, "hello");
    else if (str_equal(how, "another image"))
        make_qcow2(disk, life->haproxy->disk);
    else if (str_equal(how, "not backed by"))
        make_qcow2(disk, NULL);
}

static void
test_disks_that_cannot_be_kept(void **state)
{
    struct life *life = *state;
    static const char *const ways[] = {
        "not a qcow2", "another image", "not backed by", "cut short"};
    assert_ok(launch(life), &life->err);
    power_off(life);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        spoil(life, ways[i]);
        CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
        assert_int_equal(made->faults.count, 1);
        assert_error(launch(life), &life->err, ERR_DAMAGED, ways[i]);
        assert_domains(life, 4, VIRT_OFF);
    }
}

// A snapshot was made with virsh while the domain ran: its overlay holds all later writes.
static void
test_snapshot_is_not_dropped(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    power_off(life);
    FREE_AUTO char *disk = file_of(life, "work12", "disk.qcow2");
    FREE_AUTO char *overlay = file_of(life, "work12", "disk.snap1");
    make_qcow2(overlay, disk);
    SESSION_AUTO struct session session = {.lock = -1};
    assert_ok(session_open(life->spec, false, &session, &life->err), &life->err);
    assert_ok(session_connect(&session, &life->err), &life->err);
    const struct virt_image chain[] = {{overlay, "qcow2"}, {disk, "qcow2"}};
    const struct virt_disk top = {chain, 2, false, "root"};
    struct virt_domain domain = node("work12");
    domain.id = session.id;
    domain.disks = &top;
    assert_ok(virt_domain_define(session.virt, &domain, &life->err), &life->err);
    CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
    assert_int_equal(made->faults.count, 1);
    assert_error(launch(life), &life->err, ERR_CONFLICT, "blockcommit work12");
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    assert_ok(virt_domain_look(life->world, "work12", &info, &life->err), &life->err);
    assert_string_equal(info.disk, overlay);
}

static void
test_one_lost_disk(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    assert_true(seed_says(life, "work11", "joins='no'"));
    power_off(life);
    remove_file(life, "work11", "disk.qcow2");
    CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
    assert_int_equal(made->notes.count, 1);
    assert_contains(made->notes.items[0],
        "the disk of 'work11' is missing: it is made empty and copies its data from the others");
    assert_false(made->empty);
    assert_ok(launch(life), &life->err);
    assert_true(seed_says(life, "work11", "joins='yes'"));
    assert_true(seed_says(life, "work12", "joins='no'"));
    power_off(life);
    remove_file(life, "work11", "seed.iso"); // made again with the same content
    assert_ok(launch(life), &life->err);
    assert_true(seed_says(life, "work11", "joins='yes'"));
}

// Killed between a new disk and its seed: the previous disk's seed must not be used.
static void
test_seed_of_another_disk(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    power_off(life);
    FREE_AUTO char *folder = cluster_folder(life->spec);
    SECRETS_AUTO struct secrets *secrets = NULL;
    assert_ok(secrets_load(folder, &secrets, &life->err), &life->err);
    assert_ok(secrets_new_disk(secrets, folder, "work12", true, &life->err), &life->err);
    FREE_AUTO char *seed = file_of(life, "work13", "seed.iso");
    FREE_AUTO char *draft = file_of(life, "work13", ".tmp-abcdef");
    put_text(draft, "half a seed");
    assert_int_equal(truncate(seed, 40960), 0);
    assert_plan(life, "make seed work12|make seed work13|start domain head10|start domain "
                      "work11|start domain work12|start domain work13");
    assert_ok(launch(life), &life->err);
    assert_true(seed_says(life, "work12", "joins='yes'"));
    assert_false(file_exists(draft));
}

static void
test_all_disks_lost(void **state)
{
    struct life *life = *state;
    struct launch_options agreed = ask_for(life);
    bool asked = false;
    assert_ok(launch(life), &life->err);
    power_off(life);
    for (size_t i = 1; i < life->spec->node_count; i++)
        remove_file(life, life->spec->nodes[i].name, "disk.qcow2");
    CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
    assert_true(made->empty);
    assert_error(launch(life), &life->err, ERR_CONFLICT, "begins empty");
    FREE_AUTO char *disk = file_of(life, "work11", "disk.qcow2");
    assert_false(file_exists(disk));
    agreed.agree = yes;
    agreed.context = &asked;
    assert_ok(launch_as(life, &agreed), &life->err);
    assert_true(asked && seed_says(life, "work11", "joins='no'"));
}

static void
test_disk_removed_under_a_machine(void **state)
{
    struct life *life = *state;
    assert_ok(launch(life), &life->err);
    remove_file(life, "work13", "disk.qcow2");
    assert_error(
        launch(life), &life->err, ERR_CONFLICT, "'work13' runs on a disk that was removed");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        life_test(test_files_are_private),
        life_test(test_disks_that_cannot_be_kept),
        life_test(test_snapshot_is_not_dropped),
        life_test(test_one_lost_disk),
        life_test(test_seed_of_another_disk),
        life_test(test_all_disks_lost),
        life_test(test_disk_removed_under_a_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
