// talk.c - dialogues: sign in, ask, hear; one poll loop for all of them.
// SPDX-License-Identifier: Apache-2.0
#include "probe/talk.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>

void
talk_ask_words(struct talk *talk, const char *const *words, size_t count)
{
    wire_command(&talk->wire, words, count);
    talk->asked++;
}

void
talk_open(struct talk *talk, const char *address, unsigned port, const struct probe_access *access)
{
    talk->asked = talk->heard = 0;
    talk->wake_at = 0;
    talk->signing_in = access->password != NULL;
    wire_open(&talk->wire, address, port);
    const char *auth[] = {"AUTH", access->user, access->password};
    if (talk->signing_in)
        wire_command(&talk->wire, auth, sizeof auth / sizeof *auth);
}

static void
take_reply(struct talk *talk, const redisReply *reply)
{
    if (!talk->signing_in) {
        talk->hear(talk, talk->heard++, reply);
        return;
    }
    talk->signing_in = false;
    if (reply->type == REDIS_REPLY_ERROR)
        wire_refused(&talk->wire, reply);
}

static bool
is_done(const struct talk *talk)
{
    return !talk->stays && !talk->signing_in && talk->heard >= talk->asked;
}

// What the other side does after its last answer, such as closing the connection, is not our
// business.
static void
turn(struct talk *talk)
{
    wire_turn(&talk->wire);
    redisReply *reply;
    while (!is_done(talk) && (reply = wire_reply(&talk->wire)) != NULL) {
        take_reply(talk, reply);
        freeReplyObject(reply);
    }
}

static void
wake(struct talk *talk)
{
    if (talk->wake_at == 0 || clock_ms() < talk->wake_at)
        return;
    talk->wake_at = 0;
    talk->wake(talk);
}

// The descriptors to wait for, -1 (ignored by poll) for what is over; how many are not over, and
// the milliseconds until the next one wants to be woken, at most left_ms.
static size_t
gather(struct talk *const *talks, size_t count, struct pollfd *fds, int64_t *left_ms)
{
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        struct talk *talk = talks[i];
        fds[i] = (struct pollfd){.fd = talk->wire.fd, .events = wire_events(&talk->wire)};
        if (wire_over(&talk->wire))
            continue;
        open++;
        if (talk->wake_at != 0 && clock_left(talk->wake_at) < *left_ms)
            *left_ms = clock_left(talk->wake_at);
    }
    return open;
}

static void
fail_late(struct talk *talk, int64_t deadline_ms)
{
    if (!wire_over(&talk->wire))
        wire_fail(&talk->wire, "no %s within %" PRId64 " ms",
            talk->wire.connected ? "answer" : "connection", deadline_ms);
}

static int
run_talks(
    struct talk *const *talks, size_t count, struct pollfd *fds, int64_t end_ms, struct error *err)
{
    for (;;) {
        if (interrupt_check(err) < 0)
            return -1;
        int64_t end_left = clock_left(end_ms), left = end_left;
        if (gather(talks, count, fds, &left) == 0 || end_left == 0)
            return 0;
        fds[count] = (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};
        poll(fds, count + 1, left > INT_MAX ? INT_MAX : (int) left);
        for (size_t i = 0; i < count; i++) {
            if (wire_over(&talks[i]->wire))
                continue;
            if (fds[i].revents != 0)
                turn(talks[i]);
            wake(talks[i]);
            if (is_done(talks[i]))
                wire_close(&talks[i]->wire);
        }
    }
}

int
talk_run(struct talk *const *talks, size_t count, int64_t start_ms, int64_t deadline_ms,
    struct error *err)
{
    FREE_AUTO struct pollfd *fds = mem_zero(count + 1, sizeof *fds);
    int result = run_talks(talks, count, fds, start_ms + deadline_ms, err);
    for (size_t i = 0; i < count; i++) {
        fail_late(talks[i], deadline_ms);
        wire_close(&talks[i]->wire);
    }
    return result;
}
