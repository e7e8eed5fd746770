// life_fixture.h - a cluster with real files, a real store and libvirt's in-memory hypervisor, for
// tests of its life. No node is probed.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_LIFE_FIXTURE_H
#define AIRBUILD_TESTS_LIFE_FIXTURE_H

#include "base/file.h"
#include "store_fixture.h"
#include "virt_bench.h"

#include "base/proc.h"
#include "cluster/launch.h"
#include "cluster/plan.h"
#include "cluster/state.h"
#include "virt/network.h"

#include <jansson.h>
#include <stdio.h>

#define KEY_HEAD "4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead4ead"

struct life {
    char *scratch;
    struct virt *world; // keeps the driver's state; belongs to no cluster
    struct spec *spec;
    struct store *store;
    struct image *haproxy, *redis;
    struct error err;
};

static inline void
make_qcow2(const char *path, const char *backing)
{
    ERROR_AUTO struct error err = {0};
    const char *plain[] = {"qemu-img", "create", "-q", "-f", "qcow2", path, "8M", NULL};
    const char *layer[] = {
        "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", backing, path, "8M", NULL};
    struct proc_options options = {.timeout_ms = 60000};
    assert_ok(proc_check(backing == NULL ? plain : layer, &options, NULL, &err), &err);
}

static inline void
put_role(struct life *life, const char *key, const char *name, const char *backing)
{
    DRAFT_AUTO struct draft *draft = NULL;
    json_auto_t *manifest = image_manifest(name, backing);
    assert_ok(store_begin(life->store, key, &draft, &life->err), &life->err);
    fill_draft(draft, "to be replaced");
    FREE_AUTO char *disk = path_join(draft_folder(draft), "disk.qcow2");
    make_qcow2(disk, NULL);
    assert_ok(store_publish(draft, manifest, &life->err), &life->err);
}

static inline void
use_home(struct life *life, const char *name)
{
    FREE_AUTO char *state = path_join(life->scratch, name);
    setenv("AIRBUILD_STATE", state, 1);
}

static inline int
life_setup(void **state)
{
    struct life *life = mem_zero(1, sizeof *life);
    const char *text = spec_builtin_text();
    scratch_make((void **) &life->scratch);
    FREE_AUTO char *home = path_join(life->scratch, "home");
    setenv("AIRBUILD_HOME", home, 1);
    use_home(life, "one");
    assert_ok(bench_open(&life->world, &life->err), &life->err);
    assert_ok(spec_parse("built-in", text, strlen(text), &life->spec, &life->err), &life->err);
    strv_free(&life->spec->given);
    free(life->spec->uri);
    life->spec->uri = str_dup("test:///default");
    life->store = open_store(home);
    put_role(life, KEY_BASE, "base-debian", NULL);
    put_role(life, KEY_HEAD, "haproxy", KEY_BASE);
    put_role(life, KEY_LAYER, "redis", KEY_BASE);
    assert_ok(store_find(life->store, KEY_HEAD, &life->haproxy, &life->err), &life->err);
    assert_ok(store_find(life->store, KEY_LAYER, &life->redis, &life->err), &life->err);
    *state = life;
    return 0;
}

static inline int
life_teardown(void **state)
{
    struct life *life = *state;
    virt_close(life->world);
    spec_free(life->spec);
    image_free(life->haproxy);
    image_free(life->redis);
    store_free(life->store);
    error_clear(&life->err);
    void *scratch = life->scratch;
    scratch_remove(&scratch);
    free(life);
    return 0;
}

static inline int
yes(void *context, const char *sentence, struct error *err)
{
    (void) err;
    assert_contains(sentence, "begins empty");
    *(bool *) context = true;
    return 0;
}

static inline struct launch_options
ask_for(struct life *life)
{
    return (struct launch_options){
        .spec = life->spec, .haproxy = life->haproxy, .redis = life->redis, .no_wait = true};
}

// Like cluster_launch, without waiting.
static inline int
launch_as(struct life *life, const struct launch_options *options)
{
    SESSION_AUTO struct session session = {.lock = -1};
    LAUNCH_AUTO struct launch launch = {.options = options, .session = &session};
    if (session_open(life->spec, true, &session, &life->err) < 0 ||
        session_connect(&session, &life->err) < 0)
        return -1;
    return launch_in_session(&launch, &life->err);
}

static inline int
launch(struct life *life)
{
    struct launch_options launch = ask_for(life);
    return launch_as(life, &launch);
}

static inline struct cluster_plan *
plan(struct life *life)
{
    struct launch_options launch = ask_for(life);
    FREE_AUTO char *libvirt = NULL;
    struct cluster_plan *plan = NULL;
    assert_ok(cluster_plan_make(&launch, &plan, &libvirt, &life->err), &life->err);
    assert_null(libvirt);
    return plan;
}

// wanted: the steps without "keep", as "make disk work11|make seed work11|start domain work11".
static inline void
assert_plan(struct life *life, const char *wanted)
{
    CLUSTER_PLAN_AUTO struct cluster_plan *made = plan(life);
    STRV_AUTO struct strv steps = {0};
    for (size_t i = 0; i < made->count; i++)
        if (!str_equal(made->steps[i].verb, "keep"))
            strv_addf(&steps, "%s %s", made->steps[i].verb, made->steps[i].object);
    FREE_AUTO char *text = strv_join(&steps, "|");
    assert_string_equal(text, wanted);
}

static inline void
power_off(struct life *life)
{
    assert_ok(cluster_stop(life->spec, NULL, NULL, &life->err), &life->err);
}

static inline void
assert_domains(struct life *life, size_t count, enum virt_state state)
{
    VIRT_DOMAIN_LIST_AUTO struct virt_domain_list list = {0};
    assert_ok(virt_domain_list(life->world, NULL, &list, &life->err), &life->err);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list.items[i].state, state);
}

static inline char *
file_of(struct life *life, const char *node, const char *file)
{
    return cluster_node_path(life->spec, node, file);
}

static inline void
remove_file(struct life *life, const char *node, const char *file)
{
    FREE_AUTO char *path = file_of(life, node, file);
    assert_int_equal(unlink(path), 0);
}

static inline void
assert_mode(const char *path, mode_t mode)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, mode);
}

static inline bool
seed_says(struct life *life, const char *node, const char *text)
{
    FREE_AUTO char *path = file_of(life, node, "seed.iso"), *data = NULL;
    size_t length = 0;
    assert_ok(file_read(path, (size_t) 16 << 20, &data, &length, &life->err), &life->err);
    return memmem(data, length, text, strlen(text)) != NULL;
}

static inline size_t
count_users(struct life *life, const char *key)
{
    STRV_AUTO struct strv folders = {0};
    assert_ok(store_users(life->store, key, &folders, &life->err), &life->err);
    return folders.count;
}

static inline struct record *
record(struct life *life)
{
    FREE_AUTO char *folder = cluster_folder(life->spec);
    struct record *record = NULL;
    assert_ok(record_load(folder, &record, &life->err), &life->err);
    return record;
}

static inline char *
part(struct life *life, const char *name)
{
    FREE_AUTO char *folder = cluster_folder(life->spec);
    return path_join(folder, name);
}

#define life_test(name) cmocka_unit_test_setup_teardown(name, life_setup, life_teardown)

#endif
