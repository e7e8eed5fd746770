// drill.c - one drill from its begin to its verdict.
// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt.h"
#include "drill/execution.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/crypto.h"

#define BASELINE_MS 5000 // of load before the fault, to measure the host's noise
#define LAST_MS 2000     // of load at the end
#define ANSWER_MS 2000   // the default timeout of Jedis: redis.github.io/jedis/faq
#define RECONNECT_MS 20
#define VERIFY_MS 60000
#define FORGET_MS 20000
#define READY_MS 60000 // until the cluster has converged before the drill

static int
start_load(struct drill *drill, struct error *err)
{
    const struct spec *spec = drill->run->spec;
    FREE_AUTO char *run = random_hex(8);
    FREE_AUTO char *prefix = str_format("airbuild:drill:%s", run);
    struct load_options options = {
        .address = spec_head(spec)->address,
        .access = &drill->access,
        .prefix = prefix,
        .writes_per_s = DRILL_WRITES_PER_S,
        .reads_per_s = DRILL_READS_PER_S,
        .answer_ms = ANSWER_MS,
        .reconnect_ms = RECONNECT_MS,
    };
    drill->load_ms = clock_ms();
    return load_start(&options, &drill->load, err);
}

static int
run_steps(struct drill *drill, struct error *err)
{
    static const struct drill_step baseline = {ACT_WATCH, WHOM_NONE, BASELINE_MS};
    static const struct drill_step last = {ACT_WATCH, WHOM_NONE, LAST_MS};
    static const struct drill_step still = {ACT_AWAIT_CONVERGED, WHOM_NONE, 0};
    bool new_data = drill->scenario->info.new_data;
    if (!new_data && (start_load(drill, err) < 0 || drill_await(drill, &baseline, err) < 0))
        return -1;
    for (const struct drill_step *step = drill->scenario->steps; step->act != ACT_END; step++) {
        if (step->act == ACT_MEASURE)
            drill->measuring = true;
        else if (step->act >= ACT_AWAIT_OFF ? drill_await(drill, step, err) < 0
                                            : drill_perform(drill, step, err) < 0)
            return -1;
        // The new disks have no data: the load begins only now.
        if (step->act == ACT_NEW_DISKS && start_load(drill, err) < 0)
            return -1;
    }
    return drill_await(drill, &last, err) < 0 ? -1 : drill_await(drill, &still, err);
}

static struct drill_slot *
slot_of(const struct drill_result *result, int64_t begin_ms, const struct load_sample *sample)
{
    size_t slot = (size_t) ((sample->ended_ms - begin_ms) / DRILL_SLOT_MS);
    return &result->slots[slot < result->slot_count ? slot : result->slot_count - 1];
}

// Returns how many writes were acknowledged while none might be.
static unsigned long long
count_slots(struct drill *drill, int64_t end_ms)
{
    struct drill_result *result = drill->result;
    unsigned long long acked_while_closed = 0;
    size_t writes, reads;
    const struct load_sample *write = load_writes(drill->load, &writes);
    const struct load_sample *read = load_reads(drill->load, &reads);
    result->slot_count = (size_t) ((end_ms - drill->begin_ms) / DRILL_SLOT_MS) + 1;
    result->slots = mem_zero(result->slot_count, sizeof *result->slots);
    for (size_t i = 0; i < writes; i++) {
        struct drill_slot *slot = slot_of(result, drill->begin_ms, &write[i]);
        *(write[i].outcome == LOAD_ACKED ? &slot->acked : &slot->failed) += 1;
        slot->lost += write[i].lost;
        acked_while_closed += drill->scenario->closed && write[i].outcome == LOAD_ACKED &&
                              write[i].sent_ms >= drill->measure_ms + drill->limits.closed_ms &&
                              write[i].ended_ms < drill->heal_ms;
    }
    for (size_t i = 0; i < reads; i++) {
        struct drill_slot *slot = slot_of(result, drill->begin_ms, &read[i]);
        *(read[i].outcome == LOAD_ACKED ? &slot->reads : &slot->reads_failed) += 1;
    }
    return acked_while_closed;
}

static double
seconds(int64_t from_ms, int64_t to_ms)
{
    return (double) (to_ms - from_ms) / 1000;
}

static struct drill_span
span_of(const struct drill *drill, struct load_gap gap)
{
    if (gap.to_ms == gap.from_ms)
        return (struct drill_span){0};
    return (struct drill_span){gap.from_ms - drill->begin_ms, gap.to_ms - drill->begin_ms};
}

static int
take_measurements(struct drill *drill, struct error *err)
{
    struct drill_result *result = drill->result;
    int64_t end_ms = clock_ms(), from_ms = drill->measure_ms, silence;
    size_t writes, reads;
    load_stop(drill->load);
    const struct load_sample *write = load_writes(drill->load, &writes);
    const struct load_sample *read = load_reads(drill->load, &reads);
    result->write_outage = span_of(drill, load_outage(write, writes, from_ms, end_ms));
    result->read_outage = span_of(drill, load_outage(read, reads, from_ms, end_ms));
    result->write_outage_s = seconds(result->write_outage.from_ms, result->write_outage.to_ms);
    result->read_outage_s = seconds(result->read_outage.from_ms, result->read_outage.to_ms);
    result->write_pause_s = (double) load_pause(write, writes, from_ms, end_ms) / 1000;
    if (drill->load_ms < drill->broken_ms)
        result->noise_s =
            (double) load_pause(write, writes, drill->load_ms, drill->broken_ms) / 1000;
    result->fault_ms = from_ms - drill->begin_ms;
    result->promoted_s = drill->promoted_ms != 0 ? seconds(from_ms, drill->promoted_ms) : -1;
    result->converged_s =
        drill->converged_ms != 0 ? seconds(drill->last_act_ms, drill->converged_ms) : -1;
    load_now(drill->load, &result->acked, &silence);
    result->lost = result->acked; // without a master nothing that was acknowledged can be read
    if (drill->survey.verdict.master >= 0 &&
        load_verify(drill->load, drill->run->spec->nodes[drill->survey.verdict.master].address,
            VERIFY_MS, &result->acked, &result->lost, err) < 0)
        return -1;
    unsigned long long acked_while_closed = count_slots(drill, end_ms);
    drill_assess(drill->scenario, &drill->limits, DRILL_WRITES_PER_S, acked_while_closed, result);
    return 0;
}

static int
run_and_measure(struct drill *drill, struct error *err)
{
    static const struct drill_step ready = {ACT_AWAIT_CONVERGED, WHOM_NONE, READY_MS};
    const struct spec *spec = drill->run->spec;
    if (session_open_launched(spec, true, &drill->session, err) < 0)
        return -1;
    drill->access = session_access(&drill->session);
    if (!drill->scenario->info.new_data) {
        if (drill_await(drill, &ready, err) < 0)
            return -1;
        if (drill->converged_ms == 0 || drill->survey.verdict.master < 0)
            return error_set(err, ERR_VERDICT,
                "cluster '%s' has not converged, so the drill does not begin: %s; see 'airbuild "
                "status'",
                spec->cluster, drill->survey.verdict.awaited);
        drill->master = (size_t) drill->survey.verdict.master;
        for (size_t i = spec->node_count; i-- > 0;)
            if (spec->nodes[i].role == SPEC_REDIS && i != drill->master)
                drill->replica = i;
    }
    drill->begin_ms = clock_ms();
    int result = run_steps(drill, err);
    if (result < 0) {
        drill_repair(drill);
    } else {
        result = take_measurements(drill, err);
        if (result < 0)
            interrupt_acknowledge();
    }
    if (drill->load != NULL && drill->survey.verdict.master >= 0) {
        load_stop(drill->load);
        load_forget(drill->load, spec->nodes[drill->survey.verdict.master].address, FORGET_MS);
    }
    return result;
}

int
drill_execute(const struct drill_run *run, struct drill_result *ret, struct error *err)
{
    *ret = (struct drill_result){.info = run->info};
    struct drill drill = {
        .run = run,
        .scenario = drill_scenario(run->info->name),
        .session = {.lock = -1},
        .begin_ms = clock_ms(),
        .named = -1,
        .result = ret,
    };
    drill_limits(drill.scenario, &run->spec->redis, &drill.limits);
    int result = run_and_measure(&drill, err);
    cpu_burn_end(&drill.burn);
    load_free(drill.load);
    survey_free(&drill.survey);
    session_close(&drill.session);
    if (result < 0)
        drill_result_free(ret);
    return result;
}
