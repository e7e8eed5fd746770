// plan.c - see plan.h and cluster.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/plan.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cluster/disk.h"
#include "cluster/machine.h"

#include <stdarg.h>
#include <stdio.h>

void
cluster_plan_free(struct cluster_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->steps[i].object);
        free(plan->steps[i].detail);
    }
    free(plan->steps);
    strv_free(&plan->differences);
    strv_free(&plan->conflicts);
    strv_free(&plan->faults);
    strv_free(&plan->notes);
    free(plan);
}

void
cluster_plan_freep(struct cluster_plan **plan)
{
    cluster_plan_free(*plan);
}

static const char *const verbs[] = {
    [PLAN_KEEP] = "keep",
    [PLAN_NETWORK] = "make",
    [PLAN_SECRETS] = "make",
    [PLAN_DISK] = "make",
    [PLAN_SEED] = "make",
    [PLAN_DEFINE] = "define",
    [PLAN_START] = "start",
};

static void
append_step(struct cluster_plan *plan, enum plan_kind kind, size_t node, char *object, char *detail)
{
    mem_grow(&plan->steps, &plan->capacity, plan->count + 1, sizeof *plan->steps);
    plan->steps[plan->count++] = (struct cluster_step){
        .verb = verbs[kind], .object = object, .detail = detail, .kind = (int) kind, .node = node};
}

static void add_fault(struct cluster_plan *plan, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
add_fault(struct cluster_plan *plan, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strv_take(&plan->faults, str_formatv(format, args));
    va_end(args);
    if (plan->fault == ERR_NONE)
        plan->fault = code;
}

static void
add_conflict(struct cluster_plan *plan, const char *kind, const char *name, const char *cluster,
    const char *folder)
{
    if (cluster == NULL)
        strv_addf(&plan->conflicts, "libvirt %s '%s'", kind, name);
    else if (folder == NULL)
        strv_addf(
            &plan->conflicts, "libvirt %s '%s' (of another cluster '%s')", kind, name, cluster);
    else
        strv_addf(&plan->conflicts, "libvirt %s '%s' (of the cluster '%s' in '%s')", kind, name,
            cluster, folder);
}

static void
plan_network(
    struct cluster_plan *plan, const struct spec *spec, const struct virt_network_info *network)
{
    if (spec->network.mode == SPEC_NETWORK_BRIDGE) {
        append_step(plan, PLAN_KEEP, 0, str_format("bridge %s", spec->network.name),
            str_dup("the host's own"));
        return;
    }
    if (network->exists && (!network->ours || !str_equal(network->cluster, spec->cluster))) {
        add_conflict(plan, "network", spec->network.name, network->cluster, network->folder);
        return;
    }
    if (network->exists && network->difference != NULL)
        strv_addf(&plan->differences, "network '%s': %s", spec->network.name, network->difference);
    bool there = network->exists && network->active;
    append_step(plan, there ? PLAN_KEEP : PLAN_NETWORK, 0,
        str_format("network %s", spec->network.name),
        str_format("%s, host %s", spec->network.subnet, spec->network.host));
}

// Whether a disk of a worker is there, with data in it or never started.
static bool
has_worker_disk(const struct spec *spec, const struct survey *survey)
{
    for (size_t i = 0; i < spec->node_count; i++)
        if (spec->nodes[i].role == SPEC_REDIS && survey->disks[i])
            return true;
    return false;
}

static void
note_lost_disk(struct cluster_plan *plan, const struct spec_node *node)
{
    if (node->role == SPEC_HAPROXY)
        strv_addf(&plan->notes, "the disk of '%s' is missing: it is made anew; it held no data",
            node->name);
    else if (plan->empty)
        strv_addf(&plan->notes, "the disk of '%s' is missing: it is made empty", node->name);
    else
        strv_addf(&plan->notes,
            "the disk of '%s' is missing: it is made empty and copies its data from the others",
            node->name);
}

static void
plan_losses(struct cluster_plan *plan, const struct spec *spec, const struct record *record,
    const struct survey *survey)
{
    if (record == NULL || !record->founded)
        return;
    plan->empty = !has_worker_disk(spec, survey);
    for (size_t i = 0; i < spec->node_count; i++)
        if (!survey->disks[i])
            note_lost_disk(plan, &spec->nodes[i]);
}

static bool
is_up(const struct virt_domain_info *domain)
{
    return domain->state == VIRT_RUNNING || domain->state == VIRT_PAUSED;
}

static void
plan_node_files(struct cluster_plan *plan, const struct spec_node *node, size_t index,
    const struct survey *survey)
{
    if (survey->disks[index])
        append_step(
            plan, PLAN_KEEP, index, str_format("disk %s", node->name), str_dup("with its data"));
    else
        append_step(plan, PLAN_DISK, index, str_format("disk %s", node->name),
            str_format("a layer over the %s image", spec_role_name(node->role)));
    if (!survey->disks[index] && survey->domains[index].ours && is_up(&survey->domains[index]))
        add_fault(plan, ERR_CONFLICT,
            "'%s' runs on a disk that was removed under it; save what it holds, then stop it with "
            "'airbuild stop %s': the next launch makes the disk anew",
            node->name, node->name);
    // A new disk is a new instance: its seed is made with it.
    bool seed = survey->disks[index] && survey->seeds[index];
    append_step(
        plan, seed ? PLAN_KEEP : PLAN_SEED, index, str_format("seed %s", node->name), str_dup(""));
}

// A machine that is off was given another disk, a snapshot of virsh for one: what was written since
// is there and not in ours.
static void
check_disk_source(struct cluster_plan *plan, const struct spec *spec, const struct spec_node *node,
    const struct virt_domain_info *domain)
{
    FREE_AUTO char *disk = cluster_node_path(spec, node->name, "disk.qcow2");
    if (!domain->ours || domain->disk == NULL || str_equal(domain->disk, disk) ||
        !file_exists(domain->disk))
        return;
    add_fault(plan, ERR_CONFLICT,
        "the domain '%s' uses the disk '%s' in place of '%s' (a snapshot?), and what was written "
        "since is only there; merge it with 'virsh start %s' and 'virsh blockcommit %s vda "
        "--active --pivot', or drop it with 'virsh undefine --snapshots-metadata %s'",
        node->name, domain->disk, disk, node->name, node->name, node->name);
}

// It cannot be set going, or continues from a memory that does not go with what it would be.
static void
check_condition(
    struct cluster_plan *plan, const struct virt_domain_info *domain, bool other_machine)
{
    ERROR_AUTO struct error held = {0};
    if (virt_domain_held(domain, &held) < 0)
        add_fault(plan, held.code, "%s", held.message);
    if (domain->saved && other_machine)
        add_fault(plan, ERR_CONFLICT,
            "the memory of '%s' was saved, and its disk or its definition is another now; start it "
            "with 'virsh start %s' and stop it with 'airbuild stop', or give the memory up with "
            "'virsh managedsave-remove %s'",
            domain->name, domain->name, domain->name);
}

static void
plan_domain(struct cluster_plan *plan, const struct spec *spec, size_t index,
    const struct survey *survey, const char *changed)
{
    const struct spec_node *node = &spec->nodes[index];
    const struct virt_domain_info *domain = &survey->domains[index];
    bool absent = domain->state == VIRT_ABSENT;
    if (!absent && (!domain->ours || !str_equal(domain->cluster, spec->cluster))) {
        add_conflict(plan, "domain", node->name, domain->cluster, domain->folder);
        return;
    }
    if (!absent && domain->state != VIRT_RUNNING)
        check_disk_source(plan, spec, node, domain);
    check_condition(plan, domain, changed != NULL || !survey->disks[index]);
    char *detail = str_format("%s, %u MiB, %u cpu%s%s%s", node->address, node->memory_mib,
        node->cpus, node->cpus == 1 ? "" : "s", changed != NULL ? "; " : "",
        changed != NULL ? changed : "");
    bool running = domain->state == VIRT_RUNNING;
    append_step(plan, absent || changed != NULL ? PLAN_DEFINE : PLAN_KEEP, index,
        str_format("domain %s", node->name), detail);
    if (!running)
        append_step(plan, PLAN_START, index, str_format("domain %s", node->name),
            str_dup(domain->saved ? "from its saved memory" : ""));
}

void
plan_fill(struct cluster_plan *plan, const struct spec *spec, const struct record *record,
    const struct survey *survey, char *const *changed)
{
    if (record != NULL)
        record_differences(record->spec, spec, &plan->differences);
    plan_losses(plan, spec, record, survey);
    plan_network(plan, spec, &survey->network);
    append_step(plan, record != NULL ? PLAN_KEEP : PLAN_SECRETS, 0, str_dup("secrets"),
        str_dup("passwords, SSH keys, identities"));
    for (size_t i = 0; i < spec->node_count; i++)
        plan_node_files(plan, &spec->nodes[i], i, survey);
    for (size_t i = 0; i < spec->node_count; i++)
        plan_domain(plan, spec, i, survey, changed != NULL ? changed[i] : NULL);
}

int
plan_refuse(const struct cluster_plan *plan, const struct spec *spec, struct error *err)
{
    if (plan->conflicts.count > 0) {
        FREE_AUTO char *names = strv_join(&plan->conflicts, ", ");
        return error_set(err, ERR_CONFLICT,
            "%s exist%s already and %s not part of cluster '%s'; nothing was touched: rename the "
            "nodes or the cluster in the spec, or remove what is there with virsh",
            names, plan->conflicts.count == 1 ? "s" : "", plan->conflicts.count == 1 ? "is" : "are",
            spec->cluster);
    }
    if (plan->faults.count > 0) {
        FREE_AUTO char *lines = strv_join(&plan->faults, "\n");
        return error_set(err, plan->fault, "%s", lines);
    }
    if (plan->differences.count > 0) {
        FREE_AUTO char *lines = strv_join(&plan->differences, "\n  ");
        return error_set(err, ERR_CONFLICT,
            "cluster '%s' was launched with another spec; nothing was touched: 'airbuild destroy' "
            "it first, rename the cluster, or take the changes back:\n  %s",
            spec->cluster, lines);
    }
    return 0;
}

// ---- the look at the host ------------------------------------------------------------------------

// What the disk of a node lies over, or will: NULL for a new one whose image is not there.
static int
load_image(const struct cluster_launch *launch, struct store *store, const struct record *record,
    bool kept, const struct spec_node *node, struct image **ret, struct error *err)
{
    const struct image *fresh = node->role == SPEC_HAPROXY ? launch->haproxy : launch->redis;
    const char *recorded = record != NULL && kept ? record_image(record, node->name) : NULL;
    const char *key = kept ? recorded : fresh != NULL ? fresh->key : NULL;
    if (kept && key == NULL)
        return error_set(err, ERR_DAMAGED,
            "the disk of '%s' is there, but the cluster's record does not name the image that it "
            "is backed by; move the disk away, or bring the record back from a copy",
            node->name);
    if (key == NULL)
        return 0;
    if (store_find(store, key, ret, err) < 0)
        return error_context(err, "the disk of '%s' is backed by an image", node->name);
    return 0;
}

static int
load_images(const struct cluster_launch *launch, const struct session *session,
    const struct survey *survey, struct image **images, struct error *err)
{
    FREE_AUTO char *home = cluster_home();
    STORE_AUTO struct store *store = NULL;
    if (store_open(home, &store, err) < 0)
        return -1;
    for (size_t i = 0; i < survey->count; i++)
        if (load_image(launch, store, session->record, survey->disks[i], &launch->spec->nodes[i],
                &images[i], err) < 0)
            return -1;
    return 0;
}

// A disk that will be kept, and a seed that fits it: one that does not is made again.
static int
check_files(const struct cluster_launch *launch, const struct session *session,
    struct survey *survey, struct image *const *images, struct cluster_plan *plan,
    struct error *err)
{
    for (size_t i = 0; i < survey->count; i++) {
        const struct spec_node *node = &launch->spec->nodes[i];
        const struct secrets_node *own =
            session->secrets != NULL ? secrets_find(session->secrets, node->name) : NULL;
        FREE_AUTO char *disk = cluster_node_path(launch->spec, node->name, "disk.qcow2");
        FREE_AUTO char *seed = cluster_node_path(launch->spec, node->name, "seed.iso");
        bool runs = session->virt == NULL || is_up(&survey->domains[i]); // as far as is known
        if (survey->seeds[i] && !runs && own != NULL)
            survey->seeds[i] = disk_has_seed(seed, own->instance_id);
        if (!survey->disks[i] || disk_check(node->name, disk, images[i]->key, !runs, err) == 0)
            continue;
        if (err->code != ERR_DAMAGED && err->code != ERR_CONFLICT)
            return -1;
        add_fault(plan, err->code, "%s", err->message);
        error_clear(err);
    }
    return 0;
}

// How the domains that are off differ from what they should be.
static int
compare_domains(const struct cluster_launch *launch, struct session *session,
    const struct survey *survey, struct image *const *images, char **changed, struct error *err)
{
    for (size_t i = 0; i < survey->count; i++) {
        const struct virt_domain_info *domain = &survey->domains[i];
        if (domain->state == VIRT_ABSENT || domain->state == VIRT_RUNNING || !domain->ours ||
            images[i] == NULL)
            continue;
        MACHINE_AUTO struct machine machine;
        machine_fill(
            &machine, launch->spec, session->id, &launch->spec->nodes[i], images[i], launch->kvm);
        if (virt_domain_compare(session->virt, &machine.domain, &changed[i], err) < 0)
            return -1;
    }
    return 0;
}

int
plan_make(const struct cluster_launch *launch, struct session *session, struct survey *survey,
    struct image **images, struct cluster_plan *plan, struct error *err)
{
    const struct spec *spec = launch->spec;
    FREE_AUTO char **changed = mem_zero(spec->node_count, sizeof *changed);
    int result = -1;
    if (survey_make(session, survey, err) == 0 &&
        load_images(launch, session, survey, images, err) == 0 &&
        check_files(launch, session, survey, images, plan, err) == 0 &&
        compare_domains(launch, session, survey, images, changed, err) == 0) {
        plan_fill(plan, spec, session->record, survey, changed);
        result = 0;
    }
    for (size_t i = 0; i < spec->node_count; i++)
        free(changed[i]);
    return result;
}

int
cluster_plan_make(const struct cluster_launch *launch, struct cluster_plan **ret,
    char **ret_libvirt, struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    SURVEY_AUTO struct survey survey = {0};
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    FREE_AUTO struct image **images = mem_zero(launch->spec->node_count, sizeof *images);
    *ret_libvirt = NULL;
    if (session_open(launch->spec, false, &session, err) < 0)
        return -1;
    if (session_connect(&session, err) < 0) {
        if (err->code == ERR_INTERRUPTED)
            return -1;
        *ret_libvirt = str_dup(err->message);
        error_clear(err);
    }
    int result = plan_make(launch, &session, &survey, images, plan, err);
    for (size_t i = 0; i < launch->spec->node_count; i++)
        image_free(images[i]);
    if (result == 0)
        *ret = TAKE(plan);
    return result;
}
