// load.h - a client that writes and one that reads all the time, through the head, as an
// application would; every attempt is recorded. Used by drills. Two threads of their own; nothing
// else in probe/ has any.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_LOAD_H
#define AIRBUILD_PROBE_LOAD_H

#include "base/error.h"
#include "probe/probe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_options {
    const char *address;                // the head
    const struct probe_access *access;  // writes the keys PREFIX:N
    const char *prefix;                 // "airbuild:drill:RUN"
    unsigned writes_per_s, reads_per_s; // 250, 100
    int64_t answer_ms; // an answer that takes longer counts as none: the client reconnects (2000)
    int64_t reconnect_ms; // pause before a new connection (20)
};

enum load_outcome {
    LOAD_ACKED,   // +OK, or the value that was expected (or an older acknowledged one, or nil, on a
                  // replica)
    LOAD_REFUSED, // an error reply: NOREPLICAS, READONLY, LOADING, ...
    LOAD_BROKEN,  // the connection failed, was cut, or could not be made
    LOAD_SILENT,  // no answer within answer_ms
};

// One attempt. Times are clock_ms().
struct load_sample {
    int64_t sent_ms, ended_ms;
    enum load_outcome outcome;
    unsigned number; // of the write; a number is never tried again, so that each is acknowledged at
                     // most once
    bool lost;       // acknowledged, and load_verify did not find it
};

struct load; // running
// Both threads begin at once. Access and options are copied.
int load_start(const struct load_options *options, struct load **ret, struct error *err);
// Ends both threads (within answer_ms) and joins them. The samples stay readable until load_free.
void load_stop(struct load *load);
void load_free(struct load *load); // stops first
void load_freep(struct load **load);
#define LOAD_AUTO __attribute__((cleanup(load_freep)))

// After load_stop: by time. Borrowed.
const struct load_sample *load_writes(const struct load *load, size_t *ret_count);
const struct load_sample *load_reads(const struct load *load, size_t *ret_count);
// While it runs: acknowledged writes so far, milliseconds since the last one.
void load_now(struct load *load, unsigned long long *ret_acked, int64_t *ret_silence_ms);

// After load_stop: ask a worker (the final master) which of the acknowledged writes it has:
// *ret_lost those it has not; the samples say which. ERR_TIMEOUT when deadline_ms passes,
// ERR_FAILED when the worker refuses.
int load_verify(struct load *load, const char *address, int64_t deadline_ms,
    unsigned long long *ret_acked, unsigned long long *ret_lost, struct error *err);

// After load_stop: remove the keys from a worker that is master, as far as deadline_ms allows.
void load_forget(const struct load *load, const char *address, int64_t deadline_ms);

// One write of KEY straight to a worker: does it take writes right now? A worker that cannot be
// reached does not.
bool load_accepts(
    const char *address, const struct probe_access *access, const char *key, int64_t deadline_ms);

// What the samples say. Pure.
struct load_gap {
    int64_t from_ms, to_ms; // from the first attempt that failed or stayed unanswered, sent, to the
                            // first acknowledged after
};
// The longest run of failed attempts between from_ms and to_ms; all zero when none failed. An
// attempt that is under way at from_ms counts.
struct load_gap load_outage(
    const struct load_sample *samples, size_t count, int64_t from_ms, int64_t to_ms);
// The longest time between two acknowledgements next to each other in the window: what a client
// feels as a pause, failures or not.
int64_t load_pause(const struct load_sample *samples, size_t count, int64_t from_ms, int64_t to_ms);

#endif
