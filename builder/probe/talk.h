// talk.h - a dialogue over one wire: what is asked, who hears the answers, when it is over; and
// many of them at once within one deadline. Internal to probe/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_PROBE_TALK_H
#define AIRBUILD_PROBE_TALK_H

#include "base/error.h"
#include "probe/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct talk {
    struct wire wire;
    unsigned asked, heard; // commands and replies, AUTH not counted
    bool signing_in;       // the reply to AUTH is still to come
    // Called with every reply, index counting from 0 in the order asked. It may ask more.
    void (*hear)(struct talk *talk, unsigned index, const redisReply *reply);
    bool stays;      // it is not over when all is answered; hear or wake clears it
    int64_t wake_at; // call wake at this time (as clock_ms counts); 0: never
    void (*wake)(struct talk *talk);
    void *result; // hear's and wake's own
};

// Connect and, when access has a password, sign in. *talk is overwritten but for hear, stays, wake
// and result.
void talk_open(
    struct talk *talk, const char *address, unsigned port, const struct probe_access *access);
#define talk_ask(talk, ...)                                    \
    talk_ask_words((talk), (const char *const[]){__VA_ARGS__}, \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
void talk_ask_words(struct talk *talk, const char *const *words, size_t count);

// Carry on with all of them until each is over, at the latest deadline_ms after start_ms: what is
// not over then fails with a text that says so. -1 only when interrupted. All wires are closed in
// the end, their errors kept.
int talk_run(struct talk *const *talks, size_t count, int64_t start_ms, int64_t deadline_ms,
    struct error *err);

#endif
