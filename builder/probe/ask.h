// ask.h - the dialogues of the probe: redis, sentinel, and the head with its two ports. Internal to
// probe/. Each is begun (ask_...), carried on by talk_run, then ended (ask_..._end), which
// completes its result.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_ASK_H
#define AIRBUILD_PROBE_ASK_H

#include "probe/probe.h"
#include "probe/talk.h"

#include <stdint.h>

// result starts zeroed and outlives the talk.
void ask_redis(struct talk *talk, const char *address, const struct probe_access *access,
    struct probe_redis *result);
void ask_redis_end(const struct talk *talk);

void ask_sentinel(struct talk *talk, const char *address, const struct probe_access *access,
    struct probe_sentinel *result);
void ask_sentinel_end(const struct talk *talk);

struct ask_head { // two talks with one aim; starts as {0}
    struct talk write, read;
    struct probe_head *result;
    char token[33];   // what is written, fresh for every probe
    int64_t start_ms; // as clock_ms counts
};
void ask_head(struct ask_head *head, const char *address, const struct probe_access *access,
    int64_t start_ms, struct probe_head *result);
void ask_head_end(const struct ask_head *head);

#endif
