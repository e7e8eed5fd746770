// survey.c - see survey.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/survey.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cluster/cluster.h"
#include "cluster/definition.h"

#include <stdlib.h>

struct survey
survey_empty(const struct spec *spec)
{
    struct survey survey = {.count = spec->node_count};
    survey.domains = mem_zero(spec->node_count, sizeof *survey.domains);
    survey.disks = mem_zero(spec->node_count, sizeof *survey.disks);
    survey.seeds = mem_zero(spec->node_count, sizeof *survey.seeds);
    survey.memory = mem_zero(spec->node_count, sizeof *survey.memory);
    survey.changes = mem_zero(spec->node_count, sizeof *survey.changes);
    survey.results = mem_zero(spec->node_count, sizeof *survey.results);
    return survey;
}

// A node serves once it answers, as a replica when it is in sync.
static bool
serves(const struct probe_result *result)
{
    return result->head.written || (result->redis.answered && (result->redis.role == PROBE_MASTER ||
                                                                  result->redis.link_up));
}

static int
probe_nodes(struct session *session, int64_t probe_ms, struct survey *survey, struct error *err)
{
    const struct spec *spec = session->spec;
    FREE_AUTO struct probe_target *targets = mem_zero(spec->node_count, sizeof *targets);
    for (size_t i = 0; i < spec->node_count; i++)
        targets[i] = (struct probe_target){
            .name = spec->nodes[i].name,
            .address = spec->nodes[i].address,
            .head = spec->nodes[i].role == SPEC_HAPROXY,
            .running = survey->domains[i].ours && survey->domains[i].state == VIRT_RUNNING,
        };
    struct probe_access access = session_access(session);
    if (probe_cluster(targets, spec->node_count, &access, probe_ms, survey->results, err) < 0)
        return -1;
    probe_assess(targets, survey->results, spec->node_count, spec->redis.quorum, &survey->verdict);
    for (size_t i = 0; session->yields != NULL && i < spec->node_count; i++)
        if (serves(&survey->results[i]))
            session_yield(session, i, false);
    return 0;
}

bool
survey_others_serve(const struct survey *survey, size_t node)
{
    for (size_t i = 0; i < survey->count; i++)
        if (i != node && serves(&survey->results[i]))
            return true;
    return false;
}

int
survey_make(struct session *session, int64_t probe_ms, struct survey *ret, struct error *err)
{
    const struct spec *spec = session->spec;
    SURVEY_AUTO struct survey survey = survey_empty(spec);
    for (size_t i = 0; i < spec->node_count; i++) {
        FREE_AUTO char *disk = cluster_node_path(spec, spec->nodes[i].name, "disk.qcow2");
        FREE_AUTO char *seed = cluster_node_path(spec, spec->nodes[i].name, "seed.iso");
        survey.disks[i] = file_exists(disk);
        survey.seeds[i] = file_exists(seed);
    }
    if (session->virt != NULL && spec->network.mode != SPEC_NETWORK_BRIDGE) {
        NETWORK_DEFINITION_AUTO struct network_definition wanted;
        network_definition_fill(&wanted, spec, session->id);
        if (virt_network_look(session->virt, &wanted.network, &survey.network, err) < 0)
            return -1;
    }
    for (size_t i = 0; session->virt != NULL && i < spec->node_count; i++)
        if (virt_domain_look(session->virt, spec->nodes[i].name, &survey.domains[i], err) < 0)
            return -1;
    if (probe_ms > 0 && probe_nodes(session, probe_ms, &survey, err) < 0)
        return -1;
    survey_free(ret);
    *ret = survey;
    survey = (struct survey){0};
    return 0;
}

void
survey_free(struct survey *survey)
{
    virt_network_info_free(&survey->network);
    for (size_t i = 0; i < survey->count; i++) {
        virt_domain_info_free(&survey->domains[i]);
        free(survey->changes[i]);
    }
    free(survey->domains);
    free(survey->disks);
    free(survey->seeds);
    free(survey->memory);
    free(survey->changes);
    free(survey->results);
    *survey = (struct survey){0};
}

bool
survey_is_foreign(const struct survey *survey, const struct spec *spec, size_t node)
{
    const struct virt_domain_info *domain = &survey->domains[node];
    return domain->state != VIRT_ABSENT &&
           (!domain->ours || !str_equal(domain->cluster, spec->cluster));
}
