// session.c - see session.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/session.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <stdlib.h>
#include <sys/stat.h>

#define LOCK_WAIT_MS 10000

// Lock FOLDER/lock; again when `destroy` removed the folder while we waited for it.
static int
session_lock(const char *folder, int *ret_fd, struct error *err)
{
    FREE_AUTO char *path = path_join(folder, "lock");
    for (int tries = 0; tries < 10; tries++) {
        CLOSE_AUTO int fd = -1;
        if (dir_make(folder, 0711, err) < 0 || lock_take(path, LOCK_WAIT_MS, &fd, err) < 0)
            return -1;
        struct stat held, there;
        if (fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino) {
            *ret_fd = TAKE_FD(fd);
            return 0;
        }
    }
    return error_set(err, ERR_BUSY, "'%s' keeps being removed; try again", folder);
}

int
session_open_bare(const struct spec *spec, struct session *ret, struct error *err)
{
    *ret = (struct session){.spec = spec, .lock = -1, .folder = cluster_folder(spec)};
    if (session_lock(ret->folder, &ret->lock, err) < 0)
        return error_context(err, "cluster '%s'", spec->cluster);
    return 0;
}

int
session_open(const struct spec *spec, bool locked, struct session *ret, struct error *err)
{
    SESSION_AUTO struct session session = {.spec = spec, .lock = -1};
    session.folder = cluster_folder(spec);
    if (locked && session_lock(session.folder, &session.lock, err) < 0)
        return error_context(err, "cluster '%s'", spec->cluster);
    if (record_load(session.folder, &session.record, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        error_clear(err);
    }
    if (secrets_load(session.folder, &session.secrets, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        error_clear(err);
    }
    *ret = session;
    session = (struct session){.lock = -1};
    return 0;
}

int
session_connect(struct session *session, struct error *err)
{
    return virt_open(session->spec->uri, &session->virt, err);
}

void
session_close(struct session *session)
{
    virt_close(session->virt);
    secrets_free(session->secrets);
    record_free(session->record);
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
session_network(const struct spec *spec, const char *bridge, struct virt_host_entry *hosts)
{
    for (size_t i = 0; i < spec->node_count; i++)
        hosts[i] = (struct virt_host_entry){spec->nodes[i].name, spec->nodes[i].address};
    return (struct virt_network){
        .name = spec->network.name,
        .cluster = spec->cluster,
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
    struct virt_network wanted = session_network(spec, bridge, hosts);
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
    probe_judge(targets, results, spec->node_count, spec->redis.quorum, verdict);
    return 0;
}
