// launch.c - carries a launch plan out: network, secrets, disks, seeds, domains; then waits
// (converge.c). Every step leaves something whole, so that a launch that ended anywhere is
// continued by the next one.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/cluster.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cluster/converge.h"
#include "cluster/disk.h"
#include "cluster/launch.h"
#include "cluster/machine.h"
#include "cluster/paths.h"
#include "cluster/plan.h"
#include "cluster/session.h"
#include "cluster/state.h"
#include "cluster/tail.h"
#include "seed/iso.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

// What a node needs on disk to come up and write its first data, from measured layers with room to
// spare.
#define NODE_SPACE ((uint64_t) 192 << 20)

// Processors in use from which on somebody is at work. An idle cluster of four emulated nodes takes
// one.
#define AT_WORK 0.5

struct work {
    const struct cluster_launch *launch;
    struct session *session;
    struct survey *survey;
    struct image **images; // by node: the image its disk lies over, or will
    struct launched *launched;
};

static const struct spec_node *
work_node(const struct work *work, size_t index)
{
    return &work->launch->spec->nodes[index];
}

static int
check_launch_space(const struct work *work, const struct cluster_plan *plan, struct error *err)
{
    uint64_t need = 0;
    for (size_t i = 0; i < plan->count; i++)
        need += plan->steps[i].kind == PLAN_DISK ? NODE_SPACE : 0;
    if (need == 0)
        return 0;
    FREE_AUTO char *parent = cluster_parent();
    FREE_AUTO char *purpose =
        str_format("a disk for each node of cluster '%s'", work->launch->spec->cluster);
    return dir_check_space(parent, need, purpose, "AIRBUILD_STATE", err);
}

static int
make_network(struct work *work, struct error *err)
{
    const struct spec *spec = work->launch->spec;
    FREE_AUTO char *bridge = session_bridge(spec);
    FREE_AUTO struct virt_host_entry *hosts = mem_zero(spec->node_count, sizeof *hosts);
    struct virt_network wanted = session_network(work->session, bridge, hosts);
    return virt_network_ensure(work->session->virt, &wanted, NULL, err);
}

// The seed of the disk before must never meet this one: it is another instance, and may not join.
static int
remove_seed(const struct spec *spec, const char *node, struct error *err)
{
    FREE_AUTO char *seed = cluster_node_path(spec, node, "seed.iso");
    FREE_AUTO char *folder = path_folder(seed);
    if (unlink(seed) < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot remove '%s'", seed);
    return dir_sync(folder, err);
}

// A fresh layer over the image, with a new identity. What is recorded of it comes first, so that
// after an end at any point a disk that is there is known in full.
static int
make_node_disk(struct work *work, size_t index, struct error *err)
{
    const struct spec_node *node = work_node(work, index);
    struct session *session = work->session;
    FREE_AUTO char *folder = cluster_node_path(session->spec, node->name, "");
    FREE_AUTO char *path = cluster_node_path(session->spec, node->name, "disk.qcow2");
    bool joins = session->record->founded && node->role == SPEC_REDIS;
    if (dir_make(folder, 0711, err) < 0 || remove_seed(session->spec, node->name, err) < 0 ||
        secrets_new_disk(session->secrets, session->folder, node->name, joins, err) < 0)
        return -1;
    record_set_image(session->record, node->name, work->images[index]->key);
    if (record_save(session->folder, session->record, err) < 0)
        return -1;
    return disk_make(node, path, work->images[index], err);
}

static int
make_seed(const struct session *session, const struct spec_node *node, struct error *err)
{
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
    machine_fill(&machine, work->launch->spec, work->session->id, work_node(work, index),
        work->images[index], work->launch->kvm);
    // Made beforehand it is ours; libvirt's log daemon would make it root's alone.
    CLOSE_AUTO int log = open(machine.log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (log < 0)
        return error_errno(err, errno, "'%s' cannot be made", machine.log);
    return virt_domain_define(work->session->virt, &machine.domain, err);
}

// Every disk is made now. One that is made later joins; that is on record before anything is
// written to one of these.
static int
mark_founded(struct session *session, struct error *err)
{
    if (session->record->founded)
        return 0;
    session->record->founded = true;
    return record_save(session->folder, session->record, err);
}

static int
carry_out_step(struct work *work, const struct cluster_step *step, struct error *err)
{
    struct session *session = work->session;
    const struct spec_node *node = work_node(work, step->node);
    switch ((enum plan_kind) step->kind) {
    case PLAN_KEEP:
    case PLAN_SECRETS: // made with the cluster
        return 0;
    case PLAN_NETWORK:
        return make_network(work, err);
    case PLAN_DISK:
        return make_node_disk(work, step->node, err);
    case PLAN_SEED:
        return make_seed(session, node, err);
    case PLAN_DEFINE:
        return define_domain(work, step->node, err);
    case PLAN_START:
        if (mark_founded(session, err) < 0)
            return -1;
        if (str_equal(node->name, work->launch->except))
            return 0;
        return virt_domain_start(session->virt, session->spec->cluster, node->name, true, err);
    }
    return 0;
}

// How many of the nodes that are to boot may do so at one moment: who is at work on this host,
// another cluster or nodes of this one that serve already, is not to be starved by those that come.
static int
boots_at_once(struct work *work, size_t starts, size_t *ret, struct error *err)
{
    double idle;
    unsigned cpus;
    if (virt_host_idle(work->session->virt, &idle, &cpus, err) < 0)
        return -1;
    *ret = cpus - idle < AT_WORK || idle >= (double) starts ? starts : idle < 2 ? 1 : (size_t) idle;
    if (*ret < starts)
        progress_note(work->launch->progress,
            "%.1f of this host's %u processors are idle: nodes boot %zu at a time", idle, cpus,
            *ret);
    return 0;
}

// A node that was paused or saved does not boot: its sentinel goes on at once, and would take those
// that wait for down.
static bool
boots_anew(const struct work *work, size_t node)
{
    const struct virt_domain_info *before = &work->survey->domains[node];
    return before->state != VIRT_PAUSED && !before->saved;
}

// All domains were started with their processors stopped. They set off together, unless those that
// boot are left to whoever waits for them.
static int
set_off(struct work *work, const struct cluster_plan *plan, struct error *err)
{
    struct session *session = work->session;
    struct launched *launched = work->launched;
    FREE_AUTO bool *started = mem_zero(session->spec->node_count, sizeof *started);
    size_t boots = 0;
    for (size_t i = 0; i < plan->count; i++) {
        size_t node = plan->steps[i].node;
        if (plan->steps[i].kind != PLAN_START ||
            str_equal(work_node(work, node)->name, work->launch->except))
            continue;
        started[node] = true;
        boots += boots_anew(work, node);
    }
    if (launched->paused != NULL && !work->launch->no_wait && boots > 1 &&
        boots_at_once(work, boots, &launched->at_once, err) < 0)
        return -1;
    bool in_turn = launched->at_once > 0 && launched->at_once < boots;
    for (size_t i = 0; i < session->spec->node_count; i++) {
        if (!started[i])
            continue;
        if (in_turn && boots_anew(work, i))
            launched->paused[i] = true;
        else if (virt_domain_resume(
                     session->virt, session->spec->cluster, session->spec->nodes[i].name, err) < 0)
            return -1;
    }
    return 0;
}

// From here on the images are kept by whoever looks into the store.
static int
pin_images(struct work *work, struct error *err)
{
    FREE_AUTO char *home = cluster_home();
    STORE_AUTO struct store *store = NULL;
    if (store_open(home, &store, err) < 0)
        return -1;
    for (size_t i = 0; i < work->launch->spec->node_count; i++)
        if (store_pin(store, work->images[i]->key, work->session->id, work->session->folder, err) <
            0)
            return -1;
    return 0;
}

static void
tighten_files(const struct spec *spec)
{
    static const char *const files[] = {"disk.qcow2", "seed.iso", "console.log"};
    for (size_t i = 0; i < spec->node_count; i++)
        for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
            FREE_AUTO char *path = cluster_node_path(spec, spec->nodes[i].name, files[k]);
            disk_tighten(path);
        }
}

// The cluster is there and has an id; what its disks need stays; a cluster without data is founded
// again.
static int
prepare_state(struct work *work, const struct cluster_plan *plan, struct error *err)
{
    struct session *session = work->session;
    const struct spec *spec = session->spec;
    if (session->record == NULL) {
        if (state_create(spec, session->id, &session->record, &session->secrets, err) < 0)
            return -1;
    } else if (state_adopt(spec, session->record, session->id, err) < 0) {
        return -1;
    }
    if (state_tidy(spec, err) < 0 || pin_images(work, err) < 0)
        return -1;
    tighten_files(spec);
    if (!plan->empty)
        return 0;
    session->record->founded = false;
    return record_save(session->folder, session->record, err);
}

static int
carry_out_all(struct work *work, const struct cluster_plan *plan, struct error *err)
{
    struct session *session = work->session;
    if (prepare_state(work, plan, err) < 0)
        return -1;
    for (size_t i = 0; i < session->spec->node_count; i++)
        if (work->survey->domains[i].state != VIRT_RUNNING)
            work->launched->since[i] = tail_position(session->spec, session->spec->nodes[i].name);
    for (size_t i = 0; i < plan->count; i++) {
        const struct cluster_step *step = &plan->steps[i];
        if (interrupt_check(err) < 0)
            return -1;
        if (step->kind != PLAN_KEEP)
            progress_step(
                work->launch->progress, session->spec->cluster, "%s %s", step->verb, step->object);
        if (carry_out_step(work, step, err) < 0)
            return -1;
    }
    if (secrets_write_ssh(session->secrets, session->folder, session->spec, err) < 0)
        return -1;
    return set_off(work, plan, err);
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

static int
need_images(const struct work *work, struct error *err)
{
    for (size_t i = 0; i < work->launch->spec->node_count; i++)
        if (work->images[i] == NULL)
            return error_set(err, ERR_NOT_FOUND,
                "there is no %s image for the disk of '%s'; bake it with 'airbuild images'",
                spec_role_name(work_node(work, i)->role), work_node(work, i)->name);
    return 0;
}

// All data is lost, and a person has to agree to that.
static int
agree_to_empty(
    const struct cluster_launch *launch, const struct cluster_plan *plan, struct error *err)
{
    if (!plan->empty)
        return 0;
    FREE_AUTO char *sentence =
        str_format("no disk of a worker of cluster '%s' is left: it begins empty, and all that was "
                   "in it is lost, unless a disk is brought back from a copy",
            launch->spec->cluster);
    if (launch->agree != NULL)
        return launch->agree(launch->context, sentence, err);
    return error_set(err, ERR_CONFLICT, "%s", sentence);
}

// What launch would do; an error when it must not begin. What is missing is told first.
static int
decide(struct work *work, struct cluster_plan *plan, struct error *err)
{
    const struct cluster_launch *launch = work->launch;
    if (plan_make(launch, work->session, work->survey, work->images, plan, err) < 0 ||
        plan_refuse(plan, launch->spec, err) < 0 || need_images(work, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->notes.count; i++)
        progress_note(launch->progress, "%s", plan->notes.items[i]);
    return agree_to_empty(launch, plan, err) < 0 ? -1 : check_launch_space(work, plan, err);
}

int
launch_in_session(const struct cluster_launch *launch, struct session *session,
    struct launched *ret, struct error *err)
{
    SURVEY_AUTO struct survey survey = {0};
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    FREE_AUTO struct image **images = mem_zero(launch->spec->node_count, sizeof *images);
    struct work work = {launch, session, &survey, images, ret};
    bool first = session->record == NULL;
    int result = decide(&work, plan, err);
    ret->unchanged = nothing_to_do(plan);
    if (result == 0) {
        result = carry_out_all(&work, plan, err);
        if (result < 0 && first && session->record != NULL && err->code != ERR_INTERRUPTED)
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
    int64_t begin_ms = clock_ms();
    SESSION_AUTO struct session session = {.lock = -1};
    FREE_AUTO int64_t *since = mem_zero(spec->node_count, sizeof *since);
    FREE_AUTO bool *paused = mem_zero(spec->node_count, sizeof *paused);
    struct launched launched = {.since = since, .paused = paused};
    if (session_open(spec, true, &session, err) < 0 || session_connect(&session, err) < 0 ||
        launch_in_session(launch, &session, &launched, err) < 0)
        return -1;
    struct converge converge = {
        .session = &session,
        .kvm = launch->kvm,
        .accel_why = launch->accel_why,
        .timeout_ms = launch->timeout_ms,
        .once = launch->no_wait,
        .launched = &launched,
        .progress = launch->progress,
    };
    if (converge_wait(&converge, ret, err) < 0)
        return -1;
    (*ret)->seconds = (double) (clock_ms() - begin_ms) / 1000;
    (*ret)->unchanged = launched.unchanged;
    (*ret)->tcg = !launch->kvm;
    return 0;
}
