// load.h - for drills: one client that writes and one that reads all the time, through the head, as
// an application does, with a record of every attempt. Each has a thread, the only ones in probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_LOAD_H
#define AIRBUILD_PROBE_LOAD_H

#include "base/cleanup.h"
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
    int64_t answer_ms;    // without an answer for so long, the client reconnects (2000)
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
    unsigned number; // of the write; never tried again, so that each is acknowledged at most once
    bool lost;       // acknowledged, but not found by load_verify
};

struct load; // running
// Starts both threads. Copies access and options.
int load_start(const struct load_options *options, struct load **ret, struct error *err);
// Ends both threads (within answer_ms) and joins them. The samples live until load_free.
void load_stop(struct load *load);
void load_free(struct load *load); // stops first
DEFINE_FREEP(struct load, load_free)
#define LOAD_AUTO CLEANUP(load_freep)

// After load_stop: the samples by time, borrowed.
const struct load_sample *load_writes(const struct load *load, size_t *ret_count);
const struct load_sample *load_reads(const struct load *load, size_t *ret_count);
// While it runs: the number of acknowledged writes, and the milliseconds since the last one.
void load_now(struct load *load, unsigned long long *ret_acked, int64_t *ret_silence_ms);

// After load_stop: counts the acknowledged writes, and those that a worker (the final master) does
// not have; marks these in the samples. ERR_TIMEOUT after deadline_ms, ERR_FAILED when the worker
// refuses.
int load_verify(struct load *load, const char *address, int64_t deadline_ms,
    unsigned long long *ret_acked, unsigned long long *ret_lost, struct error *err);

// After load_stop: removes the keys from a worker that is master, until deadline_ms has passed.
void load_forget(const struct load *load, const char *address, int64_t deadline_ms);

// Returns whether a worker accepts a write of this key, sent straight to it, now. One that cannot
// be reached does not.
bool load_accepts(
    const char *address, const struct probe_access *access, const char *key, int64_t deadline_ms);

// ---- evaluation of samples. Pure. ----

struct load_gap {
    int64_t from_ms, to_ms; // from the sending of the first attempt that failed or got no answer,
                            // to the first acknowledgement after it
};
// Returns the longest run of failed attempts between from_ms and to_ms; all zero when none failed.
// An attempt that is under way at from_ms counts.
struct load_gap load_outage(
    const struct load_sample *samples, size_t count, int64_t from_ms, int64_t to_ms);
// Returns the longest time between two successive acknowledgements in the window: the pause that a
// client feels, with or without failures.
int64_t load_pause(const struct load_sample *samples, size_t count, int64_t from_ms, int64_t to_ms);

#endif
