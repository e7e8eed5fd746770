// plan.c - see plan.h and cluster.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/plan.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cluster/definition.h"
#include "cluster/disk.h"
#include "cluster/sets.h"
#include "cluster/thaw.h"

#include <stdarg.h>
#include <stdio.h>

void
cluster_plan_freep(struct cluster_plan **owner)
{
    struct cluster_plan *plan = *owner;
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->steps[i].object);
        free(plan->steps[i].detail);
    }
    free(plan->steps);
    for (size_t i = 0; i < plan->image_count; i++)
        image_free(plan->images[i]);
    free(plan->images);
    strv_free(&plan->differences);
    strv_free(&plan->conflicts);
    strv_free(&plan->faults);
    strv_free(&plan->notes);
    frozen_set_freep(&plan->frozen);
    free(plan);
}

static void
append_step(struct cluster_plan *plan, enum plan_kind kind, size_t node, char *object, char *detail)
{
    mem_grow(&plan->steps, &plan->capacity, plan->count + 1, sizeof *plan->steps);
    plan->steps[plan->count++] = (struct cluster_step){
        .verb = kind == PLAN_KEEP     ? "keep"
                : kind == PLAN_DEFINE ? "define"
                : kind == PLAN_START  ? "start"
                                      : "make",
        .object = object,
        .detail = detail,
        .kind = (int) kind,
        .node = node,
    };
}

static void __attribute__((format(printf, 3, 4)))
add_fault(struct cluster_plan *plan, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strv_take(&plan->faults, str_formatv(format, args));
    va_end(args);
    if (plan->refusal == ERR_NONE)
        plan->refusal = code;
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
    append_step(plan, network->exists && network->active ? PLAN_KEEP : PLAN_NETWORK, 0,
        str_format("network %s", spec->network.name),
        str_format("%s, host %s", spec->network.subnet, spec->network.host));
}

static void
plan_losses(struct cluster_plan *plan, const struct spec *spec, const struct record *record,
    const struct survey *survey)
{
    if (record == NULL || !record->founded || plan->again)
        return;
    plan->empty = true;
    for (size_t i = 0; i < spec->node_count; i++)
        if (spec->nodes[i].role == SPEC_REDIS && survey->disks[i])
            plan->empty = false;
    for (size_t i = 0; i < spec->node_count; i++) {
        const char *consequence = spec->nodes[i].role == SPEC_HAPROXY ? "again; it held no data"
                                  : plan->empty                       ? "empty"
                                                : "empty and copies its data from the others";
        if (!survey->disks[i])
            strv_addf(&plan->notes, "the disk of '%s' is missing: it is made %s",
                spec->nodes[i].name, consequence);
    }
}

static bool
is_up(const struct virt_domain_info *domain)
{
    return domain->state == VIRT_RUNNING || domain->state == VIRT_PAUSED;
}

static void
plan_domain(
    struct cluster_plan *plan, const struct spec *spec, size_t index, const struct survey *survey)
{
    const char *change = survey->changes[index];
    const struct spec_node *node = &spec->nodes[index];
    const struct virt_domain_info *domain = &survey->domains[index];
    bool absent = domain->state == VIRT_ABSENT;
    if (survey_is_foreign(survey, spec, index)) {
        add_conflict(plan, "domain", node->name, domain->cluster, domain->folder);
        return;
    }
    // It was given another disk, by a snapshot of virsh for one: only that disk has what was
    // written since.
    FREE_AUTO char *disk = cluster_node_path(spec, node->name, "disk.qcow2");
    if (!absent && domain->state != VIRT_RUNNING && domain->disk != NULL &&
        !str_equal(domain->disk, disk) && file_exists(domain->disk))
        add_fault(plan, ERR_CONFLICT,
            "the domain '%s' uses the disk '%s' instead of '%s' (a snapshot?), which alone holds "
            "the latest writes; merge it with 'virsh start %s' and 'virsh blockcommit %s vda "
            "--active --pivot', or drop it with 'virsh undefine --snapshots-metadata %s'",
            node->name, domain->disk, disk, node->name, node->name, node->name);
    ERROR_AUTO struct error held = {0};
    if (virt_domain_held(domain, &held) < 0)
        add_fault(plan, held.code, "%s", held.message);
    if (domain->saved && (change != NULL || !survey->disks[index]))
        add_fault(plan, ERR_CONFLICT,
            "the memory of '%s' was saved, and its disk or definition has changed since; start it "
            "with 'virsh start %s' and stop it with 'airbuild stop', or drop the memory with "
            "'virsh managedsave-remove %s'",
            domain->name, domain->name, domain->name);
    if (survey->memory[index] && change != NULL)
        add_fault(plan, ERR_CONFLICT,
            "a freeze was cut short and left the memory of '%s', whose definition has changed "
            "since "
            "(%s); undo that change, or remove the file '%s' in the node's folder to boot it",
            node->name, change, THAW_MEMORY);
    char *detail =
        str_format("%s, %u MiB, %u cpu%s%s%s", node->address, node->memory_mib, node->cpus,
            node->cpus == 1 ? "" : "s", change != NULL ? "; " : "", change != NULL ? change : "");
    append_step(plan, absent || change != NULL ? PLAN_DEFINE : PLAN_KEEP, index,
        str_format("domain %s", node->name), detail);
    if (domain->state != VIRT_RUNNING)
        append_step(plan, PLAN_START, index, str_format("domain %s", node->name),
            str_dup(domain->saved || survey->memory[index] ? "from its saved memory"
                    : plan->frozen != NULL                 ? "from its frozen memory"
                                                           : ""));
}

// Refuses nodes that do not fit into the host's memory. Those that run have theirs.
static void
plan_memory(struct cluster_plan *plan, const struct spec *spec, const struct survey *survey)
{
    uint64_t need = 0;
    size_t count = 0;
    for (size_t i = 0; i < spec->node_count; i++)
        if (!is_up(&survey->domains[i])) {
            need += ((uint64_t) spec->nodes[i].memory_mib << 20) + survey->overhead;
            count++;
        }
    if (survey->host.memory_total == 0 || need <= survey->host.memory_free)
        return;
    FREE_AUTO char *need_text = str_bytes(need);
    FREE_AUTO char *free_text = str_bytes(survey->host.memory_free);
    FREE_AUTO char *total_text = str_bytes(survey->host.memory_total);
    add_fault(plan, ERR_SPACE,
        "%zu node%s to start need%s %s of memory, but only %s of this host's %s are free; write "
        "less 'memory' or fewer nodes in the spec, or end what uses the host's memory",
        count, count == 1 ? "" : "s", count == 1 ? "s" : "", need_text, free_text, total_text);
}

void
plan_fill(struct cluster_plan *plan, const struct spec *spec, const struct record *record,
    const struct survey *survey)
{
    if (record != NULL)
        record_differences(record->spec, spec, &plan->differences);
    plan_losses(plan, spec, record, survey);
    plan_network(plan, spec, &survey->network);
    append_step(plan, record != NULL && !plan->again ? PLAN_KEEP : PLAN_SECRETS, 0,
        str_dup("secrets"), str_dup("passwords, SSH keys, identities"));
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        bool disk = survey->disks[i];
        bool seed = disk && survey->seeds[i]; // a new disk is a new instance, with a new seed
        append_step(plan, disk ? PLAN_KEEP : PLAN_DISK, i, str_format("disk %s", node->name),
            disk                   ? str_dup("with its data")
            : plan->frozen != NULL ? str_format("of the frozen set %.12s", plan->frozen->key)
                                   : str_format("backed by the %s image", spec_roles[node->role]));
        if (!disk && survey->domains[i].ours && is_up(&survey->domains[i]))
            add_fault(plan, ERR_CONFLICT,
                "'%s' runs on a disk that was removed under it; copy what it holds, then stop it "
                "with 'airbuild stop %s': the next launch makes a new disk",
                node->name, node->name);
        append_step(
            plan, seed ? PLAN_KEEP : PLAN_SEED, i, str_format("seed %s", node->name), str_dup(""));
    }
    for (size_t i = 0; i < spec->node_count; i++)
        plan_domain(plan, spec, i, survey);
    plan_memory(plan, spec, survey);
    if (plan->conflicts.count > 0 || (plan->refusal == ERR_NONE && plan->differences.count > 0))
        plan->refusal = ERR_CONFLICT;
}

int
plan_refuse(const struct cluster_plan *plan, const struct spec *spec, struct error *err)
{
    if (plan->conflicts.count > 0) {
        FREE_AUTO char *names = strv_join(&plan->conflicts, ", ");
        return error_set(err, plan->refusal,
            "%s exist%s already and %s not part of cluster '%s'; nothing was changed: rename the "
            "nodes or the cluster in the spec, or remove those with virsh",
            names, plan->conflicts.count == 1 ? "s" : "", plan->conflicts.count == 1 ? "is" : "are",
            spec->cluster);
    }
    if (plan->faults.count > 0) {
        FREE_AUTO char *lines = strv_join(&plan->faults, "\n");
        return error_set(err, plan->refusal, "%s", lines);
    }
    if (plan->differences.count > 0) {
        FREE_AUTO char *lines = strv_join(&plan->differences, "\n  ");
        return error_set(err, plan->refusal,
            "cluster '%s' was launched with another spec; nothing was changed: 'airbuild destroy' "
            "it first, rename the cluster, or undo the changes of the spec:\n  %s",
            spec->cluster, lines);
    }
    return 0;
}

// ---- the host -------------------------------------------------------------------------------------

// Finds the image that backs the disk of each node, or will; leaves NULL for a new disk whose image
// is not there.
static int
load_images(const struct launch_options *options, const struct session *session,
    const struct survey *survey, struct cluster_plan *plan, struct error *err)
{
    FREE_AUTO char *home = cluster_home();
    STORE_AUTO struct store *store = NULL;
    if (store_open(home, &store, err) < 0)
        return -1;
    plan->images = mem_zero(survey->count, sizeof *plan->images);
    plan->image_count = survey->count;
    for (size_t i = 0; i < survey->count; i++) {
        const struct spec_node *node = &options->spec->nodes[i];
        const struct image *fresh = node->role == SPEC_HAPROXY ? options->haproxy : options->redis;
        const char *key = fresh != NULL ? fresh->key : NULL;
        if (survey->disks[i])
            key = session->record != NULL ? record_image(session->record, node->name) : NULL;
        if (survey->disks[i] && key == NULL)
            return error_set(err, ERR_DAMAGED,
                "the disk of '%s' exists, but the cluster's record does not name the image that "
                "backs it; move the disk away, or restore the record from a copy",
                node->name);
        if (key != NULL && store_find(store, key, &plan->images[i], err) < 0)
            return error_context(err, "the disk of '%s' is backed by an image", node->name);
    }
    return 0;
}

// Checks the disk and the seed of a node before they are kept; a seed that does not match is made
// again.
static int
check_node_files(const struct session *session, struct survey *survey, size_t index,
    struct cluster_plan *plan, struct error *err)
{
    const struct spec_node *node = &session->spec->nodes[index];
    const struct secrets_node *own =
        session->secrets != NULL ? secrets_find(session->secrets, node->name) : NULL;
    FREE_AUTO char *disk = cluster_node_path(session->spec, node->name, "disk.qcow2");
    FREE_AUTO char *seed = cluster_node_path(session->spec, node->name, "seed.iso");
    bool may_run = session->virt == NULL || is_up(&survey->domains[index]);
    if (survey->seeds[index] && !may_run && own != NULL)
        survey->seeds[index] = disk_has_seed(seed, own->instance_id);
    if (!survey->disks[index] ||
        disk_check(node->name, disk, plan->images[index]->key, !may_run, err) == 0)
        return 0;
    if (err->code != ERR_DAMAGED && err->code != ERR_CONFLICT)
        return -1;
    add_fault(plan, err->code, "%s", err->message);
    error_clear(err);
    return 0;
}

// Finds the frozen set that a first launch can thaw, or notes why it boots the nodes.
static int
find_frozen(const struct launch_options *options, const struct session *session,
    const struct survey *survey, struct cluster_plan *plan, struct error *err)
{
    FREE_AUTO char *why = NULL;
    if ((session->record != NULL && !plan->again) || session->virt == NULL || options->cold)
        return 0;
    for (size_t i = 0; i < survey->count; i++)
        if (plan->images[i] == NULL || survey->disks[i])
            return 0;
    if (sets_find(session, options, &plan->frozen, &why, err) < 0)
        return -1;
    if (why != NULL)
        strv_addf(&plan->notes, "%s: the nodes boot", why);
    return 0;
}

// The nodes of a cluster that begins again count as absent, and their memory as free.
static void
forget_nodes(const struct spec *spec, struct survey *survey)
{
    for (size_t i = 0; i < survey->count; i++) {
        struct virt_domain_info *domain = &survey->domains[i];
        survey->disks[i] = survey->seeds[i] = false;
        if (!domain->ours)
            continue;
        if (is_up(domain))
            survey->host.memory_free +=
                ((uint64_t) spec->nodes[i].memory_mib << 20) + survey->overhead;
        virt_domain_info_free(domain);
    }
}

int
plan_make(const struct launch_options *options, struct session *session, struct survey *survey,
    struct cluster_plan *plan, struct error *err)
{
    if (survey_make(session, 0, survey, err) < 0 ||
        (session->virt != NULL && virt_host_capacity(session->virt, &survey->host, err) < 0))
        return -1;
    unsigned overhead = VIRT_QEMU_MIB + (options->kvm ? 0 : VIRT_TCG_CACHE_MIB);
    survey->overhead = (uint64_t) overhead << 20;
    if (!plan->again && thaw_was_cut(session, survey)) {
        plan->again = true;
        strv_add(&plan->notes, "a launch was cut short while it thawed a set: it begins again");
    }
    if (plan->again)
        forget_nodes(options->spec, survey);
    if (load_images(options, session, survey, plan, err) < 0)
        return -1;
    for (size_t i = 0; i < survey->count; i++)
        if (check_node_files(session, survey, i, plan, err) < 0)
            return -1;
    for (size_t i = 0; i < survey->count; i++) {
        const struct virt_domain_info *domain = &survey->domains[i];
        if (domain->state == VIRT_ABSENT || domain->state == VIRT_RUNNING || !domain->ours ||
            plan->images[i] == NULL)
            continue; // only a domain that is off can be changed to what the spec asks for
        DOMAIN_DEFINITION_AUTO struct domain_definition wanted;
        domain_definition_fill(&wanted, options->spec, session->id, session->digest,
            &options->spec->nodes[i], plan->images[i], options->kvm);
        if (virt_domain_compare(session->virt, &wanted.domain, &survey->changes[i], err) < 0)
            return -1;
        survey->memory[i] = domain->state != VIRT_PAUSED && survey->disks[i] &&
                            thaw_has_memory(session, domain->name);
    }
    if (find_frozen(options, session, survey, plan, err) < 0)
        return -1;
    plan_fill(plan, options->spec, session->record, survey);
    return 0;
}

int
cluster_plan_make(const struct launch_options *options, struct cluster_plan **ret,
    char **ret_libvirt, struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    SURVEY_AUTO struct survey survey = {0};
    CLUSTER_PLAN_AUTO struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    *ret_libvirt = NULL;
    if (session_open(options->spec, false, &session, err) < 0)
        return -1;
    if (session_connect(&session, err) < 0) {
        if (err->code == ERR_INTERRUPTED)
            return -1;
        *ret_libvirt = str_dup(err->message);
        error_clear(err);
    }
    if (plan_make(options, &session, &survey, plan, err) < 0)
        return -1;
    *ret = TAKE(plan);
    return 0;
}
