// test_cluster_sets.c - frozen sets in the store: listed, verified, pruned, and made without a
// cluster.
// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"
#include "base/interrupt.h"
#include "life_fixture.h"
#include "netns.h"

#include "cluster/freeze.h"
#include "cluster/sets.h"

#include <pthread.h>
#include <signal.h>

// Freezes a new cluster and removes it. Returns the key of the set, which the caller frees.
static char *
put_set(struct life *life)
{
    struct freeze_report report = {0};
    bool found;
    struct launch_options options = ask_for(life);
    options.cold = true;
    assert_ok(launch_as(life, &options), &life->err);
    {
        SESSION_AUTO struct session session = {.lock = -1};
        assert_ok(session_open_launched(life->spec, true, &session, &life->err), &life->err);
        assert_ok(freeze_in_session(&session, false, NULL, &report, &life->err), &life->err);
    }
    assert_ok(cluster_destroy(life->spec, NULL, &found, &life->err), &life->err);
    free(report.folder);
    return str_dup(report.key);
}

static char *
set_file(struct life *life, const char *key, const char *name)
{
    return str_format("%s/frozen/%s/%s", life->store->folder, key, name);
}

// Copies a set as one that depends on another value, and of another time. Returns its key, which
// the caller frees.
static char *
vary_set(
    struct life *life, const char *key, const char *member, const char *value, const char *created)
{
    FREE_AUTO char *from = set_file(life, key, ""), *to = set_file(life, ".copy", "");
    FREE_AUTO char *path = set_file(life, ".copy", FROZEN_MANIFEST);
    json_auto_t *manifest = NULL;
    char varied[DIGEST_HEX + 1];
    const char *argv[] = {"cp", "-rT", from, to, NULL};
    struct proc_options options = {.timeout_ms = 60000};
    assert_ok(proc_check(argv, &options, NULL, &life->err), &life->err);
    assert_ok(read_json_file(path, 1 << 20, &manifest, &life->err), &life->err);
    json_t *depends = json_object_get(manifest, "depends");
    json_object_set_new(depends, member, json_string(value));
    json_object_set_new(manifest, "created", json_string(created));
    frozen_key(depends, varied);
    assert_ok(write_json_file(path, 0600, manifest, &life->err), &life->err);
    FREE_AUTO char *target = set_file(life, varied, "");
    assert_int_equal(rename(to, target), 0);
    return str_dup(varied);
}

static bool
has_set(struct life *life, const char *key)
{
    FREE_AUTO char *folder = set_file(life, key, "");
    return file_exists(folder);
}

// Returns what prune removes, or would; caller frees.
static char *
prune(struct life *life, const char *gone_image, bool dry_run)
{
    STRV_AUTO struct strv gone = {0}, removed = {0};
    struct launch_options options = ask_for(life);
    uint64_t bytes = 0;
    if (gone_image != NULL)
        strv_addf(&gone, "redis %s", gone_image);
    assert_ok(sets_prune(life->store, &options, &gone, dry_run, &removed, &bytes, &life->err),
        &life->err);
    assert_int_equal(bytes > 0, removed.count > 0);
    return strv_join(&removed, "|");
}

static void
assert_pruned(struct life *life, const char *key, const char *reason)
{
    FREE_AUTO char *wanted = key != NULL ? str_format("frozen %s (%s)", key, reason) : str_dup("");
    FREE_AUTO char *planned = prune(life, NULL, true);
    assert_string_equal(planned, wanted);
    if (key != NULL)
        assert_true(has_set(life, key));
    FREE_AUTO char *done = prune(life, NULL, false);
    assert_string_equal(done, wanted);
    if (key != NULL)
        assert_false(has_set(life, key));
}

static void
flip(const char *path, off_t at)
{
    CLOSE_AUTO int fd = open(path, O_RDWR | O_CLOEXEC);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x20;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void
test_list_and_verify(void **state)
{
    struct life *life = *state;
    SETS_AUTO struct sets sets = {0};
    STRV_AUTO struct strv strangers = {0};
    assert_ok(sets_list(life->store, &sets, &strangers, &life->err), &life->err);
    assert_int_equal(sets.count + strangers.count, 0);
    FREE_AUTO char *key = put_set(life);
    FREE_AUTO char *older = vary_set(life, key, "hypervisor", "QEMU 1.0", "2001-01-01T00:00:00Z");
    FREE_AUTO char *stranger = set_file(life, "lost+found", "");
    assert_ok(dir_make(stranger, 0700, &life->err), &life->err);
    assert_ok(sets_list(life->store, &sets, &strangers, &life->err), &life->err);
    assert_int_equal(sets.count, 2);
    assert_int_equal(strangers.count, 1);
    assert_contains(strangers.items[0], "'lost+found' in");
    assert_string_equal(sets.items[0]->key, older);
    const struct frozen_set *set = sets.items[1];
    assert_null(set->damage);
    assert_true(sets_has_images(life->store, set));
    assert_true(sets_folder_bytes(set->folder) > 0);
    assert_ok(frozen_verify(set, &life->err), &life->err);
    const char *const names[] = {
        "work11/memory.zst", "work12/disk.qcow2", "head10/seed.iso", "secrets.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        FREE_AUTO char *path = set_file(life, key, names[i]);
        flip(path, 30);
        assert_error(frozen_verify(set, &life->err), &life->err, ERR_DAMAGED, names[i]);
        flip(path, 30);
    }
    assert_ok(frozen_verify(set, &life->err), &life->err);
}

static void
test_prune(void **state)
{
    struct life *life = *state;
    assert_pruned(life, NULL, NULL);
    FREE_AUTO char *key = put_set(life);
    assert_pruned(life, NULL, NULL);
    // The newest of another emulator stays, too; an older one does not.
    FREE_AUTO char *newer = vary_set(life, key, "hypervisor", "QEMU 99.0", "2099-01-01T00:00:00Z");
    assert_pruned(life, NULL, NULL);
    FREE_AUTO char *older = vary_set(life, key, "hypervisor", "QEMU 1.0", "2001-01-01T00:00:00Z");
    assert_pruned(life, older, "there is a newer one of its spec");
    // A set whose image is removed in the same run.
    FREE_AUTO char *both = prune(life, KEY_LAYER, true);
    assert_contains(both, key);
    assert_contains(both, newer);
    // A newer one that cannot be thawed does not count.
    FREE_AUTO char *damaged = set_file(life, newer, "work11/memory.zst");
    assert_int_equal(unlink(damaged), 0);
    FREE_AUTO char *again = vary_set(life, key, "hypervisor", "QEMU 1.0", "2098-01-01T00:00:00Z");
    assert_pruned(life, newer, "damaged");
    assert_true(has_set(life, again) && has_set(life, key));
    // An image that was baked again is another.
    assert_ok(store_remove(life->store, KEY_HEAD, &life->err), &life->err);
    FREE_AUTO char *all = prune(life, NULL, true);
    assert_contains(all, "(an image that it needs is not kept)");
    assert_contains(all, key);
}

static void
test_prune_leaves(void **state)
{
    struct life *life = *state;
    CLOSE_AUTO int lock = -1;
    FREE_AUTO char *key = put_set(life);
    FREE_AUTO char *older = vary_set(life, key, "hypervisor", "QEMU 1.0", "2001-01-01T00:00:00Z");
    FREE_AUTO char *draft = str_format(".%s", older);
    FREE_AUTO char *other = str_format(".%s.x", older);
    const char *const folders[] = {draft, other};
    for (size_t i = 0; i < 2; i++) {
        FREE_AUTO char *folder = set_file(life, folders[i], "work11");
        assert_ok(dir_make(folder, 0700, &life->err), &life->err);
    }
    // Another airbuild thaws or makes it.
    assert_ok(store_share(life->store, older, 0, &lock, &life->err), &life->err);
    assert_pruned(life, NULL, NULL);
    close(TAKE_FD(lock));
    FREE_AUTO char *wanted = str_format(
        "frozen .%s (a draft)|frozen %s (there is a newer one of its spec)", older, older);
    FREE_AUTO char *planned = prune(life, NULL, true);
    assert_string_equal(planned, wanted);
    assert_true(has_set(life, draft));
    // Without libvirt any set of the spec may be the one that launch thaws.
    free(life->spec->uri);
    life->spec->uri = str_dup("test:///nonexistent.xml");
    FREE_AUTO char *canonical = spec_canonical(life->spec);
    FREE_AUTO char *one = vary_set(life, key, "spec", canonical, "2001-01-01T00:00:00Z");
    FREE_AUTO char *two = vary_set(life, one, "hypervisor", "QEMU 1.0", "2002-01-01T00:00:00Z");
    FREE_AUTO char *done = prune(life, NULL, false);
    assert_string_equal(done, wanted);
    assert_true(has_set(life, one) && has_set(life, two) && has_set(life, other));
    assert_false(has_set(life, draft) || has_set(life, older));
    // A later airbuild knows what it is for.
    free(life->spec->uri);
    life->spec->uri = str_dup("test:///default");
    FREE_AUTO char *manifest = set_file(life, one, FROZEN_MANIFEST);
    put_text(manifest, "{\"format\": 2}");
    assert_pruned(life, NULL, NULL);
    put_text(manifest, "{\"format\": 1}");
    assert_pruned(life, one, "damaged");
}

static void
assert_nothing(struct life *life)
{
    FREE_AUTO char *folder = frozen_folder(life->store);
    assert_false(cluster_exists(life->spec));
    assert_domains(life, 0, VIRT_OFF);
    assert_false(file_exists(folder));
}

static void *
interrupt_soon(void *process)
{
    usleep(700000);
    kill(*(pid_t *) process, SIGINT);
    return NULL;
}

// No node answers here, so the cluster does not converge: nothing of it stays.
static void
test_make_set(void **state)
{
    struct life *life = *state;
    struct launch_options options = ask_for(life);
    struct freeze_report report = {0};
    pid_t self = getpid();
    pthread_t thread;
    options.no_wait = false;
    options.timeout_ms = 300;
    assert_error(
        cluster_make_set(&options, &report, &life->err), &life->err, ERR_TIMEOUT, "not converged");
    assert_nothing(life);
    assert_ok(launch(life), &life->err);
    assert_error(cluster_make_set(&options, &report, &life->err), &life->err, ERR_CONFLICT,
        "a set made of it would have its data");
    assert_domains(life, 4, VIRT_RUNNING);
    bool found;
    assert_ok(cluster_destroy(life->spec, NULL, &found, &life->err), &life->err);
    options.timeout_ms = 60000;
    assert_ok(interrupt_install(&life->err), &life->err);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, &self), 0);
    assert_int_equal(cluster_make_set(&options, &report, &life->err), -1);
    assert_int_equal(life->err.code, ERR_INTERRUPTED);
    pthread_join(thread, NULL);
    interrupt_acknowledge();
    error_clear(&life->err);
    assert_nothing(life);
}

static void
test_find_set(void **state)
{
    struct life *life = *state;
    struct launch_options options = ask_for(life);
    FROZEN_SET_AUTO struct frozen_set *none = NULL, *set = NULL;
    FREE_AUTO char *why = NULL;
    assert_ok(cluster_find_set(&options, &none, &why, &life->err), &life->err);
    assert_true(none == NULL && why == NULL);
    FREE_AUTO char *key = put_set(life);
    assert_ok(cluster_find_set(&options, &set, &why, &life->err), &life->err);
    assert_string_equal(set->key, key);
    // Images that were baked again have the same keys and other disks.
    FREE_AUTO char *text = json_dumps(life->redis->manifest, 0);
    json_decref(life->redis->manifest);
    life->redis->manifest = json_loads(text, 0, NULL);
    life->redis->key = KEY_LAYER;
    json_object_set_new(life->redis->manifest, "backing_sha256", json_string("00"));
    assert_ok(cluster_find_set(&options, &none, &why, &life->err), &life->err);
    assert_null(none);
    assert_contains(why, "the images were baked");
}

int
main(void)
{
    if (netns_enter() < 0) // the addresses of nodes are those of no other host
        return 1;
    const struct CMUnitTest tests[] = {
        life_test(test_list_and_verify),
        life_test(test_prune),
        life_test(test_prune_leaves),
        life_test(test_find_set),
        life_test(test_make_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
