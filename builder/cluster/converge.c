// converge.c - see converge.h. By libvirt's events and probes with deadlines; nothing here changes
// a node.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/converge.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "cluster/tail.h"
#include "virt/watch.h"

#include <string.h>

#define PROBE_MS 1000
#define PAUSE_MS 250
#define LINES_SHOWN 8
#define BOOT_PART 3 // a node keeps the others waiting for their turn for this part of the timeout

struct waiting {
    struct converge *converge;
    struct launched *launched;
    int64_t timeout_ms;
    const struct spec *spec;
    int64_t *began_ms; // by node: when it was set going, at the latest
    struct survey *survey;
    struct probe_result *results;
    struct probe_verdict verdict;
};

static const char *
accel_name(const struct converge *converge)
{
    return converge->kvm ? "KVM" : "TCG (software emulation)";
}

// Append where a node stands and what it said last to the message of err. Always -1.
static int
add_evidence(const struct waiting *waiting, size_t index, struct error *err)
{
    const char *node = waiting->spec->nodes[index].name;
    const char *why = waiting->converge->accel_why;
    FREE_AUTO char *phase = tail_phase(waiting->spec, node, waiting->launched->since[index]);
    FREE_AUTO char *lines =
        tail_lines(waiting->spec, node, waiting->launched->since[index], LINES_SHOWN);
    FREE_AUTO char *message = str_dup(err->message);
    return error_set(err, err->code,
        "%s; '%s' was at '%s' under %s%s%s%s; see 'airbuild logs %s'.%s\n%s", message, node, phase,
        accel_name(waiting->converge), why != NULL ? " (" : "", why != NULL ? why : "",
        why != NULL ? ")" : "", node, lines[0] != '\0' ? " Its last console lines:" : "", lines);
}

static size_t
node_index(const struct spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->node_count; i++)
        if (str_equal(spec->nodes[i].name, name))
            return i;
    return 0;
}

static int
guest_failed(const struct waiting *waiting, const char *name, const char *what, const char *reason,
    struct error *err)
{
    error_set(err, ERR_GUEST, "'%s' %s%s%s%s while it was awaited", name, what,
        reason[0] != '\0' ? " (" : "", reason, reason[0] != '\0' ? ")" : "");
    return add_evidence(waiting, node_index(waiting->spec, name), err);
}

static int
take_domain_event(const struct waiting *waiting, const struct virt_event *event, struct error *err)
{
    switch (event->kind) {
    case VIRT_EVENT_STOPPED:
        return guest_failed(waiting, event->domain, "powered off", event->reason, err);
    case VIRT_EVENT_CRASHED:
        return guest_failed(waiting, event->domain, "crashed", event->reason, err);
    case VIRT_EVENT_PANICKED:
        return guest_failed(waiting, event->domain, "panicked", event->reason, err);
    case VIRT_EVENT_LOST:
        return error_set(err, ERR_LIBVIRT,
            "the connection to libvirt broke while the nodes were awaited; they go on: look with "
            "'airbuild status'");
    case VIRT_EVENT_STARTED:
    case VIRT_EVENT_SUSPENDED:
    case VIRT_EVENT_RESUMED:
        return 0;
    }
    return 0;
}

// Wait for an event or the pause, whichever is first; then take all events that wait.
static int
pause_for_events(
    const struct waiting *waiting, struct virt_watch *watch, int64_t ms, struct error *err)
{
    for (;;) {
        VIRT_EVENT_AUTO struct virt_event event = {0};
        int got = virt_watch_next(watch, ms, &event, err);
        if (got <= 0)
            return got;
        if (take_domain_event(waiting, &event, err) < 0)
            return -1;
        ms = 0;
    }
}

static void
tell_worker(const struct waiting *waiting, size_t index)
{
    const struct spec_node *node = &waiting->spec->nodes[index];
    const struct probe_redis *redis = &waiting->results[index].redis;
    const struct probe_sentinel *sentinel = &waiting->results[index].sentinel;
    struct progress *progress = waiting->converge->progress;
    if (!redis->answered) {
        FREE_AUTO char *phase =
            tail_phase(waiting->spec, node->name, waiting->launched->since[index]);
        progress_step(progress, node->name, "%s", phase);
        return;
    }
    const char *link = redis->role == PROBE_MASTER ? ""
                       : redis->link_up            ? ", link up"
                       : redis->syncing            ? ", syncing"
                                                   : ", link down";
    const char *role = redis->loading ? "loading" : probe_role_name(redis->role);
    if (sentinel->answered)
        progress_step(progress, node->name, "redis up, %s%s; sentinel knows %u of %zu", role, link,
            sentinel->other_sentinels + 1, spec_worker_count(waiting->spec));
    else
        progress_step(progress, node->name, "redis up, %s%s; no sentinel yet", role, link);
}

static void
show_waiting(const struct waiting *waiting)
{
    struct progress *progress = waiting->converge->progress;
    for (size_t i = 0; i < waiting->spec->node_count; i++) {
        const struct spec_node *node = &waiting->spec->nodes[i];
        const struct probe_head *head = &waiting->results[i].head;
        if (waiting->launched->paused[i]) {
            progress_step(progress, node->name, "waits for its turn to boot");
        } else if (waiting->survey->domains[i].state != VIRT_RUNNING) {
            progress_step(
                progress, node->name, "%s", virt_state_name(waiting->survey->domains[i].state));
        } else if (node->role == SPEC_REDIS) {
            tell_worker(waiting, i);
        } else if (head->written) {
            progress_step(progress, node->name, "serving %s",
                head->read_back ? "writes and reads" : "writes, no reads yet");
        } else {
            FREE_AUTO char *phase =
                tail_phase(waiting->spec, node->name, waiting->launched->since[i]);
            progress_step(progress, node->name, "%s; no writes yet", phase);
        }
    }
}

static int
look_at_cluster(struct waiting *waiting, struct error *err)
{
    struct session *session = waiting->converge->session;
    survey_free(waiting->survey);
    if (survey_make(session, waiting->survey, err) < 0 ||
        session_probe(
            session, waiting->survey, PROBE_MS, waiting->results, &waiting->verdict, err) < 0)
        return -1;
    show_waiting(waiting);
    return 0;
}

// The node that the verdict's sentence speaks of, else the head.
static size_t
stuck_node(const struct waiting *waiting)
{
    size_t stuck = node_index(waiting->spec, spec_head(waiting->spec)->name);
    const char *first = NULL;
    for (size_t i = 0; i < waiting->spec->node_count; i++) {
        const char *at = strstr(waiting->verdict.awaited, waiting->spec->nodes[i].name);
        if (at != NULL && (first == NULL || at < first)) {
            first = at;
            stuck = i;
        }
    }
    return stuck;
}

// A domain that stopped before its events were listened to.
static int
check_running(const struct waiting *waiting, struct error *err)
{
    for (size_t i = 0; i < waiting->spec->node_count; i++) {
        const struct virt_domain_info *domain = &waiting->survey->domains[i];
        if (domain->state != VIRT_RUNNING && !waiting->launched->paused[i])
            return guest_failed(waiting, waiting->spec->nodes[i].name,
                domain->state == VIRT_PAUSED ? "was paused" : "powered off", domain->reason, err);
    }
    return 0;
}

static bool
boots(const struct waiting *waiting, size_t index)
{
    const struct probe_result *result = &waiting->results[index];
    return !waiting->launched->paused[index] && !result->redis.answered && !result->head.written &&
           clock_ms() - waiting->began_ms[index] < waiting->timeout_ms / BOOT_PART;
}

// Nodes whose turn has come set off: workers first, as the head can do nothing without them. The
// timeout begins anew.
static int
take_turns(struct waiting *waiting, int64_t *end, struct error *err)
{
    const struct spec *spec = waiting->spec;
    struct virt *virt = waiting->converge->session->virt;
    struct launched *launched = waiting->launched;
    size_t booting = 0;
    for (size_t i = 0; i < spec->node_count; i++)
        booting += boots(waiting, i);
    for (int heads = 0; heads < 2; heads++)
        for (size_t i = 0; i < spec->node_count && booting < launched->at_once; i++) {
            if (!launched->paused[i] || (spec->nodes[i].role != SPEC_REDIS) != heads)
                continue;
            if (virt_domain_resume(virt, spec->cluster, spec->nodes[i].name, err) < 0)
                return -1;
            launched->paused[i] = false;
            waiting->began_ms[i] = clock_ms();
            *end = clock_ms() + waiting->timeout_ms;
            booting++;
        }
    return 0;
}

static int
wait_loop(struct waiting *waiting, struct virt_watch *watch, struct error *err)
{
    int64_t end = clock_ms() + waiting->timeout_ms;
    for (;;) {
        if (interrupt_check(err) < 0 || look_at_cluster(waiting, err) < 0)
            return -1;
        if (waiting->verdict.converged || waiting->converge->once)
            return 0;
        if (check_running(waiting, err) < 0 || take_turns(waiting, &end, err) < 0)
            return -1;
        if (clock_left(end) == 0) {
            error_set(err, ERR_TIMEOUT, "not converged after %lld s: %s",
                (long long) waiting->timeout_ms / 1000, waiting->verdict.awaited);
            return add_evidence(waiting, stuck_node(waiting), err);
        }
        if (pause_for_events(waiting, watch, PAUSE_MS, err) < 0)
            return -1;
    }
}

// Nobody awaits them any more: they go on by themselves, as those that had their turn.
static void
release_all(struct waiting *waiting)
{
    struct virt *virt = waiting->converge->session->virt;
    interrupt_hold();
    for (size_t i = 0; i < waiting->spec->node_count; i++) {
        ERROR_AUTO struct error err = {0};
        if (waiting->launched->paused[i] && virt_domain_resume(virt, waiting->spec->cluster,
                                                waiting->spec->nodes[i].name, &err) < 0)
            progress_note(waiting->converge->progress, "%s", err.message);
    }
    interrupt_release();
}

int
converge_wait(struct converge *converge, struct cluster_report **ret, struct error *err)
{
    const struct spec *spec = converge->session->spec;
    SURVEY_AUTO struct survey survey = {0};
    FREE_AUTO struct probe_result *results = mem_zero(spec->node_count, sizeof *results);
    FREE_AUTO int64_t *began_ms = mem_zero(spec->node_count, sizeof *began_ms);
    STRV_AUTO struct strv names = {0};
    VIRT_WATCH_AUTO struct virt_watch *watch = NULL;
    struct waiting waiting = {
        .converge = converge,
        .launched = converge->launched,
        .timeout_ms = converge->timeout_ms > 0 ? converge->timeout_ms
                      : converge->kvm          ? 120000
                                               : 600000,
        .spec = spec,
        .began_ms = began_ms,
        .survey = &survey,
        .results = results,
    };
    for (size_t i = 0; i < spec->node_count; i++)
        strv_add(&names, spec->nodes[i].name);
    for (size_t i = 0; i < spec->node_count; i++)
        began_ms[i] = clock_ms();
    if (virt_watch_new(converge->session->virt, &names, &watch, err) < 0 ||
        wait_loop(&waiting, watch, err) < 0) {
        release_all(&waiting);
        return -1;
    }
    for (size_t i = 0; i < spec->node_count && waiting.verdict.converged; i++)
        progress_done(converge->progress, spec->nodes[i].name, "ready");
    *ret = report_make(spec, &survey, results, &waiting.verdict);
    return 0;
}
