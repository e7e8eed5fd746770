// drill_fixture.h - results of drills, for tests of their reports.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_DRILL_FIXTURE_H
#define AIRBUILD_TESTS_DRILL_FIXTURE_H

#include "base/cleanup.h"
#include "base/str.h"
#include "drill/drill_report.h"

#include <stdlib.h>

static inline void
add_event(struct drill_result *result, int64_t at_ms, enum drill_event_kind kind, const char *text)
{
    size_t capacity = result->event_count;
    mem_grow(&result->events, &capacity, result->event_count + 1, sizeof *result->events);
    result->events[result->event_count++] =
        (struct drill_event){.at_ms = at_ms, .kind = kind, .text = str_dup(text)};
}

// 250 writes and 100 reads per second; in slots from..to writes fail.
static inline void
fill_slots(struct drill_result *result, size_t count, size_t from, size_t to)
{
    result->slot_count = count;
    result->slots = mem_zero(count, sizeof *result->slots);
    for (size_t i = 0; i < count; i++) {
        bool out = i >= from && i < to;
        result->slots[i] = (struct drill_slot){
            .acked = out ? 0 : 24 + (unsigned) (i % 3),
            .failed = out ? 4 : 0,
            .reads = out ? 9 : 10,
        };
    }
}

static inline void
master_off(struct drill_result *result)
{
    *result = (struct drill_result){.info = drill_find("master-off"),
        .acked = 11203,
        .write_outage_s = 4.31,
        .write_pause_s = 4.35,
        .read_outage_s = 0.4,
        .noise_s = 0.04,
        .promoted_s = 2.84,
        .converged_s = 21.7,
        .behaved = true,
        .in_time = true,
        .verdict = str_dup("PASS"),
        .limits = {.outage_s = 6, .pause_s = -1, .read_outage_s = 2},
        .fault_ms = 5020,
        .write_outage = {5010, 9320},
        .read_outage = {5100, 5500}};
    fill_slots(result, 421, 50, 93);
    add_event(result, 120, DRILL_ROLE, "work11 is master");
    add_event(result, 5040, DRILL_FAULT, "work11: power pulled");
    add_event(result, 7860, DRILL_ROLE, "work12 is master");
    add_event(result, 13100, DRILL_HEAL, "work11: started");
    add_event(result, 34800, DRILL_CONVERGED, "converged");
}

static inline void
half_cut(struct drill_result *result)
{
    *result = (struct drill_result){.info = drill_find("master-half-cut"),
        .acked = 9000,
        .lost = 1204,
        .write_outage_s = 1.2,
        .write_pause_s = 1.21,
        .noise_s = 0.03,
        .promoted_s = -1,
        .converged_s = -1,
        .two_masters = 7,
        .two_masters_s = 1.4,
        .limits = {.outage_s = -1, .pause_s = -1, .read_outage_s = 2, .lost_s = 4},
        .verdict = str_dup("1204 of 9000 acknowledged writes lost; it did not converge again"),
        .fault_ms = 5000,
        .write_outage = {8000, 9200}};
    fill_slots(result, 300, 80, 92);
    for (size_t i = 51; i < 80; i++)
        result->slots[i].lost = result->slots[i].acked;
    add_event(result, 5000, DRILL_FAULT, "work11: cut off from the other workers");
    add_event(result, 8100, DRILL_NOTE, "2 workers take writes");
}

static inline void
quiet(struct drill_result *result)
{
    *result = (struct drill_result){.info = drill_find("sentinel-kill"),
        .acked = 15000,
        .write_pause_s = 0.31,
        .noise_s = 0.02,
        .promoted_s = -1,
        .converged_s = 30.5,
        .limits = {.pause_s = 0.1},
        .behaved = true,
        .verdict = str_dup("write gap 0.31 s, limit 0.1 s beyond the noise of 0.02 s"),
        .fault_ms = 5000};
    fill_slots(result, 600, 0, 0);
    add_event(result, 5000, DRILL_FAULT, "work13: power pulled");
    add_event(result, 5300, DRILL_FAULT, "work13: new seed");
    add_event(result, 5600, DRILL_HEAL, "work13: started");
    add_event(result, 36100, DRILL_CONVERGED, "converged");
}

#define FIXTURE_HOSTILE                                                                        \
    "</title></script><script>alert('x')</script><!-- \" onload=\"y\" &amp; ]]> \x01\x1b[31m " \
    "\xff "                                                                                    \
    "\xef\xbf\xbf\u202e -->"

// Every text is hostile. info must live as long as the result.
static inline void
hostile(struct drill_result *result, struct drill_info *info)
{
    *info = (struct drill_info){FIXTURE_HOSTILE, FIXTURE_HOSTILE, FIXTURE_HOSTILE, false};
    *result = (struct drill_result){.info = info,
        .verdict = str_dup(FIXTURE_HOSTILE),
        .promoted_s = -1,
        .converged_s = -1,
        .write_outage = {1000, 2000}};
    fill_slots(result, 50, 10, 20);
    for (int kind = DRILL_FAULT; kind <= DRILL_NOTE; kind++)
        add_event(result, kind * 700, (enum drill_event_kind) kind, FIXTURE_HOSTILE);
}

// Events of several machines at the same time, and events close to each other.
static inline void
crowded(struct drill_result *result)
{
    static const char *const nodes[] = {"head10", "work11", "work12", "work13"};
    *result = (struct drill_result){.info = drill_find("all-off"),
        .acked = 20000,
        .lost = 12,
        .write_outage_s = 31.5,
        .write_pause_s = 31.5,
        .read_outage_s = 33,
        .promoted_s = -1,
        .converged_s = 32,
        .limits = {-1, -1, -1, .lost_s = 1},
        .behaved = true,
        .in_time = true,
        .verdict = str_dup("PASS"),
        .fault_ms = 5000,
        .write_outage = {5000, 36500},
        .read_outage = {5000, 38000}};
    fill_slots(result, 600, 50, 365);
    for (size_t i = 0; i < 4; i++) {
        FREE_AUTO char *text = str_format("%s: power pulled", nodes[i]);
        add_event(result, 5000 + (int64_t) i * 60, DRILL_FAULT, text);
    }
    for (size_t i = 0; i < 4; i++) {
        FREE_AUTO char *text = str_format("%s: started", nodes[i]);
        add_event(result, 7500 + (int64_t) i * 700, DRILL_HEAL, text);
    }
    add_event(result, 36000, DRILL_ROLE, "work12 is master");
    add_event(result, 59800, DRILL_CONVERGED, "converged");
}

// A drill that failed to run has measured nothing.
static inline void
unmeasured(struct drill_result *result)
{
    *result = (struct drill_result){.info = drill_find("pause"),
        .promoted_s = -1,
        .converged_s = -1,
        .verdict = str_dup("the drill failed to run: libvirt does not answer")};
}

#endif
