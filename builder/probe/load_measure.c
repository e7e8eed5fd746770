// load_measure.c - outages and pauses in the samples of a load. Pure.
// SPDX-License-Identifier: Apache-2.0
#include "probe/load.h"

static void
keep_longer(struct load_gap *longest, int64_t from_ms, int64_t to_ms)
{
    if (to_ms - from_ms > longest->to_ms - longest->from_ms)
        *longest = (struct load_gap){from_ms, to_ms};
}

struct load_gap
load_outage(const struct load_sample *samples, size_t count, int64_t from_ms, int64_t to_ms)
{
    struct load_gap longest = {0};
    int64_t failing_ms = -1; // since when it fails; -1: it does not
    for (size_t i = 0; i < count; i++) {
        const struct load_sample *sample = &samples[i];
        if (sample->ended_ms < from_ms || sample->sent_ms > to_ms)
            continue;
        if (sample->outcome != LOAD_ACKED) {
            failing_ms = failing_ms < 0 ? sample->sent_ms : failing_ms;
            continue;
        }
        if (failing_ms >= 0)
            keep_longer(&longest, failing_ms, sample->ended_ms < to_ms ? sample->ended_ms : to_ms);
        failing_ms = -1;
    }
    if (failing_ms >= 0)
        keep_longer(&longest, failing_ms, to_ms);
    return longest;
}

int64_t
load_pause(const struct load_sample *samples, size_t count, int64_t from_ms, int64_t to_ms)
{
    struct load_gap longest = {0};
    int64_t last_ms = -1; // of the last acknowledgement, which may be before the window
    for (size_t i = 0; i < count && samples[i].ended_ms <= to_ms; i++) {
        if (samples[i].outcome != LOAD_ACKED)
            continue;
        if (samples[i].ended_ms > from_ms && last_ms >= 0)
            keep_longer(&longest, last_ms, samples[i].ended_ms);
        last_ms = samples[i].ended_ms;
    }
    keep_longer(&longest, last_ms >= 0 ? last_ms : from_ms, to_ms);
    return longest.to_ms - longest.from_ms;
}
