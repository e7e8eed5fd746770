// drill_run.c - one drill from its begin to its verdict.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/drill_state.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"

#define BASELINE_MS 5000 // of load before the fault: what the host's noise is read from
#define ANSWER_MS 1000
#define RECONNECT_MS 20
#define VERIFY_MS 60000
#define SLOT_MS 100
// Workers fence themselves within min-replicas-max-lag (3 s), the head within two checks: then
// nothing is taken.
#define CLOSED_MS 4000

// Roles at the begin; the cluster must be whole.
static int
begin(struct drill *drill, struct error *err)
{
    const struct spec *spec = drill->run->spec;
    if (session_open(spec, true, &drill->session, err) < 0)
        return -1;
    if (drill->session.record == NULL || drill->session.secrets == NULL)
        return error_set(err, ERR_NOT_FOUND,
            "there is no cluster '%s' on this host to drill; make it with 'airbuild launch'",
            spec->cluster);
    if (session_connect(&drill->session, err) < 0 || drill_look(drill, err) < 0)
        return -1;
    for (int tries = 0; !drill->verdict.converged && tries < 5; tries++)
        if (clock_sleep(500, err) < 0 || drill_look(drill, err) < 0)
            return -1;
    if (!drill->verdict.converged || drill->verdict.master < 0)
        return error_set(err, ERR_VERDICT,
            "cluster '%s' has not converged, so nothing is broken on purpose: %s", spec->cluster,
            drill->verdict.awaited);
    drill->master = (size_t) drill->verdict.master;
    for (size_t i = spec->node_count; i-- > 0;)
        if (spec->nodes[i].role == SPEC_REDIS && i != drill->master)
            drill->replica = i;
    return 0;
}

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
    return load_start(&options, &drill->load, err);
}

static bool
is_wait(enum drill_act act)
{
    return act == ACT_WATCH || act == ACT_AWAIT_OFF || act == ACT_AWAIT_MASTER ||
           act == ACT_AWAIT_CONVERGED;
}

static int
go_through(struct drill *drill, struct error *err)
{
    static const struct drill_step baseline = {ACT_WATCH, WHOM_NONE, BASELINE_MS};
    static const struct drill_step last = {ACT_WATCH, WHOM_NONE, 2000};
    if (!drill->scenario->info.new_data && drill_await(drill, &baseline, err) < 0)
        return -1;
    for (const struct drill_step *step = drill->scenario->steps; step->act != ACT_END; step++) {
        if (step->act == ACT_MEASURE)
            drill->measuring = true;
        else if (is_wait(step->act) ? drill_await(drill, step, err) < 0
                                    : drill_do(drill, step, err) < 0)
            return -1;
        if (drill->measuring && drill->measure_ms == 0 && step->act == ACT_WATCH)
            drill->measure_ms = clock_ms();
        // The load begins on the new cluster when all data is new.
        if (drill->load == NULL && step->act == ACT_AWAIT_CONVERGED && start_load(drill, err) < 0)
            return -1;
    }
    return drill_await(drill, &last, err);
}

static void
count_slots(struct drill *drill)
{
    struct drill_result *result = drill->result;
    size_t count;
    result->slot_count = (size_t) ((clock_ms() - drill->begin_ms) / SLOT_MS) + 1;
    result->slots = mem_zero(result->slot_count, sizeof *result->slots);
    const struct load_sample *samples = load_writes(drill->load, &count);
    for (size_t i = 0; i < count; i++) {
        size_t slot = (size_t) ((samples[i].ended_ms - drill->begin_ms) / SLOT_MS);
        if (slot < result->slot_count)
            *(samples[i].outcome == LOAD_ACKED ? &result->slots[slot].acked
                                               : &result->slots[slot].failed) += 1;
    }
    samples = load_reads(drill->load, &count);
    for (size_t i = 0; i < count; i++) {
        size_t slot = (size_t) ((samples[i].ended_ms - drill->begin_ms) / SLOT_MS);
        if (slot < result->slot_count)
            *(samples[i].outcome == LOAD_ACKED ? &result->slots[slot].reads
                                               : &result->slots[slot].reads_failed) += 1;
    }
}

static unsigned long long
acked_while_closed(const struct drill *drill)
{
    size_t count;
    unsigned long long acked = 0;
    const struct load_sample *samples = load_writes(drill->load, &count);
    for (size_t i = 0; i < count; i++)
        acked += samples[i].outcome == LOAD_ACKED &&
                 samples[i].sent_ms >= drill->measure_ms + CLOSED_MS &&
                 samples[i].ended_ms < drill->heal_ms;
    return acked;
}

static double
seconds_of(struct load_gap gap)
{
    return (double) (gap.to_ms - gap.from_ms) / 1000;
}

static int
measure(struct drill *drill, struct error *err)
{
    struct drill_result *result = drill->result;
    int64_t end_ms = clock_ms();
    size_t writes, reads;
    load_stop(drill->load);
    const struct load_sample *write = load_writes(drill->load, &writes);
    const struct load_sample *read = load_reads(drill->load, &reads);
    int64_t from = drill->measure_ms != 0 ? drill->measure_ms : drill->begin_ms;
    result->write_outage_s = seconds_of(load_outage(write, writes, from, end_ms));
    result->read_outage_s = seconds_of(load_outage(read, reads, from, end_ms));
    result->write_pause_s = (double) load_pause(write, writes, from, end_ms) / 1000;
    result->noise_s = (double) load_pause(write, writes, drill->begin_ms, from) / 1000;
    result->promoted_s = drill->promoted_ms != 0 ? (double) (drill->promoted_ms - from) / 1000 : -1;
    result->converged_s =
        drill->converged_ms != 0 ? (double) (drill->converged_ms - drill->last_act_ms) / 1000 : -1;
    result->two_masters = drill->two_masters;
    count_slots(drill);
    if (drill->verdict.master < 0) // all that was acknowledged is out of reach
        return load_verify(drill->load, NULL, VERIFY_MS, &result->acked, &result->lost, err);
    return load_verify(drill->load, drill->run->spec->nodes[drill->verdict.master].address,
        VERIFY_MS, &result->acked, &result->lost, err);
}

static int
carry_out(struct drill *drill, struct error *err)
{
    if (begin(drill, err) < 0)
        return -1;
    const struct spec *spec = drill->run->spec;
    drill->access = (struct probe_access){
        .user = secrets_account_name(SECRETS_STATUS),
        .password = spec->redis.auth ? drill->session.secrets->passwords[SECRETS_STATUS] : NULL,
        .master_name = spec->redis.master_name,
    };
    if (!drill->scenario->info.new_data && start_load(drill, err) < 0)
        return -1;
    if (go_through(drill, err) < 0) {
        drill_mend(drill);
        return -1;
    }
    if (measure(drill, err) < 0)
        return -1;
    drill_judge(drill->scenario, DRILL_WRITES_PER_S,
        drill->scenario->closed ? acked_while_closed(drill) : 0, drill->result);
    return 0;
}

int
drill_carry_out(const struct drill_run *run, struct drill_result *ret, struct error *err)
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
    FREE_AUTO struct probe_result *results = mem_zero(run->spec->node_count, sizeof *results);
    drill.results = results;
    int result = carry_out(&drill, err);
    load_free(drill.load);
    survey_free(&drill.survey);
    session_close(&drill.session);
    if (result < 0)
        drill_result_free(ret);
    return result;
}
