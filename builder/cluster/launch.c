// launch.c - carries a launch plan out: network, secrets, disks, seeds, domains; then waits
// (converge.c). Every step leaves something whole, so that a launch that ended anywhere is
// continued by the next one.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/cluster.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"
#include "cluster/converge.h"
#include "cluster/launch.h"
#include "cluster/machine.h"
#include "cluster/plan.h"
#include "cluster/session.h"
#include "cluster/tail.h"
#include "seed/iso.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

// What a node needs on disk to come up and write its first data, from measured layers with room to
// spare.
#define NODE_SPACE ((uint64_t) 192 << 20)

struct work {
    const struct cluster_launch *launch;
    struct session *session;
    struct survey *survey;
    struct image **images; // by node: the image its disk lies over, or will
    int64_t *since;        // by node: where its console log was before it was started
};

static const struct spec_node *
work_node(const struct work *work, size_t index)
{
    return &work->launch->spec->nodes[index];
}

static int
load_images(struct work *work, struct error *err)
{
    const struct spec *spec = work->launch->spec;
    FREE_AUTO char *home = cluster_home();
    STORE_AUTO struct store *store = NULL;
    if (store_open(home, &store, err) < 0)
        return -1;
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct image *fresh =
            spec->nodes[i].role == SPEC_HAPROXY ? work->launch->haproxy : work->launch->redis;
        const char *key = work->session->record != NULL && work->survey->disks[i]
                              ? record_image(work->session->record, spec->nodes[i].name)
                              : NULL;
        if (key == NULL && fresh == NULL)
            return error_set(err, ERR_NOT_FOUND,
                "there is no %s image for the disk of '%s'; bake it with 'airbuild images'",
                spec_role_name(spec->nodes[i].role), spec->nodes[i].name);
        if (store_find(store, key != NULL ? key : fresh->key, &work->images[i], err) < 0)
            return error_context(err, "the disk of '%s' lies over an image", spec->nodes[i].name);
    }
    return 0;
}

// How the domains that are off differ from what they should be.
static int
compare_domains(struct work *work, char **changed, struct error *err)
{
    for (size_t i = 0; i < work->survey->count; i++) {
        const struct virt_domain_info *domain = &work->survey->domains[i];
        if (domain->state == VIRT_ABSENT || domain->state == VIRT_RUNNING || !domain->ours ||
            !str_equal(domain->cluster, work->launch->spec->cluster))
            continue;
        MACHINE_AUTO struct machine machine;
        machine_fill(
            &machine, work->launch->spec, work_node(work, i), work->images[i], work->launch->kvm);
        if (virt_domain_compare(work->session->virt, &machine.domain, &changed[i], err) < 0)
            return -1;
    }
    return 0;
}

static int
check_space(const struct work *work, const struct cluster_plan *plan, struct error *err)
{
    uint64_t need = 0, space = 0;
    for (size_t i = 0; i < plan->count; i++)
        need += plan->steps[i].kind == PLAN_DISK ? NODE_SPACE : 0;
    if (need == 0)
        return 0;
    if (dir_space(work->session->folder, &space, err) < 0)
        return -1;
    if (space >= need)
        return 0;
    FREE_AUTO char *wanted = str_bytes(need);
    FREE_AUTO char *there = str_bytes(space);
    return error_set(err, ERR_SPACE,
        "the disks of cluster '%s' need %s in '%s' and there is only %s; free some, or set "
        "AIRBUILD_STATE to a folder with more",
        work->launch->spec->cluster, wanted, work->session->folder, there);
}

static int
make_network(struct work *work, struct error *err)
{
    const struct spec *spec = work->launch->spec;
    FREE_AUTO char *bridge = session_bridge(spec);
    FREE_AUTO struct virt_host_entry *hosts = mem_zero(spec->node_count, sizeof *hosts);
    struct virt_network wanted = session_network(spec, bridge, hosts);
    return virt_network_ensure(work->session->virt, &wanted, NULL, err);
}

static int
make_secrets(struct work *work, struct error *err)
{
    struct session *session = work->session;
    secrets_free(TAKE(session->secrets));
    return secrets_open(session->folder, session->spec, &session->secrets, err);
}

// A fresh layer over the image, with a new identity. The identity comes first: a disk never meets
// an old one's seed.
static int
make_disk(struct work *work, size_t index, struct error *err)
{
    const struct spec_node *node = work_node(work, index);
    const struct image *image = work->images[index];
    struct session *session = work->session;
    FREE_AUTO char *folder = cluster_node_path(session->spec, node->name, "");
    FREE_AUTO char *path = cluster_node_path(session->spec, node->name, "disk.qcow2");
    FREE_AUTO char *draft = str_format("%s.new", path);
    FREE_AUTO char *size = str_format("%llu",
        (unsigned long long) (node->disk_bytes > image->virtual_bytes ? node->disk_bytes
                                                                      : image->virtual_bytes));
    const char *argv[] = {"qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b",
        image->disk, draft, size, NULL};
    if (dir_make(folder, 0711, err) < 0 ||
        secrets_new_disk(session->secrets, session->folder, node->name, err) < 0)
        return -1;
    record_set_image(session->record, node->name, image->key);
    if (record_save(session->folder, session->record, err) < 0)
        return -1;
    struct proc_options options = {.timeout_ms = 60000};
    if (proc_check(argv, &options, NULL, err) < 0)
        return error_context(err, "making the disk of '%s'", node->name);
    if (rename(draft, path) < 0)
        return error_errno(err, errno, "'%s' cannot be renamed", draft);
    return 0;
}

int
launch_reseed(
    struct session *session, const struct spec_node *node, bool renewed, struct error *err)
{
    if (renewed && secrets_new_disk(session->secrets, session->folder, node->name, err) < 0)
        return -1;
    FREE_AUTO char *folder = cluster_node_path(session->spec, node->name, "");
    FREE_AUTO char *path = cluster_node_path(session->spec, node->name, "seed.iso");
    SEED_AUTO struct seed seed = {0};
    if (dir_make(folder, 0711, err) < 0 ||
        seed_build(session->spec, node, session->secrets, true, &seed, err) < 0)
        return -1;
    return iso_write(&seed, path, err);
}

static int
define_domain(struct work *work, size_t index, struct error *err)
{
    MACHINE_AUTO struct machine machine;
    machine_fill(&machine, work->launch->spec, work_node(work, index), work->images[index],
        work->launch->kvm);
    // Made beforehand it stays readable; libvirt's log daemon would make it root's alone.
    CLOSE_AUTO int log = open(machine.log, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (log < 0)
        return error_errno(err, errno, "'%s' cannot be made", machine.log);
    return virt_domain_define(work->session->virt, &machine.domain, err);
}

static int
carry_out(struct work *work, const struct cluster_step *step, struct error *err)
{
    struct session *session = work->session;
    const struct spec_node *node = work_node(work, step->node);
    switch ((enum plan_kind) step->kind) {
    case PLAN_KEEP:
        return 0;
    case PLAN_NETWORK:
        return make_network(work, err);
    case PLAN_SECRETS:
        return make_secrets(work, err);
    case PLAN_DISK:
        return make_disk(work, step->node, err);
    case PLAN_SEED:
        return launch_reseed(session, node, false, err);
    case PLAN_DEFINE:
        return define_domain(work, step->node, err);
    case PLAN_START:
        if (str_equal(node->name, work->launch->except))
            return 0;
        return virt_domain_start(session->virt, session->spec->cluster, node->name, true, err);
    }
    return 0;
}

// All domains were started with their processors stopped: they set off together.
static int
resume_all(struct work *work, const struct cluster_plan *plan, struct error *err)
{
    struct session *session = work->session;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->steps[i].kind == PLAN_START &&
            !str_equal(work_node(work, plan->steps[i].node)->name, work->launch->except) &&
            virt_domain_resume(session->virt, session->spec->cluster,
                work_node(work, plan->steps[i].node)->name, err) < 0)
            return -1;
    return 0;
}

static int
carry_out_all(struct work *work, const struct cluster_plan *plan, struct error *err)
{
    struct session *session = work->session;
    if (session->record == NULL) {
        session->record = record_new(session->spec);
        if (record_save(session->folder, session->record, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < session->spec->node_count; i++)
        if (work->survey->domains[i].state != VIRT_RUNNING)
            work->since[i] = tail_position(session->spec, session->spec->nodes[i].name);
    for (size_t i = 0; i < plan->count; i++) {
        const struct cluster_step *step = &plan->steps[i];
        if (interrupt_check(err) < 0)
            return -1;
        if (step->kind != PLAN_KEEP)
            progress_step(
                work->launch->progress, session->spec->cluster, "%s %s", step->verb, step->object);
        if (carry_out(work, step, err) < 0)
            return -1;
    }
    if (record_save(session->folder, session->record, err) < 0 ||
        secrets_write_ssh(session->secrets, session->folder, session->spec, err) < 0)
        return -1;
    return resume_all(work, plan, err);
}

static bool
nothing_to_do(const struct cluster_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->steps[i].kind != PLAN_KEEP)
            return false;
    return true;
}

// Take a failed first launch back, keeping the error that ended it.
static void
take_back(struct session *session, struct progress *progress)
{
    ERROR_AUTO struct error ignored = {0};
    interrupt_hold();
    if (session_destroy(session, progress, &ignored) < 0)
        progress_note(
            progress, "what this launch made could not all be removed: %s", ignored.message);
    interrupt_release();
}

// What launch would do; ERR_CONFLICT or ERR_SPACE when it must not begin.
static int
decide(struct work *work, struct cluster_plan *plan, struct error *err)
{
    const struct spec *spec = work->launch->spec;
    FREE_AUTO char **changed = mem_zero(spec->node_count, sizeof *changed);
    int result = -1;
    if (survey_make(work->session, work->survey, err) == 0 && load_images(work, err) == 0 &&
        compare_domains(work, changed, err) == 0) {
        plan_fill(plan, spec, work->session->record, work->survey, changed);
        result = plan_refuse(plan, spec, err);
    }
    for (size_t i = 0; i < spec->node_count; i++)
        free(changed[i]);
    return result < 0 ? -1 : check_space(work, plan, err);
}

int
launch_in_session(const struct cluster_launch *launch, struct session *session, bool *ret_unchanged,
    int64_t *since, struct error *err)
{
    SURVEY_AUTO struct survey survey = {0};
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    FREE_AUTO struct image **images = mem_zero(launch->spec->node_count, sizeof *images);
    struct work work = {launch, session, &survey, images, since};
    bool first = session->record == NULL;
    int result = decide(&work, plan, err);
    *ret_unchanged = nothing_to_do(plan);
    if (result == 0) {
        result = carry_out_all(&work, plan, err);
        if (result < 0 && first && err->code != ERR_INTERRUPTED)
            take_back(session, launch->progress);
    }
    for (size_t i = 0; i < launch->spec->node_count; i++)
        image_free(images[i]);
    return result;
}

int
cluster_launch(const struct cluster_launch *launch, struct cluster_report **ret, struct error *err)
{
    const struct spec *spec = launch->spec;
    int64_t begin = clock_ms();
    SESSION_AUTO struct session session = {.lock = -1};
    FREE_AUTO int64_t *since = mem_zero(spec->node_count, sizeof *since);
    bool unchanged = false;
    if (session_open(spec, true, &session, err) < 0)
        return -1;
    if (session_connect(&session, err) < 0 ||
        launch_in_session(launch, &session, &unchanged, since, err) < 0) {
        ERROR_AUTO struct error ignored = {0};
        if (session.record == NULL)
            dir_remove(session.folder, &ignored); // only the lock is in it
        return -1;
    }
    struct converge converge = {
        .session = &session,
        .kvm = launch->kvm,
        .accel_why = launch->accel_why,
        .timeout_ms = launch->timeout_ms,
        .once = launch->no_wait,
        .since = since,
        .progress = launch->progress,
    };
    if (converge_wait(&converge, ret, err) < 0)
        return -1;
    (*ret)->seconds = (double) (clock_ms() - begin) / 1000;
    (*ret)->unchanged = unchanged;
    (*ret)->tcg = !launch->kvm;
    return 0;
}
