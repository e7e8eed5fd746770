// test_drill_repair.c - an interrupted drill repairs what it broke: with the four nodes as
// domains of libvirt's in-memory hypervisor. Nothing is probed; guests have no agent.
// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.h"
#include "virt_bench.h"

#include "base/cleanup.h"
#include "drill/execution.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene {
    struct bench bench;
    struct spec *spec;
    struct drill_run run;
    struct drill_result result;
    struct drill drill;
};

enum { MASTER = 1, REPLICA = 2 }; // head10 is the first node of the spec

static void
scene_begin(struct scene *scene)
{
    struct error err = {0};
    const char *text = spec_builtin_text();
    *scene = (struct scene){0};
    assert_ok(spec_parse("built-in", text, strlen(text), &scene->spec, &err), &err);
    assert_ok(bench_open(&scene->bench.virt, &err), &err);
    assert_ok(interrupt_install(&err), &err);
    for (size_t i = 0; i < scene->spec->node_count; i++)
        start(&scene->bench, scene->spec->nodes[i].name);
    scene->run = (struct drill_run){.spec = scene->spec, .info = drill_find("master-off")};
    scene->drill = (struct drill){
        .run = &scene->run,
        .scenario = drill_scenario("master-off"),
        .session = {.spec = scene->spec, .virt = scene->bench.virt, .lock = -1},
        .master = MASTER,
        .replica = REPLICA,
        .result = &scene->result,
    };
    scene->drill.session.folder = str_dup("/nonexistent");
}

static void
scene_end(struct scene *scene)
{
    virt_close(scene->bench.virt);
    free(scene->drill.session.folder);
    drill_result_free(&scene->result);
    spec_free(scene->spec);
}

static int
act(struct scene *scene, enum drill_act act, enum drill_whom whom)
{
    const struct drill_step step = {act, whom, 0};
    return drill_perform(&scene->drill, &step, &scene->bench.err);
}

// With and without a signal.
static enum virt_state
state_of_node(struct scene *scene, size_t index)
{
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    const char *name = scene->spec->nodes[index].name;
    ERROR_AUTO struct error err = {0};
    interrupt_hold();
    assert_ok(virt_domain_look(scene->bench.virt, name, &info, &err), &err);
    interrupt_release();
    return info.state;
}

static bool
noted(const struct scene *scene, const char *text)
{
    for (size_t i = 0; i < scene->result.event_count; i++)
        if (strstr(scene->result.events[i].text, text) != NULL)
            return true;
    return false;
}

static void
assert_all_run(struct scene *scene)
{
    for (size_t i = 0; i < scene->spec->node_count; i++)
        assert_int_equal(state_of_node(scene, i), VIRT_RUNNING);
    assert_true(noted(scene, "repairing what was broken"));
    assert_false(noted(scene, "could not repair everything"));
}

// Returns the wait status of a child that runs body: an interruption cannot be undone.
static int
in_child(void (*body)(struct scene *scene))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct scene scene;
        alarm(60);
        scene_begin(&scene);
        body(&scene);
        scene_end(&scene);
        exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void
pulled(struct scene *scene)
{
    assert_ok(act(scene, ACT_PULL, WHOM_WORKERS), &scene->bench.err);
    raise(SIGINT);
    assert_error(act(scene, ACT_START, WHOM_WORKERS), &scene->bench.err, ERR_INTERRUPTED, "");
    for (size_t i = MASTER; i < scene->spec->node_count; i++)
        assert_int_equal(state_of_node(scene, i), VIRT_OFF);
    drill_repair(&scene->drill);
    assert_all_run(scene);
}

static void
suspended(struct scene *scene)
{
    assert_ok(act(scene, ACT_SUSPEND, WHOM_MASTER), &scene->bench.err);
    assert_int_equal(state_of_node(scene, MASTER), VIRT_PAUSED);
    raise(SIGTERM);
    drill_repair(&scene->drill);
    assert_all_run(scene);
}

static void
pressed(struct scene *scene)
{
    assert_ok(act(scene, ACT_PRESS, WHOM_MASTER), &scene->bench.err);
    assert_int_equal(scene->drill.pressed, WHOM_MASTER);
    raise(SIGINT);
    drill_repair(&scene->drill);
    assert_all_run(scene);
}

static void
start_of_pressed(struct scene *scene)
{
    assert_ok(act(scene, ACT_PRESS, WHOM_REPLICA), &scene->bench.err);
    assert_ok(act(scene, ACT_START, WHOM_REPLICA), &scene->bench.err);
    raise(SIGINT);
    drill_repair(&scene->drill); // would wait for two minutes for it to go off
    assert_all_run(scene);
}

static void
before_anything(struct scene *scene)
{
    raise(SIGINT);
    assert_error(act(scene, ACT_PULL, WHOM_MASTER), &scene->bench.err, ERR_INTERRUPTED, "");
    drill_repair(&scene->drill);
    assert_int_equal(state_of_node(scene, MASTER), VIRT_RUNNING);
    assert_int_equal(scene->result.event_count, 0);
}

// A missing machine cannot be started: that is reported, and the others are started.
static void
gone(struct scene *scene)
{
    assert_ok(act(scene, ACT_PULL, WHOM_REPLICAS), &scene->bench.err);
    assert_ok(virt_domain_undefine(scene->bench.virt, "air", "work12", &scene->bench.err),
        &scene->bench.err);
    raise(SIGINT);
    drill_repair(&scene->drill);
    assert_int_equal(state_of_node(scene, 3), VIRT_RUNNING);
    assert_true(noted(scene, "could not repair everything; run 'airbuild launch'"));
}

// An error ended the drill and a signal comes afterwards: it is reported later.
static void
after_an_error(struct scene *scene)
{
    assert_ok(act(scene, ACT_PULL, WHOM_MASTER), &scene->bench.err);
    drill_repair(&scene->drill);
    assert_all_run(scene);
    raise(SIGINT);
    assert_true(interrupt_pending());
}

static void
second_signal(struct scene *scene)
{
    assert_ok(act(scene, ACT_PULL, WHOM_MASTER), &scene->bench.err);
    raise(SIGINT);
    drill_repair(&scene->drill);
    raise(SIGINT);
}

static void
test_mended(void **state)
{
    void (*const bodies[])(struct scene *) = {
        pulled, suspended, pressed, start_of_pressed, before_anything, gone, after_an_error};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        int status = in_child(bodies[i]);
        if (status != 0)
            fail_msg("body %zu ended with wait status %#x", i, (unsigned) status);
    }
}

static void
test_second_signal_ends_at_once(void **state)
{
    int status = in_child(second_signal);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mended),
        cmocka_unit_test(test_second_signal_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
