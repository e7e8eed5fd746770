// plan.c - see plan.h and cluster.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/plan.h"

#include "base/cleanup.h"

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
add(struct cluster_plan *plan, enum plan_kind kind, size_t node, char *object, char *detail)
{
    mem_grow(&plan->steps, &plan->capacity, plan->count + 1, sizeof *plan->steps);
    plan->steps[plan->count++] = (struct cluster_step){
        .verb = verbs[kind], .object = object, .detail = detail, .kind = (int) kind, .node = node};
}

static void
plan_network(
    struct cluster_plan *plan, const struct spec *spec, const struct virt_network_info *network)
{
    if (spec->network.mode == SPEC_NETWORK_BRIDGE) {
        add(plan, PLAN_KEEP, 0, str_format("bridge %s", spec->network.name),
            str_dup("the host's own"));
        return;
    }
    if (network->exists && (!network->ours || !str_equal(network->cluster, spec->cluster)))
        strv_addf(&plan->conflicts, "libvirt network '%s'", spec->network.name);
    else if (network->exists && network->difference != NULL)
        strv_addf(&plan->differences, "network '%s': %s", spec->network.name, network->difference);
    bool there = network->exists && network->active;
    add(plan, there ? PLAN_KEEP : PLAN_NETWORK, 0, str_format("network %s", spec->network.name),
        str_format("%s, host %s", spec->network.subnet, spec->network.host));
}

static void
plan_node_files(struct cluster_plan *plan, const struct spec_node *node, size_t index,
    const struct survey *survey)
{
    if (survey->disks[index])
        add(plan, PLAN_KEEP, index, str_format("disk %s", node->name), str_dup("with its data"));
    else
        add(plan, PLAN_DISK, index, str_format("disk %s", node->name),
            str_format("a layer over the %s image", spec_role_name(node->role)));
    // A new disk is a new instance: its seed is made with it.
    bool seed = survey->disks[index] && survey->seeds[index];
    add(plan, seed ? PLAN_KEEP : PLAN_SEED, index, str_format("seed %s", node->name), str_dup(""));
}

static void
plan_domain(struct cluster_plan *plan, const struct spec *spec, size_t index,
    const struct survey *survey, const char *changed)
{
    const struct spec_node *node = &spec->nodes[index];
    const struct virt_domain_info *domain = &survey->domains[index];
    bool absent = domain->state == VIRT_ABSENT;
    if (!absent && (!domain->ours || !str_equal(domain->cluster, spec->cluster)))
        strv_addf(&plan->conflicts, "libvirt domain '%s'", node->name);
    char *detail = str_format("%s, %u MiB, %u cpu%s%s%s", node->address, node->memory_mib,
        node->cpus, node->cpus == 1 ? "" : "s", changed != NULL ? "; " : "",
        changed != NULL ? changed : "");
    bool running = domain->state == VIRT_RUNNING;
    add(plan, absent || changed != NULL ? PLAN_DEFINE : PLAN_KEEP, index,
        str_format("domain %s", node->name), detail);
    if (!running)
        add(plan, PLAN_START, index, str_format("domain %s", node->name),
            str_dup(domain->saved ? "from its saved memory" : ""));
}

void
plan_fill(struct cluster_plan *plan, const struct spec *spec, const struct record *record,
    const struct survey *survey, char *const *changed)
{
    if (record != NULL) {
        FREE_AUTO char *now = spec_canonical(spec);
        record_differences(record->spec, now, &plan->differences);
    }
    plan_network(plan, spec, &survey->network);
    add(plan, record != NULL ? PLAN_KEEP : PLAN_SECRETS, 0, str_dup("secrets"),
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
    if (plan->differences.count > 0) {
        FREE_AUTO char *lines = strv_join(&plan->differences, "\n  ");
        return error_set(err, ERR_CONFLICT,
            "cluster '%s' was launched with another spec; nothing was touched: 'airbuild destroy' "
            "it first, rename the cluster, or take the changes back:\n  %s",
            spec->cluster, lines);
    }
    return 0;
}

int
cluster_plan_make(
    const struct spec *spec, struct cluster_plan **ret, char **ret_libvirt, struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    SURVEY_AUTO struct survey survey = {0};
    *ret_libvirt = NULL;
    if (session_open(spec, false, &session, err) < 0)
        return -1;
    if (session_connect(&session, err) < 0) {
        if (err->code == ERR_INTERRUPTED)
            return -1;
        *ret_libvirt = str_dup(err->message);
        error_clear(err);
    }
    if (survey_make(&session, &survey, err) < 0)
        return -1;
    struct cluster_plan *plan = mem_zero(1, sizeof *plan);
    plan_fill(plan, spec, session.record, &survey, NULL);
    *ret = plan;
    return 0;
}
