// session.c - see session.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/session.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "cluster/state.h"

#include <stdlib.h>

int
session_open_bare(const struct spec *spec, struct session *ret, struct error *err)
{
    SESSION_AUTO struct session session = {.spec = spec, .lock = -1};
    session.folder = cluster_folder(spec);
    if (state_lock(spec, &session.lock, err) < 0 || state_load_bare(spec, &session.record, err) < 0)
        return -1;
    if (session.record != NULL)
        session.id = str_dup(session.record->id);
    *ret = session;
    session = (struct session){.lock = -1};
    return 0;
}

int
session_open(const struct spec *spec, bool locked, struct session *ret, struct error *err)
{
    SESSION_AUTO struct session session = {.spec = spec, .lock = -1};
    session.folder = cluster_folder(spec);
    if (locked && state_lock(spec, &session.lock, err) < 0)
        return -1;
    if (state_load(spec, &session.record, &session.secrets, err) < 0)
        return -1;
    bool known = session.record != NULL && session.record->id != NULL;
    session.id = known ? str_dup(session.record->id) : random_hex(RECORD_ID_LENGTH);
    *ret = session;
    session = (struct session){.lock = -1};
    return 0;
}

int
session_connect(struct session *session, struct error *err)
{
    const struct record *record = session->record;
    FREE_AUTO char *uri = record != NULL ? record_value(record, "uri") : NULL;
    if (virt_open(uri != NULL ? uri : session->spec->uri, &session->virt, err) < 0)
        return -1;
    const struct virt_owner owner = {
        .cluster = session->spec->cluster,
        .id = session->id,
        .folder = session->folder,
        .old = session->id == NULL || (record != NULL && record->old),
    };
    virt_act_for(session->virt, &owner);
    return 0;
}

int
cluster_connect(const struct spec *spec, struct virt **ret, struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    if (session_open(spec, false, &session, err) < 0 || session_connect(&session, err) < 0)
        return -1;
    *ret = TAKE(session.virt);
    return 0;
}

void
session_close(struct session *session)
{
    virt_close(session->virt);
    secrets_free(session->secrets);
    record_free(session->record);
    free(session->id);
    free(session->folder);
    if (session->lock >= 0)
        close(session->lock);
    *session = (struct session){.lock = -1};
}

char *
session_bridge(const struct spec *spec)
{
    return str_format("%s0", spec->cluster);
}

struct virt_network
session_network(const struct session *session, const char *bridge, struct virt_host_entry *hosts)
{
    const struct spec *spec = session->spec;
    for (size_t i = 0; i < spec->node_count; i++)
        hosts[i] = (struct virt_host_entry){spec->nodes[i].name, spec->nodes[i].address};
    return (struct virt_network){
        .name = spec->network.name,
        .cluster = spec->cluster,
        .id = session->id,
        .folder = session->folder,
        .bridge = bridge,
        .address = spec->network.host,
        .prefix = spec->network.prefix,
        .nat = spec->network.mode == SPEC_NETWORK_NAT,
        .hosts = hosts,
        .host_count = spec->node_count,
    };
}

static int
survey_network(struct session *session, struct virt_network_info *ret, struct error *err)
{
    const struct spec *spec = session->spec;
    if (spec->network.mode == SPEC_NETWORK_BRIDGE)
        return 0;
    FREE_AUTO char *bridge = session_bridge(spec);
    FREE_AUTO struct virt_host_entry *hosts = mem_zero(spec->node_count, sizeof *hosts);
    struct virt_network wanted = session_network(session, bridge, hosts);
    return virt_network_look(session->virt, &wanted, ret, err);
}

int
survey_make(struct session *session, struct survey *ret, struct error *err)
{
    const struct spec *spec = session->spec;
    SURVEY_AUTO struct survey survey = {.count = spec->node_count};
    survey.domains = mem_zero(spec->node_count, sizeof *survey.domains);
    survey.disks = mem_zero(spec->node_count, sizeof *survey.disks);
    survey.seeds = mem_zero(spec->node_count, sizeof *survey.seeds);
    for (size_t i = 0; i < spec->node_count; i++) {
        FREE_AUTO char *disk = cluster_node_path(spec, spec->nodes[i].name, "disk.qcow2");
        FREE_AUTO char *seed = cluster_node_path(spec, spec->nodes[i].name, "seed.iso");
        survey.disks[i] = file_exists(disk);
        survey.seeds[i] = file_exists(seed);
    }
    if (session->virt != NULL) {
        if (survey_network(session, &survey.network, err) < 0)
            return -1;
        for (size_t i = 0; i < spec->node_count; i++)
            if (virt_domain_look(session->virt, spec->nodes[i].name, &survey.domains[i], err) < 0)
                return -1;
    }
    *ret = survey;
    survey = (struct survey){0};
    return 0;
}

void
survey_free(struct survey *survey)
{
    virt_network_info_free(&survey->network);
    for (size_t i = 0; survey->domains != NULL && i < survey->count; i++)
        virt_domain_info_free(&survey->domains[i]);
    free(survey->domains);
    free(survey->disks);
    free(survey->seeds);
    *survey = (struct survey){0};
}

int
session_probe(struct session *session, const struct survey *survey, int64_t deadline_ms,
    struct probe_result *results, struct probe_verdict *verdict, struct error *err)
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
    bool auth = spec->redis.auth && session->secrets != NULL;
    struct probe_access access = {
        .user = secrets_account_name(SECRETS_STATUS),
        .password = auth ? session->secrets->passwords[SECRETS_STATUS] : NULL,
        .master_name = spec->redis.master_name,
    };
    if (probe_cluster(targets, spec->node_count, &access, deadline_ms, results, err) < 0)
        return -1;
    probe_assess(targets, results, spec->node_count, spec->redis.quorum, verdict);
    return 0;
}
