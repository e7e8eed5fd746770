// launch.c - see launch.h and cluster.h. Every step leaves something whole, so that the next launch
// continues one that ended anywhere.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/launch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "cluster/definition.h"
#include "cluster/disk.h"
#include "cluster/frozen.h"
#include "cluster/plan.h"
#include "cluster/profile.h"
#include "cluster/sets.h"
#include "cluster/state.h"
#include "cluster/thaw.h"
#include "seed/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

// Disk space for a node to boot and write its first data: measured layers, with room to spare.
#define NODE_SPACE ((uint64_t) 192 << 20)

// Used processors that mean that the host is busy. An idle cluster of four emulated nodes uses one.
#define BUSY_CPUS 0.5
// A boot keeps a processor busy: with more at once none would be ready sooner.
#define BOOTS_PER_CPU 4

void
launch_free(struct launch *launch)
{
    cluster_plan_freep(&launch->plan);
    survey_free(&launch->survey);
    free(TAKE(launch->nodes));
    free(TAKE(launch->before));
    seed_maker_free(TAKE(launch->seeds));
}

// ---- steps --------------------------------------------------------------------------------------

// Makes a disk with a new identity. Records both first, so that a disk that exists is always known.
static int
make_node_disk(struct launch *launch, size_t index, struct error *err)
{
    struct session *session = launch->session;
    const struct spec_node *node = &launch->spec->nodes[index];
    const struct image *image = launch->plan->images[index];
    FREE_AUTO char *folder = cluster_node_path(launch->spec, node->name, "");
    FREE_AUTO char *path = cluster_node_path(launch->spec, node->name, "disk.qcow2");
    FREE_AUTO char *seed = path_join(folder, "seed.iso");
    bool joins = session->record->founded && node->role == SPEC_REDIS;
    if (dir_make(folder, 0711, err) < 0)
        return -1;
    // The old seed must never meet the new disk, which is another instance and may have to join.
    if (unlink(seed) < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot remove '%s'", seed);
    if (dir_sync(folder, err) < 0 ||
        secrets_new_disk(session->secrets, session->folder, node->name, joins, err) < 0)
        return -1;
    json_object_set_new(session->record->images, node->name, json_string(image->key));
    if (record_save(session->folder, session->record, err) < 0)
        return -1;
    return disk_make(node, path, image, err);
}

// Copies a file of the frozen set into the folder of its node.
static int
copy_frozen(const struct launch *launch, const char *node, const char *file, struct error *err)
{
    FREE_AUTO char *from = frozen_path(launch->plan->frozen->folder, node, file);
    FREE_AUTO char *to = cluster_node_path(launch->spec, node, file);
    FREE_AUTO char *folder = path_folder(to);
    return dir_make(folder, 0711, err) < 0 ? -1 : file_copy(from, to, 0600, err);
}

static int
copy_frozen_disk(const struct launch *launch, size_t index, struct error *err)
{
    struct session *session = launch->session;
    const char *node = launch->spec->nodes[index].name;
    json_object_set_new(
        session->record->images, node, json_string(launch->plan->images[index]->key));
    if (record_save(session->folder, session->record, err) < 0)
        return -1;
    FREE_AUTO char *path = cluster_node_path(launch->spec, node, FROZEN_DISK);
    return copy_frozen(launch, node, FROZEN_DISK, err) < 0
               ? -1
               : disk_set_backing(node, path, launch->plan->images[index], err);
}

static int
define_domain(struct launch *launch, size_t index, struct error *err)
{
    DOMAIN_DEFINITION_AUTO struct domain_definition wanted;
    domain_definition_fill(&wanted, launch->spec, launch->session->id, launch->session->digest,
        &launch->spec->nodes[index], launch->plan->images[index], launch->options->kvm);
    if (launch->plan->frozen != NULL)
        wanted.domain.uuid = frozen_uuid(launch->plan->frozen, launch->spec->nodes[index].name);
    // libvirt's log daemon would make it readable by root alone.
    CLOSE_AUTO int log = open(wanted.log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (log < 0)
        return error_errno(err, errno, "cannot create '%s'", wanted.log);
    return virt_domain_define(launch->session->virt, &wanted.domain, err);
}

static int
set_founded(struct session *session, bool founded, struct error *err)
{
    if (session->record->founded == founded)
        return 0;
    session->record->founded = founded;
    return record_save(session->folder, session->record, err);
}

static int
carry_out_step(struct launch *launch, const struct cluster_step *step, struct error *err)
{
    struct session *session = launch->session;
    const struct spec_node *node = &launch->spec->nodes[step->node];
    switch ((enum plan_kind) step->kind) {
    case PLAN_KEEP:
    case PLAN_SECRETS: // made with the cluster
        return 0;
    case PLAN_NETWORK: {
        NETWORK_DEFINITION_AUTO struct network_definition wanted;
        network_definition_fill(&wanted, launch->spec, session->id);
        return virt_network_ensure(session->virt, &wanted.network, err);
    }
    case PLAN_DISK:
        return launch->plan->frozen != NULL ? copy_frozen_disk(launch, step->node, err)
                                            : make_node_disk(launch, step->node, err);
    case PLAN_SEED: {
        if (launch->plan->frozen != NULL && !launch->renews)
            return copy_frozen(launch, node->name, FROZEN_SEED, err);
        FREE_AUTO char *folder = cluster_node_path(session->spec, node->name, "");
        FREE_AUTO char *path = path_join(folder, "seed.iso");
        SEED_AUTO struct seed seed = {0};
        if (dir_make(folder, 0711, err) < 0 ||
            (launch->seeds == NULL &&
                seed_maker_new(session->spec, session->secrets, true, &launch->seeds, err) < 0) ||
            seed_make(launch->seeds, node, &seed, err) < 0)
            return -1;
        return iso_write(&seed, path, err);
    }
    case PLAN_DEFINE:
        return define_domain(launch, step->node, err);
    case PLAN_START: // paused
        // All disks exist by now, and any made from now on joins: that is recorded before one of
        // these is written to.
        if (set_founded(session, true, err) < 0)
            return -1;
        launch->nodes[step->node].paused = !str_equal(node->name, launch->options->except);
        return 0; // start_paused starts all, or restore_memory
    }
    return 0;
}

// Starts the nodes of all steps, paused. Each start keeps about one processor busy.
static int
start_paused(struct launch *launch, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    for (size_t i = 0; i < launch->spec->node_count; i++)
        if (launch->nodes[i].paused && !launch->survey.memory[i] && launch->plan->frozen == NULL)
            strv_add(&names, launch->spec->nodes[i].name);
    size_t cpus = launch->survey.host.cpus;
    return virt_domain_start_all(
        launch->session->virt, launch->spec->cluster, &names, cpus > 0 ? cpus : 1, err);
}

// ---- resume -------------------------------------------------------------------------------------

// A node that was paused or saved does not boot. It is resumed at once: its sentinel would take
// nodes that wait for down.
static bool
has_to_boot(const struct launch *launch, size_t node)
{
    const struct virt_domain_info *before = &launch->survey.domains[node];
    return before->state != VIRT_PAUSED && !before->saved && !launch->survey.memory[node] &&
           launch->plan->frozen == NULL;
}

// Resumes all started domains together, except those that have to boot in turn: converge_wait
// resumes them.
static int
resume_started(struct launch *launch, struct error *err)
{
    size_t boots = 0, running = 0;
    for (size_t i = 0; i < launch->spec->node_count; i++) {
        boots += launch->nodes[i].paused && has_to_boot(launch, i);
        running += launch->survey.domains[i].state == VIRT_RUNNING;
    }
    // A cluster that already serves on this host, this one or another, must not be starved.
    if (!launch->options->no_wait && boots > 1) {
        double idle;
        unsigned cpus;
        if (virt_host_idle(launch->session->virt, &idle, &cpus, err) < 0)
            return -1;
        bool calm = cpus - idle < BUSY_CPUS || idle >= (double) boots;
        size_t most = cpus == 0 || boots < BOOTS_PER_CPU * cpus ? boots : BOOTS_PER_CPU * cpus;
        launch->at_once = calm ? most : idle < 2 ? 1 : (size_t) idle;
        if (launch->at_once < boots)
            progress_note(launch->options->progress,
                "%.1f of this host's %u processors are idle: nodes boot %zu at a time", idle, cpus,
                launch->at_once);
    }
    bool in_turn = launch->at_once > 0 && launch->at_once < boots;
    for (size_t i = 0; i < launch->spec->node_count; i++) {
        if (!launch->nodes[i].paused || (in_turn && has_to_boot(launch, i)))
            continue;
        if (has_to_boot(launch, i))
            launch->nodes[i].boot_ms = clock_ms();
        if (virt_domain_resume(
                launch->session->virt, launch->spec->cluster, launch->spec->nodes[i].name, err) < 0)
            return -1;
        launch->nodes[i].paused = false;
        if (running > 0 && has_to_boot(launch, i))
            session_yield(launch->session, i, true);
    }
    return 0;
}

// ---- the whole ----------------------------------------------------------------------------------

// Removes what was there before the cluster.
static int
drop_before(struct launch *launch, struct error *err)
{
    FREE_AUTO char *before = TAKE(launch->before);
    return before != NULL ? dir_remove(before, err) : 0;
}

// Makes sure that the cluster exists and has an id, and that its images are kept; founds a cluster
// without data again.
static int
prepare_state(struct launch *launch, struct error *err)
{
    static const char *const files[] = {"disk.qcow2", "seed.iso", "console.log"};
    const struct spec *spec = launch->spec;
    struct session *session = launch->session;
    FREE_AUTO char *home = cluster_home();
    STORE_AUTO struct store *store = NULL;
    int result = 0;
    if (session->record == NULL) {
        result = state_create(spec, session->id, launch->plan->frozen, launch->renews,
            &session->record, &session->secrets, &launch->before, err);
        if (result == 0 && !launch->resets)
            result = drop_before(launch, err);
    } else if (session->record->id == NULL) { // an airbuild without ids made it
        session->record->id = str_dup(session->id);
        result = record_save(session->folder, session->record, err);
    }
    if (result < 0 || state_tidy(spec, err) < 0 || store_open(home, &store, err) < 0)
        return -1;
    for (size_t i = 0; i < launch->plan->image_count; i++)
        if (store_pin(store, launch->plan->images[i]->key, session->id, session->folder, err) < 0)
            return -1;
    for (size_t i = 0; i < spec->node_count; i++)
        for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
            FREE_AUTO char *path = cluster_node_path(spec, spec->nodes[i].name, files[k]);
            struct stat info;
            // They may hold data or secrets. While the domain runs, qemu owns some: the next launch
            // tries again.
            if (lstat(path, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 0077) != 0)
                chmod(path, info.st_mode & 0700);
        }
    return launch->plan->empty ? set_founded(session, false, err) : 0;
}

// Restores the nodes that do not boot, paused: all from the frozen set, or those whose memory a
// freeze left. Any other file of that kind is older than its node.
static int
restore_memory(const struct launch *launch, struct error *err)
{
    const struct launch_options *options = launch->options;
    const struct session *session = launch->session;
    struct image *const *images = launch->plan->images;
    if (launch->plan->frozen != NULL) {
        progress_step(options->progress, launch->spec->cluster, "thawing the frozen set");
        if (thaw_set(session, images, options->kvm, launch->plan->frozen, err) < 0)
            return -1;
        frozen_release(launch->plan->frozen);
        return 0;
    }
    for (size_t i = 0; i < launch->spec->node_count; i++) {
        FREE_AUTO char *path =
            cluster_node_path(launch->spec, launch->spec->nodes[i].name, THAW_MEMORY);
        if (!launch->survey.memory[i] && unlink(path) < 0 && errno != ENOENT)
            return error_errno(err, errno, "cannot remove '%s'", path);
    }
    return thaw_saved(session, images, options->kvm, launch->survey.memory, err);
}

static int
carry_out_all(struct launch *launch, struct error *err)
{
    struct session *session = launch->session;
    const struct spec *spec = launch->spec;
    if (prepare_state(launch, err) < 0)
        return -1;
    for (size_t i = 0; i < spec->node_count; i++) {
        FREE_AUTO char *log = cluster_node_path(spec, spec->nodes[i].name, "console.log");
        if (launch->survey.domains[i].state != VIRT_RUNNING && file_exists(log))
            launch->nodes[i].log_size = file_size(log);
    }
    for (size_t i = 0; i < launch->plan->count; i++) {
        const struct cluster_step *step = &launch->plan->steps[i];
        if (interrupt_check(err) < 0)
            return -1;
        if (step->kind != PLAN_KEEP)
            progress_step(
                launch->options->progress, spec->cluster, "%s %s", step->verb, step->object);
        if (carry_out_step(launch, step, err) < 0)
            return -1;
    }
    if (secrets_write_ssh(session->secrets, session->folder, spec, err) < 0 ||
        start_paused(launch, err) < 0)
        return -1;
    if (restore_memory(launch, err) < 0)
        return -1;
    if (session->record->thaws != NULL) { // from now on it is like any other
        free(TAKE(session->record->thaws));
        if (record_save(session->folder, session->record, err) < 0)
            return -1;
    }
    return resume_started(launch, err);
}

static int
refuse_reset(const struct launch *launch, struct error *err)
{
    FROZEN_SET_AUTO struct frozen_set *set = NULL;
    FREE_AUTO char *why = NULL;
    if (sets_find(launch->session, launch->options, &set, &why, err) < 0)
        return -1;
    return error_set(err, ERR_NOT_FOUND,
        "cluster '%s' is not reset: %s; nothing was changed: 'airbuild freeze' makes one",
        launch->spec->cluster, why != NULL ? why : "it has no frozen set");
}

// Plans, and refuses before anything is changed.
static int
decide(struct launch *launch, struct error *err)
{
    const struct launch_options *options = launch->options;
    const struct spec *spec = launch->spec;
    const struct cluster_plan *plan = launch->plan;
    if (plan_make(options, launch->session, &launch->survey, launch->plan, err) < 0)
        return -1;
    if (options->new_secrets && launch->session->record != NULL && !plan->again)
        return error_set(err, ERR_CONFLICT,
            "cluster '%s' exists and keeps its secrets; nothing was changed: launch it without "
            "'--new-secrets', or put it back to its frozen set with 'airbuild reset "
            "--new-secrets', which loses its data",
            spec->cluster);
    if (plan_refuse(plan, spec, err) < 0)
        return -1;
    if (launch->resets && plan->frozen == NULL)
        return refuse_reset(launch, err);
    for (size_t i = 0; i < plan->image_count; i++)
        if (plan->images[i] == NULL)
            return error_set(err, ERR_NOT_FOUND,
                "there is no %s image for the disk of '%s'; bake it with 'airbuild images'",
                spec_roles[spec->nodes[i].role], spec->nodes[i].name);
    for (size_t i = 0; i < plan->notes.count; i++)
        progress_note(options->progress, "%s", plan->notes.items[i]);
    if (plan->empty) {
        FREE_AUTO char *sentence = str_format(
            "no disk of a worker of cluster '%s' is left: it begins empty, and all its data is "
            "lost, unless you restore a disk from a copy",
            spec->cluster);
        if (options->agree == NULL)
            return error_set(err, ERR_CONFLICT, "%s", sentence);
        if (options->agree(options->context, sentence, err) < 0)
            return -1;
    }
    uint64_t need = 0;
    launch->unchanged = true;
    for (size_t i = 0; i < plan->count; i++) {
        need += plan->steps[i].kind == PLAN_DISK ? NODE_SPACE : 0;
        launch->unchanged &= plan->steps[i].kind == PLAN_KEEP;
    }
    FREE_AUTO char *parent = cluster_parent();
    FREE_AUTO char *purpose = str_format("a disk for each node of cluster '%s'", spec->cluster);
    return need > 0 ? dir_check_space(parent, need, purpose, "AIRBUILD_STATE", err) : 0;
}

// Removes the nodes; the cluster keeps its id and network. What is on disk stays until
// prepare_state has replaced it.
static int
begin_again(struct launch *launch, struct error *err)
{
    struct session *session = launch->session;
    if (remove_domains(session, launch->options->progress, err) < 0)
        return -1;
    record_freep(&session->record);
    session->record = NULL;
    secrets_free(TAKE(session->secrets));
    return 0;
}

// Removes what a launch that failed made. A cluster that was to be reset is off then, and has its
// data.
static void
undo(struct launch *launch, struct error *err)
{
    struct session *session = launch->session;
    ERROR_AUTO struct error left = {0};
    int result;
    interrupt_hold();
    if (launch->before == NULL)
        result = destroy_in_session(session, launch->options->progress, &left);
    else
        result = remove_domains(session, launch->options->progress, &left) < 0
                     ? -1
                     : state_put_back(launch->spec, launch->before, &left);
    if (result < 0)
        progress_note(launch->options->progress,
            "what this launch made could not all be removed: %s", left.message);
    else if (launch->before != NULL)
        error_context(err,
            "cluster '%s' was not reset: it is off and has its data, and 'airbuild launch' boots "
            "it",
            launch->spec->cluster);
    interrupt_release();
}

int
launch_in_session(struct launch *launch, struct error *err)
{
    struct session *session = launch->session;
    launch->spec = launch->options->spec;
    launch->plan = mem_zero(1, sizeof *launch->plan);
    launch->plan->again = launch->resets;
    launch->nodes = mem_zero(launch->spec->node_count, sizeof *launch->nodes);
    if (decide(launch, err) < 0)
        return -1;
    if (launch->plan->again && begin_again(launch, err) < 0)
        return -1;
    bool first = session->record == NULL;
    launch->renews = launch->options->new_secrets && launch->plan->frozen != NULL;
    int result = carry_out_all(launch, err);
    if (result < 0 && err->code == ERR_DAMAGED && launch->plan->frozen != NULL)
        frozen_give_up(launch->plan->frozen, err);
    if (result < 0 && first && session->record != NULL && err->code != ERR_INTERRUPTED)
        undo(launch, err);
    ERROR_AUTO struct error ignored = {0}; // the next process that locks removes it
    drop_before(launch, &ignored);
    return result;
}

// Carries out a launch in an open session, and waits.
static int
launch_and_wait(
    struct launch *launch, int64_t begin_ms, struct cluster_report **ret, struct error *err)
{
    const struct launch_options *options = launch->options;
    if (launch_in_session(launch, err) < 0 || converge_wait(launch, ret, err) < 0)
        return -1;
    (*ret)->seconds = (double) (clock_ms() - begin_ms) / 1000;
    (*ret)->unchanged = launch->unchanged;
    (*ret)->tcg = !options->kvm;
    return options->profile ? profile_collect(launch, PROFILE_PATIENCE_MS, &(*ret)->profile, err)
                            : 0;
}

int
cluster_launch(const struct launch_options *options, struct cluster_report **ret, struct error *err)
{
    int64_t begin_ms = clock_ms();
    SESSION_AUTO struct session session = {.lock = -1};
    LAUNCH_AUTO struct launch launch = {.options = options, .session = &session};
    return session_open(options->spec, true, &session, err) < 0 ||
                   session_connect(&session, err) < 0
               ? -1
               : launch_and_wait(&launch, begin_ms, ret, err);
}

int
cluster_reset(const struct launch_options *options, struct cluster_report **ret, struct error *err)
{
    int64_t begin_ms = clock_ms();
    SESSION_AUTO struct session session = {.lock = -1};
    LAUNCH_AUTO struct launch launch = {.options = options, .session = &session, .resets = true};
    return session_open_launched(options->spec, true, &session, err) < 0
               ? -1
               : launch_and_wait(&launch, begin_ms, ret, err);
}
