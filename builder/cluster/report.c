// report.c - see report.h; and cluster_status.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/report.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/profile.h"
#include "cluster/tail.h"

#include <stdlib.h>
#include <sys/stat.h>

#define STATUS_MS 2000

void
cluster_report_freep(struct cluster_report **owner)
{
    struct cluster_report *report = *owner;
    if (report == NULL)
        return;
    for (size_t i = 0; i < report->node_count; i++) {
        free(report->nodes[i].state);
        free(report->nodes[i].phase);
        free(report->nodes[i].says);
        free(report->nodes[i].sentinel);
        free(report->nodes[i].quorum);
    }
    free(report->nodes);
    free(report->summary);
    profile_free(report->profile);
    free(report);
}

static void
report_worker(
    struct cluster_node_report *node, const struct spec *spec, const struct probe_result *result)
{
    const struct probe_redis *redis = &result->redis;
    node->says = str_dup(!redis->answered ? "unreachable"
                         : redis->loading ? "loading"
                                          : probe_role_name(redis->role));
    node->link_up = redis->answered && redis->link_up;
    node->lag_s = redis->answered && redis->role == PROBE_REPLICA ? redis->link_idle_s : -1;
    if (result->sentinel.answered) {
        const char *master = result->sentinel.master;
        for (size_t i = 0; i < spec->node_count; i++)
            if (str_equal(spec->nodes[i].address, result->sentinel.master))
                master = spec->nodes[i].name;
        node->sentinel = master[0] != '\0' ? str_dup(master) : NULL;
        node->sentinels = result->sentinel.other_sentinels + 1;
        node->tilt = result->sentinel.tilt;
        node->quorum = result->sentinel.quorum_ok ? NULL : str_dup(result->sentinel.quorum_text);
    }
    if (!redis->answered) {
        FREE_AUTO char *log = tail_read(spec, node->name, 0);
        node->phase = tail_phase(log, node->name);
    }
    if (redis->answered && redis->clock_known && llabs(redis->clock_ms) > PROBE_CLOCK_MS)
        node->clock_ms = redis->clock_ms;
}

static char *
summary_of(const struct cluster_report *report, const struct probe_verdict *verdict)
{
    if (!verdict->converged)
        return str_dup(verdict->awaited);
    unsigned replicas = 0, sentinels = 0;
    const char *head = "the head";
    for (size_t i = 0; i < report->node_count; i++) {
        const struct cluster_node_report *node = &report->nodes[i];
        replicas += str_equal(node->says, "replica");
        sentinels += node->sentinel != NULL;
        if (node->role == SPEC_HAPROXY)
            head = node->name;
    }
    return str_format("%s is master, %u replica%s, %u sentinel%s, %s serves", report->master,
        replicas, replicas == 1 ? " follows" : "s follow", sentinels,
        sentinels == 1 ? " agrees" : "s agree", head);
}

struct cluster_report *
report_make(const struct spec *spec, const struct survey *survey)
{
    struct cluster_report *report = mem_zero(1, sizeof *report);
    report->nodes = mem_zero(spec->node_count, sizeof *report->nodes);
    report->node_count = spec->node_count;
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *wanted = &spec->nodes[i];
        const struct probe_head *head = &survey->results[i].head;
        struct cluster_node_report *node = &report->nodes[i];
        bool foreign = survey_is_foreign(survey, spec, i);
        bool worker = wanted->role == SPEC_REDIS;
        *node = (struct cluster_node_report){
            .name = wanted->name, .address = wanted->address, .role = wanted->role, .lag_s = -1};
        node->state = str_dup(foreign ? "not ours" : virt_state_name(survey->domains[i].state));
        if (foreign || survey->domains[i].state != VIRT_RUNNING)
            node->says = str_dup("-");
        else if (worker)
            report_worker(node, spec, &survey->results[i]);
        else
            node->says = str_dup(head->written && head->read_back ? "serving"
                                 : head->written                  ? "writes only"
                                 : head->read_back                ? "reads only"
                                                                  : "not serving");
        if (!worker) {
            report->writes = head->written;
            report->reads = head->read_back;
        }
    }
    report->converged = survey->verdict.converged;
    if (survey->verdict.master >= 0)
        report->master = spec->nodes[survey->verdict.master].name;
    report->summary = summary_of(report, &survey->verdict);
    return report;
}

char *
report_off(int64_t booted_s, int64_t logged_s)
{
    if (booted_s <= 0 || logged_s == 0 || logged_s >= booted_s)
        return str_dup("the machines are off: they were stopped; 'airbuild launch' starts them");
    FREE_AUTO char *stamp = clock_stamp_of(booted_s);
    return str_format(
        "the machines are off: the host was restarted at %s, or they were stopped before; "
        "'airbuild launch' starts them",
        stamp);
}

int
cluster_status(const struct spec *spec, struct cluster_report **ret, struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    SURVEY_AUTO struct survey survey = {0};
    if (session_open_launched(spec, false, &session, err) < 0 ||
        survey_make(&session, STATUS_MS, &survey, err) < 0)
        return -1;
    *ret = report_make(spec, &survey);
    // Libvirt does not know since when domains are off: the time of their console logs is the
    // nearest.
    for (size_t i = 0; i < spec->node_count; i++)
        if (survey.domains[i].state != VIRT_OFF || !survey.domains[i].ours)
            return 0;
    int64_t logged_s = 0;
    for (size_t i = 0; i < spec->node_count; i++) {
        FREE_AUTO char *log = cluster_node_path(spec, spec->nodes[i].name, "console.log");
        struct stat info;
        if (stat(log, &info) == 0 && info.st_mtime > logged_s)
            logged_s = info.st_mtime;
    }
    free((*ret)->summary);
    (*ret)->summary = report_off(clock_wall_ms() / 1000 - clock_up_s(), logged_s);
    return 0;
}
