// freeze.c - see freeze.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/freeze.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/compress.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cluster/cluster.h"
#include "cluster/frozen.h"
#include "cluster/launch.h"
#include "cluster/sets.h"
#include "cluster/survey.h"
#include "cluster/thaw.h"
#include "virt/agent.h"
#include "virt/domain.h"
#include "virt/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PROBE_MS 2000
#define SAVE_MS 120000
#define AGENT_MS 10000
#define CONVERGED_MS 10000
#define PAUSE_MS 250
#define PREPARE_MS 300000 // after a boot cloud-init has yet to run
#define PREPARED_MS 10000 // a node stays prepared twice as long (clock-guard)
#define LOCK_MS 60000     // for launches that thaw the set which is to be replaced

struct freeze {
    const struct spec *spec;
    struct session *session;
    bool kvm;
    struct progress *progress;
    struct image **images; // by node
    int *memory;           // by node: the file that libvirt saves to, which it may take from us
    char *draft;
    json_t *uuids;
    struct press *presses; // by node
};

// ---- before --------------------------------------------------------------------------------------

// A node that is off or paused has no place in a set: a cluster converges without it, too.
static int
check_running(const struct session *session, struct error *err)
{
    for (size_t i = 0; i < session->spec->node_count; i++) {
        VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
        const char *node = session->spec->nodes[i].name;
        if (virt_domain_look(session->virt, node, &info, err) < 0)
            return -1;
        if (info.state != VIRT_RUNNING)
            return error_set(err, ERR_FAILED,
                "'%s' is %s, so cluster '%s' is not frozen; start all nodes with 'airbuild "
                "launch', "
                "and try again",
                node, virt_state_name(info.state), session->spec->cluster);
    }
    return 0;
}

// Beside nodes that have just booted a replica may be late for a moment, and the master then takes
// no writes: that passes.
static int
check_converged(struct session *session, struct progress *progress, struct error *err)
{
    SURVEY_AUTO struct survey survey = {0};
    for (int64_t end = clock_ms() + CONVERGED_MS;;) {
        if (survey_make(session, PROBE_MS, &survey, err) < 0)
            return -1;
        if (survey.verdict.converged)
            return 0;
        if (clock_left(end) == 0)
            break;
        progress_step(
            progress, session->spec->cluster, "has not converged: %s", survey.verdict.awaited);
        if (clock_sleep(PAUSE_MS, err) < 0)
            return -1;
    }
    return error_set(err, ERR_FAILED,
        "cluster '%s' has not converged (%s) and is not frozen; wait until 'airbuild status' "
        "reports that it has, and try again",
        session->spec->cluster, survey.verdict.awaited);
}

static int
load_node_images(struct freeze *freeze, struct store *store, struct error *err)
{
    for (size_t i = 0; i < freeze->spec->node_count; i++) {
        const char *node = freeze->spec->nodes[i].name;
        const char *key = record_image(freeze->session->record, node);
        if (key == NULL)
            return error_set(err, ERR_DAMAGED,
                "the cluster's record does not name the image that backs the disk of '%s'", node);
        if (store_find(store, key, &freeze->images[i], err) < 0)
            return error_context(err, "the disk of '%s' is backed by an image", node);
    }
    return 0;
}

static int
check_room(const struct spec *spec, const char *store, struct error *err)
{
    FREE_AUTO char *parent = cluster_parent();
    uint64_t need = 0;
    for (size_t i = 0; i < spec->node_count; i++)
        need += (uint64_t) spec->nodes[i].memory_mib << 20;
    if (dir_check_space(parent, need, "the memory of the nodes", "AIRBUILD_STATE", err) < 0)
        return -1;
    return dir_check_space(store, need / 2, "a frozen set", "AIRBUILD_HOME", err);
}

// Runs a program in all guests side by side that finishes their boot and drops their caches. The
// kernel clears memory that becomes free (virt_cmdline), which then costs nothing in the set. A
// node where that fails is frozen as it is.
static int
prepare_nodes(const struct session *session, struct progress *progress, struct error *err)
{
    static const char *const argv[] = {"/bin/sh", "/usr/lib/airbuild/before-freeze", NULL};
    const struct spec *spec = session->spec;
    struct virt *virt = session->virt;
    FREE_AUTO long long *pids = mem_zero(spec->node_count, sizeof *pids);
    progress_step(progress, spec->cluster, "waiting until the nodes have dropped their caches");
    for (int waits = 0; waits < 2; waits++)
        for (size_t i = 0; i < spec->node_count; i++) {
            ERROR_AUTO struct error failure = {0};
            const char *node = spec->nodes[i].name;
            int status = 0, result = 0;
            if (!waits)
                result =
                    virt_agent_start(virt, spec->cluster, node, argv, AGENT_MS, &pids[i], &failure);
            else if (pids[i] > 0)
                result = virt_agent_wait(
                    virt, spec->cluster, node, pids[i], PREPARE_MS, &status, NULL, &failure);
            if (result < 0 && failure.code == ERR_INTERRUPTED)
                return error_move(err, &failure);
            if (result < 0)
                progress_note(progress, "'%s' is not prepared, so a thaw is slower: %s", node,
                    failure.message);
            else if (status != 0)
                progress_note(progress,
                    "'%s' is not prepared, so a thaw is slower: %s ended with %d", node, argv[1],
                    status);
        }
    return 0;
}

// ---- compression ---------------------------------------------------------------------------------

// One thread compresses the memory of one node.
struct press {
    int from;
    char *to;
    pthread_t thread;
    bool started;
    int result;
    struct error err;
};

static void *
run_press(void *context)
{
    struct press *press = context;
    press->result = compress_to(press->from, press->to, &press->err);
    return NULL;
}

static void
start_presses(struct freeze *freeze)
{
    for (size_t i = 0; i < freeze->spec->node_count; i++) {
        struct press *press = &freeze->presses[i];
        press->from = freeze->memory[i];
        press->to = frozen_path(freeze->draft, freeze->spec->nodes[i].name, FROZEN_MEMORY);
        int number = thread_start(&press->thread, run_press, press);
        press->started = number == 0;
        if (number != 0)
            press->result = error_errno(&press->err, number, "cannot start a thread");
    }
}

// result: that of what was done meanwhile, with err. Returns -1 if that or a press failed.
static int
end_presses(struct freeze *freeze, int result, struct error *err)
{
    for (size_t i = 0; i < freeze->spec->node_count; i++) {
        struct press *press = &freeze->presses[i];
        if (press->started)
            pthread_join(press->thread, NULL);
        if (press->result < 0 && result == 0)
            result = error_move(err, &press->err);
        error_clear(&press->err);
        free(press->to);
    }
    return result;
}

// ---- while the nodes stand still -----------------------------------------------------------------

static int
stop_nodes(struct freeze *freeze, struct error *err)
{
    for (size_t i = 0; i < freeze->spec->node_count; i++)
        if (virt_domain_suspend(
                freeze->session->virt, freeze->spec->cluster, freeze->spec->nodes[i].name, err) < 0)
            return -1;
    return 0;
}

// The files are opened first, as libvirt may give them to another user.
static int
save_nodes(struct freeze *freeze, struct error *err)
{
    size_t count = freeze->spec->node_count;
    FREE_AUTO struct virt_memory *items = mem_zero(count, sizeof *items);
    STRV_AUTO struct strv paths = {0};
    for (size_t i = 0; i < count; i++) {
        const char *node = freeze->spec->nodes[i].name;
        strv_take(&paths, cluster_node_path(freeze->spec, node, THAW_MEMORY));
        items[i] = (struct virt_memory){.name = node, .path = paths.items[i]};
        if (unlink(items[i].path) < 0 && errno != ENOENT)
            return error_errno(err, errno, "cannot remove '%s'", items[i].path);
        freeze->memory[i] = open(items[i].path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (freeze->memory[i] < 0)
            return error_errno(err, errno, "cannot create '%s'", items[i].path);
    }
    return virt_memory_save(
        freeze->session->virt, freeze->spec->cluster, items, count, SAVE_MS, err);
}

static int
copy_nodes(struct freeze *freeze, struct error *err)
{
    FREE_AUTO char *secrets = path_join(freeze->session->folder, FROZEN_SECRETS);
    FREE_AUTO char *copy = frozen_path(freeze->draft, NULL, FROZEN_SECRETS);
    if (file_copy(secrets, copy, 0600, err) < 0)
        return -1;
    for (size_t i = 0; i < freeze->spec->node_count; i++) {
        const char *node = freeze->spec->nodes[i].name;
        FREE_AUTO char *disk = cluster_node_path(freeze->spec, node, "disk.qcow2");
        FREE_AUTO char *seed = cluster_node_path(freeze->spec, node, "seed.iso");
        FREE_AUTO char *disk_copy = frozen_path(freeze->draft, node, FROZEN_DISK);
        FREE_AUTO char *seed_copy = frozen_path(freeze->draft, node, FROZEN_SEED);
        FREE_AUTO char *folder = path_folder(disk_copy);
        if (dir_make(folder, 0700, err) < 0 || file_copy(disk, disk_copy, 0600, err) < 0 ||
            file_copy(seed, seed_copy, 0600, err) < 0)
            return -1;
    }
    return 0;
}

// Brings back what was saved, and resumes all. Goes on after a failure, as each node counts.
static int
wake_nodes(struct freeze *freeze, struct error *err)
{
    const struct spec *spec = freeze->spec;
    FREE_AUTO bool *saved = mem_zero(spec->node_count, sizeof *saved);
    int result = 0;
    for (size_t i = 0; i < spec->node_count; i++) {
        VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
        if (virt_domain_look(freeze->session->virt, spec->nodes[i].name, &info, err) < 0)
            return -1;
        saved[i] = info.state == VIRT_OFF && freeze->memory[i] >= 0;
    }
    result = thaw_saved(freeze->session, freeze->images, freeze->kvm, saved, err);
    for (size_t i = 0; i < spec->node_count; i++) {
        ERROR_AUTO struct error failure = {0};
        if (virt_domain_resume(
                freeze->session->virt, spec->cluster, spec->nodes[i].name, &failure) < 0 &&
            result == 0)
            result = error_move(err, &failure);
    }
    return result;
}

static int
freeze_nodes(struct freeze *freeze, double *ret_stopped_s, struct error *err)
{
    ERROR_AUTO struct error failure = {0};
    int64_t begin = clock_ms();
    interrupt_hold();
    progress_step(freeze->progress, freeze->spec->cluster, "saving the memory");
    int result = stop_nodes(freeze, err);
    if (result == 0)
        result = save_nodes(freeze, err);
    if (result == 0)
        result = copy_nodes(freeze, err);
    // Beside nodes that run again it would take twice as long.
    if (result == 0)
        start_presses(freeze);
    progress_step(freeze->progress, freeze->spec->cluster, "resuming");
    if (wake_nodes(freeze, &failure) < 0) {
        if (result == 0)
            result = error_move(err, &failure);
        else
            error_context(err, "%s", failure.message);
    }
    interrupt_release();
    *ret_stopped_s = (double) (clock_ms() - begin) / 1000;
    return result;
}

// ---- after ---------------------------------------------------------------------------------------

// A set of the same key gives way to the new one.
static int
publish_set(struct freeze *freeze, const json_t *depends, const char *folder, struct error *err)
{
    FREE_AUTO char *path = frozen_path(freeze->draft, NULL, FROZEN_MANIFEST);
    FREE_AUTO char *stamp = clock_stamp();
    json_auto_t *manifest = json_pack("{s:i, s:s, s:o, s:s, s:O, s:O}", "format", FROZEN_FORMAT,
        "created", stamp, "cluster", text_to_json(freeze->spec->cluster), "airbuild",
        AIRBUILD_VERSION, "uuids", freeze->uuids, "depends", depends);
    if (frozen_record_files(freeze->draft, manifest, err) < 0 ||
        write_json_file(path, 0600, manifest, err) < 0)
        return -1;
    return dir_replace(freeze->draft, folder, err);
}

static int
read_uuids(struct freeze *freeze, struct error *err)
{
    for (size_t i = 0; i < freeze->spec->node_count; i++) {
        FREE_AUTO char *uuid = NULL;
        const char *node = freeze->spec->nodes[i].name;
        if (virt_domain_uuid(freeze->session->virt, freeze->spec->cluster, node, &uuid, err) < 0)
            return -1;
        json_object_set_new(freeze->uuids, node, json_string(uuid));
    }
    return 0;
}

static int
make_set(struct freeze *freeze, struct freeze_report *ret, struct error *err)
{
    FREE_AUTO char *home = cluster_home();
    STORE_AUTO struct store *store = NULL;
    CLOSE_AUTO int lock = -1;
    json_auto_t *depends = NULL;
    if (store_open(home, &store, err) < 0)
        return -1;
    FREE_AUTO char *sets = frozen_folder(store);
    store_set_patience(store, freeze->progress, LOCK_MS);
    if (load_node_images(freeze, store, err) < 0 ||
        frozen_depends(freeze->session, freeze->images, freeze->kvm, &depends, err) < 0 ||
        dir_make(sets, 0700, err) < 0 || check_room(freeze->spec, sets, err) < 0 ||
        read_uuids(freeze, err) < 0)
        return -1;
    frozen_key(depends, ret->key);
    FREE_AUTO char *folder = path_join(sets, ret->key);
    freeze->draft = str_format("%s/.%s", sets, ret->key);
    if (store_lock_image(store, ret->key, &lock, err) < 0 || dir_remove(freeze->draft, err) < 0 ||
        dir_make(freeze->draft, 0700, err) < 0)
        return -1;
    int result = check_running(freeze->session, err);
    if (result == 0)
        result = freeze_nodes(freeze, &ret->stopped_s, err);
    if (result == 0)
        progress_step(freeze->progress, freeze->spec->cluster, "compressing the memory");
    result = end_presses(freeze, result, err);
    if (result == 0)
        result = publish_set(freeze, depends, folder, err);
    if (result < 0) {
        ERROR_AUTO struct error ignored = {0};
        dir_remove(freeze->draft, &ignored);
        return -1;
    }
    ret->bytes = sets_folder_bytes(folder);
    ret->folder = TAKE(folder);
    return 0;
}

int
freeze_in_session(struct session *session, bool kvm, struct progress *progress,
    struct freeze_report *ret, struct error *err)
{
    size_t count = session->spec->node_count;
    struct freeze freeze = {
        .spec = session->spec,
        .session = session,
        .kvm = kvm,
        .progress = progress,
        .images = mem_zero(count, sizeof(struct image *)),
        .memory = mem_zero(count, sizeof(int)),
        .uuids = json_object(),
        .presses = mem_zero(count, sizeof(struct press)),
    };
    for (size_t i = 0; i < count; i++)
        freeze.memory[i] = -1;
    int result = make_set(&freeze, ret, err);
    for (size_t i = 0; i < count; i++) {
        image_free(freeze.images[i]);
        cleanup_close(&freeze.memory[i]);
    }
    free(freeze.images);
    free(freeze.memory);
    free(freeze.presses);
    free(freeze.draft);
    json_decref(freeze.uuids);
    return result;
}

static int
freeze_converged(struct session *session, bool kvm, struct progress *progress,
    struct freeze_report *ret, struct error *err)
{
    if (check_running(session, err) < 0 || check_converged(session, progress, err) < 0)
        return -1;
    int64_t begin = clock_ms();
    if (prepare_nodes(session, progress, err) < 0)
        return -1;
    if (clock_ms() - begin > PREPARED_MS && prepare_nodes(session, progress, err) < 0)
        return -1;
    return freeze_in_session(session, kvm, progress, ret, err);
}

int
cluster_freeze(const struct spec *spec, bool kvm, struct progress *progress,
    struct freeze_report *ret, struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    int64_t begin = clock_ms();
    if (session_open_launched(spec, true, &session, err) < 0 ||
        freeze_converged(&session, kvm, progress, ret, err) < 0)
        return -1;
    ret->seconds = (double) (clock_ms() - begin) / 1000;
    return 0;
}

// ---- without a cluster ---------------------------------------------------------------------------

// Removes what cluster_make_set launched; a failure before has the word.
static int
remove_launched(struct session *session, struct progress *progress, int result, struct error *err)
{
    ERROR_AUTO struct error left = {0};
    if (session->record == NULL || !cluster_exists(session->spec))
        return result;
    interrupt_hold();
    int removed = destroy_in_session(session, progress, &left);
    interrupt_release();
    if (removed == 0)
        return result;
    if (result == 0)
        return error_move(err, &left);
    progress_note(progress, "the cluster could not all be removed: %s", left.message);
    return result;
}

int
cluster_make_set(const struct launch_options *options, struct freeze_report *ret, struct error *err)
{
    int64_t begin = clock_ms();
    const struct spec *spec = options->spec;
    struct launch_options cold = *options;
    SESSION_AUTO struct session session = {.lock = -1};
    LAUNCH_AUTO struct launch launch = {.options = &cold, .session = &session};
    CLUSTER_REPORT_AUTO struct cluster_report *report = NULL;
    cold.cold = true;
    if (session_open(spec, true, &session, err) < 0 || session_connect(&session, err) < 0)
        return -1;
    if (session.record != NULL)
        return error_set(err, ERR_CONFLICT,
            "cluster '%s' exists, and a set made of it would have its data: 'airbuild freeze' "
            "freezes it as it is, and after 'airbuild destroy' a new one can be frozen",
            spec->cluster);
    int result = launch_in_session(&launch, err);
    if (result == 0)
        result = converge_wait(&launch, &report, err);
    if (result == 0)
        result = freeze_converged(&session, options->kvm, options->progress, ret, err);
    result = remove_launched(&session, options->progress, result, err);
    ret->seconds = (double) (clock_ms() - begin) / 1000;
    return result;
}
