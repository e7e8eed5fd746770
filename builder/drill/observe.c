// observe.c - what a drill observes: the master, workers that accept writes, convergence.
// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.h"
#include "drill/execution.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>

#define SURVEY_MS 600 // for one survey: a machine that is off never answers
#define PAUSE_MS 100  // between surveys
#define MISSES 3      // surveys in a row until it counts as not converged: one answer may be late
#define AWAIT_OFF_MS 180000
#define AWAIT_CONVERGED_MS 600000
#define TWIN_KEY "airbuild:drill:twin"

bool
drill_concerns(const struct drill *drill, enum drill_whom whom, size_t index)
{
    const struct spec *spec = drill->run->spec;
    const struct spec_node *node = &spec->nodes[index];
    bool worker = node->role == SPEC_REDIS;
    switch (whom) {
    case WHOM_NONE:
        return false;
    case WHOM_MASTER:
        return index == drill->master;
    case WHOM_REPLICA:
        return index == drill->replica;
    case WHOM_REPLICAS:
        return worker && index != drill->master;
    case WHOM_WORKERS:
        return worker;
    case WHOM_HEAD:
        return !worker;
    case WHOM_FIRST:
        return node == spec_first_master(spec);
    case WHOM_ALL:
        return true;
    }
    return false;
}

size_t
drill_running(const struct drill *drill, const struct survey *survey, enum drill_whom whom)
{
    size_t count = 0;
    for (size_t i = 0; i < survey->count; i++)
        count += drill_concerns(drill, whom, i) && survey->domains[i].state == VIRT_RUNNING;
    return count;
}

// Keeps events in the order of their times.
static void
add_event(struct drill *drill, int64_t at_ms, enum drill_event_kind kind, const char *text)
{
    struct drill_result *result = drill->result;
    mem_grow(
        &result->events, &drill->event_capacity, result->event_count + 1, sizeof *result->events);
    size_t at = result->event_count++;
    for (; at > 0 && result->events[at - 1].at_ms > at_ms; at--)
        result->events[at] = result->events[at - 1];
    result->events[at] = (struct drill_event){at_ms, kind, str_dup(text)};
    progress_step(drill->run->progress, drill->scenario->info.name, "%s", text);
}

void
drill_note(struct drill *drill, enum drill_event_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *text = str_formatv(format, args);
    va_end(args);
    add_event(drill, clock_ms() - drill->begin_ms, kind, text);
}

// Detects two workers that both report to be master and accept writes.
static void
detect_two_masters(struct drill *drill)
{
    const struct spec *spec = drill->run->spec;
    const struct probe_result *results = drill->survey.results;
    unsigned masters = 0, accepting = 0;
    for (size_t i = 0; i < spec->node_count; i++)
        masters += results[i].redis.answered && results[i].redis.role == PROBE_MASTER;
    for (size_t i = 0; masters > 1 && i < spec->node_count; i++)
        if (results[i].redis.answered && results[i].redis.role == PROBE_MASTER)
            accepting += load_accepts(spec->nodes[i].address, &drill->access, TWIN_KEY, SURVEY_MS);
    if (accepting < 2)
        return;
    if (drill->result->two_masters++ == 0) {
        drill->two_masters_ms = clock_ms();
        drill_note(drill, DRILL_NOTE, "%u workers accept writes", accepting);
    }
    drill->result->two_masters_s = (double) (clock_ms() - drill->two_masters_ms) / 1000;
}

static int
observe_cluster(struct drill *drill, struct error *err)
{
    if (interrupt_check(err) < 0 ||
        survey_make(&drill->session, SURVEY_MS, &drill->survey, err) < 0)
        return -1;
    int named = drill->survey.verdict.master;
    if (drill->load_ms != 0 && named >= 0 && named != drill->named) {
        drill->named = named;
        drill_note(drill, DRILL_ROLE, "%s is master", drill->run->spec->nodes[named].name);
        if (drill->measure_ms != 0 && drill->promoted_ms == 0 && (size_t) named != drill->master &&
            !drill->scenario->info.new_data)
            drill->promoted_ms = clock_ms();
    }
    detect_two_masters(drill);
    bool converged = drill->survey.verdict.converged &&
                     drill_running(drill, &drill->survey, WHOM_ALL) == drill->survey.count;
    drill->misses = converged ? 0 : drill->misses + 1;
    if (drill->misses >= MISSES)
        drill->converged_ms = 0;
    if (converged && drill->converged_ms == 0)
        drill->converged_ms = clock_ms();
    return 0;
}

// ACT_WATCH ends by its time alone.
static bool
step_is_over(const struct drill *drill, const struct drill_step *step)
{
    if (step->act == ACT_AWAIT_OFF)
        return drill_running(drill, &drill->survey, step->whom) == 0;
    if (step->act == ACT_AWAIT_MASTER)
        return drill->named >= 0 && (size_t) drill->named != drill->master;
    if (step->act == ACT_AWAIT_SERVING)
        return drill->survey.verdict.converged;
    return step->act == ACT_AWAIT_CONVERGED && drill->converged_ms != 0 && drill->misses == 0;
}

static int64_t
step_limit_ms(const struct drill *drill, const struct drill_step *step)
{
    bool lasts = step->act == ACT_WATCH && drill->measure_ms != 0 && drill->heal_ms == 0;
    if (step->ms > 0)
        return step->ms + (lasts ? drill->limits.watch_ms : 0);
    if (step->act == ACT_AWAIT_OFF)
        return AWAIT_OFF_MS;
    if (step->act == ACT_AWAIT_MASTER)
        return drill->limits.failover_ms;
    return drill->run->timeout_ms > 0 ? drill->run->timeout_ms : AWAIT_CONVERGED_MS;
}

int
drill_await(struct drill *drill, const struct drill_step *step, struct error *err)
{
    int64_t limit_ms = step_limit_ms(drill, step), end = clock_ms() + limit_ms;
    do {
        if (observe_cluster(drill, err) < 0)
            return -1;
        if (step_is_over(drill, step)) {
            if (step->act == ACT_AWAIT_CONVERGED && drill->broken_ms != 0 &&
                drill->noted_ms != drill->converged_ms) { // one event each time it converges
                drill->noted_ms = drill->converged_ms;
                add_event(
                    drill, drill->converged_ms - drill->begin_ms, DRILL_CONVERGED, "converged");
            }
            return 0;
        }
        if (clock_sleep(PAUSE_MS, err) < 0)
            return -1;
    } while (clock_left(end) > 0);
    if (step->act != ACT_WATCH)
        drill_note(drill, DRILL_NOTE, "timed out after %lld s: %s", (long long) limit_ms / 1000,
            drill->survey.verdict.awaited);
    return 0;
}
