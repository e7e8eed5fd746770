// converge.c - see launch.h. Waits by libvirt's events and by probes with deadlines; only resumes
// nodes.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/launch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "cluster/report.h"
#include "cluster/tail.h"
#include "virt/watch.h"

#include <stdio.h>
#include <string.h>

#define PROBE_MS 1000
#define FIRST_PROBE_MS 250 // a node that has just been resumed may have missed what was sent to it
#define PAUSE_MS 100
#define KVM_MS 120000 // default timeouts
#define TCG_MS 600000
#define LINES_SHOWN 8
#define SECRETS_TAKEN ": the secrets are those of the seed" // a node's report, of take-seed
#define BOOT_PART 3 // a booting node delays the others by at most this fraction of the timeout

// Appends the phase of a node and its last console lines to the message of err. Always -1.
static int
add_evidence(const struct launch *launch, size_t index, struct error *err)
{
    const char *node = launch->spec->nodes[index].name;
    const char *why = launch->options->accel_why;
    FREE_AUTO char *text = tail_read(launch->spec, node, launch->nodes[index].log_size);
    FREE_AUTO char *phase = tail_phase(text, node), *lines = tail_lines(text, LINES_SHOWN);
    FREE_AUTO char *message = str_dup(err->message);
    return error_set(err, err->code,
        "%s; '%s' was at '%s' under %s%s%s%s; see 'airbuild logs %s'.%s\n%s", message, node, phase,
        launch->options->kvm ? "KVM" : "TCG (software emulation)", why != NULL ? " (" : "",
        why != NULL ? why : "", why != NULL ? ")" : "", node,
        lines[0] != '\0' ? " Its last console lines:" : "", lines);
}

static int
guest_failed(const struct launch *launch, const struct spec_node *node, const char *what,
    const char *reason, struct error *err)
{
    error_set(err, ERR_GUEST, "'%s' %s%s%s%s before the cluster converged", node->name, what,
        reason[0] != '\0' ? " (" : "", reason, reason[0] != '\0' ? ")" : "");
    return add_evidence(launch, (size_t) (node - launch->spec->nodes), err);
}

// Waits for an event, at most ms; then takes all events that are there.
static int
pause_for_events(
    const struct launch *launch, struct virt_watch *watch, int64_t ms, struct error *err)
{
    static const char *const failures[] = {
        [VIRT_EVENT_STOPPED] = "powered off",
        [VIRT_EVENT_CRASHED] = "crashed",
        [VIRT_EVENT_PANICKED] = "panicked",
        [VIRT_EVENT_LOST] = NULL,
    };
    for (;;) {
        VIRT_EVENT_AUTO struct virt_event event = {0};
        int got = virt_watch_next(watch, ms, &event, err);
        if (got <= 0)
            return got;
        if (event.kind == VIRT_EVENT_LOST)
            return error_set(err, ERR_LIBVIRT,
                "lost the connection to libvirt; the nodes still run: watch them with 'airbuild "
                "status'");
        const struct spec_node *node = spec_find(launch->spec, event.domain);
        if (node != NULL && failures[event.kind] != NULL)
            return guest_failed(launch, node, failures[event.kind], event.reason, err);
        ms = 0;
    }
}

// Returns what a node does now, for the progress; the caller frees it.
static char *
node_activity(const struct launch *launch, size_t index)
{
    const struct probe_redis *redis = &launch->survey.results[index].redis;
    const struct probe_sentinel *sentinel = &launch->survey.results[index].sentinel;
    const struct probe_head *head = &launch->survey.results[index].head;
    const struct spec_node *node = &launch->spec->nodes[index];
    bool worker = node->role == SPEC_REDIS;
    if (launch->nodes[index].paused)
        return str_dup("waiting for its turn to boot");
    if (launch->survey.domains[index].state != VIRT_RUNNING)
        return str_dup(virt_state_name(launch->survey.domains[index].state));
    if (!worker && head->written)
        return str_format(
            "serving %s", head->read_back ? "writes and reads" : "writes, no reads yet");
    if (launch->plan->frozen != NULL && !redis->answered)
        return str_dup("thawed; does not answer yet");
    if (!worker || !redis->answered) {
        FREE_AUTO char *log = tail_read(launch->spec, node->name, launch->nodes[index].log_size);
        FREE_AUTO char *phase = tail_phase(log, node->name);
        return str_format(worker ? "%s" : "%s; no writes yet", phase);
    }
    const char *link = redis->role == PROBE_MASTER ? ""
                       : redis->link_up            ? ", link up"
                       : redis->syncing            ? ", syncing"
                                                   : ", link down";
    const char *role = redis->loading ? "loading" : probe_role_name(redis->role);
    if (!sentinel->answered)
        return str_format("redis up, %s%s; no sentinel yet", role, link);
    return str_format("redis up, %s%s; sentinel knows %u of %zu", role, link,
        sentinel->other_sentinels + 1, spec_worker_count(launch->spec));
}

// Returns the first node that the verdict names, else the head.
static size_t
stuck_node(const struct launch *launch)
{
    size_t stuck = (size_t) (spec_head(launch->spec) - launch->spec->nodes);
    const char *first = NULL;
    for (size_t i = 0; i < launch->spec->node_count; i++) {
        const char *at = strstr(launch->survey.verdict.awaited, launch->spec->nodes[i].name);
        if (at != NULL && (first == NULL || at < first)) {
            first = at;
            stuck = i;
        }
    }
    return stuck;
}

// Resumes nodes whose turn has come: workers first, as the head needs them. Restarts the timeout.
static int
resume_next(struct launch *launch, int64_t *end, struct error *err)
{
    const struct spec *spec = launch->spec;
    struct virt *virt = launch->session->virt;
    size_t booting = 0;
    for (size_t i = 0; i < spec->node_count; i++)
        booting += !launch->nodes[i].paused && !launch->survey.results[i].redis.answered &&
                   !launch->survey.results[i].head.written &&
                   clock_ms() - launch->nodes[i].began_ms < launch->timeout_ms / BOOT_PART;
    for (int heads = 0; heads < 2; heads++)
        for (size_t i = 0; i < spec->node_count && booting < launch->at_once; i++) {
            if (!launch->nodes[i].paused || (spec->nodes[i].role != SPEC_REDIS) != heads)
                continue;
            launch->nodes[i].boot_ms = clock_ms();
            if (virt_domain_resume(virt, spec->cluster, spec->nodes[i].name, err) < 0)
                return -1;
            launch->nodes[i].paused = false;
            launch->nodes[i].began_ms = clock_ms();
            *end = clock_ms() + launch->timeout_ms;
            booting++;
        }
    return 0;
}

// Nodes that have yet to report that they took the new secrets keep the cluster from converging:
// probes would not notice a head whose checks have not failed yet, nor an old SSH key.
static void
await_secrets(struct launch *launch)
{
    struct probe_verdict *verdict = &launch->survey.verdict;
    for (size_t i = 0; i < launch->spec->node_count && verdict->converged; i++) {
        const char *node = launch->spec->nodes[i].name;
        FREE_AUTO char *log = tail_read(launch->spec, node, launch->nodes[i].log_size);
        if (strstr(log, SECRETS_TAKEN) != NULL)
            continue;
        verdict->converged = false;
        snprintf(verdict->awaited, sizeof verdict->awaited,
            "'%s' has not taken the new secrets yet", node);
    }
}

static int
wait_loop(struct launch *launch, struct virt_watch *watch, struct error *err)
{
    const struct spec *spec = launch->spec;
    int64_t end = clock_ms() + launch->timeout_ms;
    int64_t probe_ms = launch->options->no_wait ? PROBE_MS : FIRST_PROBE_MS;
    for (;; probe_ms = probe_ms < PROBE_MS ? 2 * probe_ms : PROBE_MS) {
        if (interrupt_check(err) < 0 ||
            survey_make(launch->session, probe_ms, &launch->survey, err) < 0)
            return -1;
        if (launch->renews)
            await_secrets(launch);
        for (size_t i = 0; i < spec->node_count; i++) {
            FREE_AUTO char *text = node_activity(launch, i);
            progress_step(launch->options->progress, spec->nodes[i].name, "%s", text);
        }
        if (launch->survey.verdict.converged || launch->options->no_wait)
            return 0;
        for (size_t i = 0; i < spec->node_count; i++) { // it stopped before the watch began
            const struct virt_domain_info *domain = &launch->survey.domains[i];
            const char *what = domain->state == VIRT_PAUSED ? "was paused" : "powered off";
            if (domain->state != VIRT_RUNNING && !launch->nodes[i].paused)
                return guest_failed(launch, &spec->nodes[i], what, domain->reason, err);
        }
        if (resume_next(launch, &end, err) < 0)
            return -1;
        if (clock_left(end) == 0) {
            error_set(err, ERR_TIMEOUT, "not converged after %lld s: %s",
                (long long) launch->timeout_ms / 1000, launch->survey.verdict.awaited);
            return add_evidence(launch, stuck_node(launch), err);
        }
        if (pause_for_events(launch, watch, PAUSE_MS, err) < 0)
            return -1;
    }
}

// Lets the nodes that are still paused boot without us.
static void
resume_all(struct launch *launch)
{
    struct virt *virt = launch->session->virt;
    interrupt_hold();
    for (size_t i = 0; i < launch->spec->node_count; i++) {
        ERROR_AUTO struct error err = {0};
        if (launch->nodes[i].paused &&
            virt_domain_resume(virt, launch->spec->cluster, launch->spec->nodes[i].name, &err) < 0)
            progress_note(launch->options->progress, "%s", err.message);
    }
    interrupt_release();
}

int
converge_wait(struct launch *launch, struct cluster_report **ret, struct error *err)
{
    const struct launch_options *options = launch->options;
    const struct spec *spec = launch->spec;
    STRV_AUTO struct strv names = {0};
    VIRT_WATCH_AUTO struct virt_watch *watch = NULL;
    launch->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms
                         : options->kvm          ? KVM_MS
                                                 : TCG_MS;
    for (size_t i = 0; i < spec->node_count; i++) {
        strv_add(&names, spec->nodes[i].name);
        launch->nodes[i].began_ms = clock_ms();
    }
    int result = virt_watch_new(launch->session->virt, &names, &watch, err);
    if (result == 0)
        result = wait_loop(launch, watch, err);
    if (result < 0)
        resume_all(launch);
    for (size_t i = 0; i < spec->node_count && result == 0 && launch->survey.verdict.converged; i++)
        progress_done(options->progress, spec->nodes[i].name, "ready");
    if (result == 0)
        *ret = report_make(spec, &launch->survey);
    return result;
}
