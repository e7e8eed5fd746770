// profile.c - collects the profile of a launch through the nodes' guest agents; see profile.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/profile.h"

#include "base/clock.h"
#include "base/str.h"
#include "cluster/launch.h"
#include "virt/agent.h"

#include <stdlib.h>

#define ALL_MS 60000 // for all nodes together
#define TRY_MS 4000  // for one node's agent to accept the program
#define RETRY_MS 300

struct question {
    long long pid; // of the script; 0: it was not started
    struct profile_clock clock;
};

struct collection {
    const struct launch *launch;
    struct profile *profile;
    struct question *questions; // by node of profile
    int64_t end_ms;
};

// Reports a failure as the node's own, unless Ctrl-C caused it.
static int
leave_out(struct profile_node *node, struct error *failure, struct error *err)
{
    if (failure->code == ERR_INTERRUPTED)
        return error_move(err, failure);
    free(node->missing);
    node->missing = str_dup(failure->message);
    error_clear(failure);
    return 0;
}

// Starts the script on all nodes whose agent runs by now.
static int
start_scripts(struct collection *collection, int64_t patience_ms, struct error *err)
{
    const char *const argv[] = {"/bin/sh", "-c", profile_script, NULL};
    const struct launch *launch = collection->launch;
    struct profile *profile = collection->profile;
    int64_t end_ms = clock_ms() + patience_ms;
    for (;;) {
        size_t left = 0;
        for (size_t i = 0; i < profile->count; i++) {
            ERROR_AUTO struct error failure = {0};
            struct question *question = &collection->questions[i];
            int64_t ms = clock_left(collection->end_ms);
            if (question->pid != 0)
                continue;
            if (virt_agent_start(launch->session->virt, launch->spec->cluster,
                    profile->nodes[i].name, argv, ms < TRY_MS ? ms : TRY_MS, &question->pid,
                    &failure) == 0) {
                question->clock.asked_ms = clock_ms();
                free(TAKE(profile->nodes[i].missing));
                continue;
            }
            question->pid = 0;
            left++;
            if (leave_out(&profile->nodes[i], &failure, err) < 0)
                return -1;
        }
        if (left == 0 || clock_left(end_ms) == 0)
            return 0;
        if (clock_sleep(RETRY_MS, err) < 0)
            return -1;
    }
}

static int
read_answers(struct collection *collection, struct error *err)
{
    const struct launch *launch = collection->launch;
    struct profile *profile = collection->profile;
    for (size_t i = 0; i < profile->count; i++) {
        ERROR_AUTO struct error failure = {0};
        FREE_AUTO char *answer = NULL;
        struct question *question = &collection->questions[i];
        struct profile_node *node = &profile->nodes[i];
        int status;
        if (question->pid != 0 &&
            (virt_agent_wait(launch->session->virt, launch->spec->cluster, node->name,
                 question->pid, clock_left(collection->end_ms), &status, &answer, &failure) < 0 ||
                profile_read(answer, &question->clock, node, &failure) < 0) &&
            leave_out(node, &failure, err) < 0)
            return -1;
    }
    return 0;
}

// Lists the nodes that booted, and when.
static struct profile *
list_booted(const struct launch *launch, int64_t converged_ms, struct question *questions)
{
    const struct spec *spec = launch->spec;
    struct profile *profile = mem_zero(1, sizeof *profile);
    int64_t base_ms = converged_ms - 1; // so that the axis is not empty
    profile->nodes = mem_zero(spec->node_count, sizeof *profile->nodes);
    for (size_t i = 0; i < spec->node_count; i++)
        if (launch->nodes[i].boot_ms > 0 && launch->nodes[i].boot_ms < base_ms)
            base_ms = launch->nodes[i].boot_ms;
    for (size_t i = 0; i < spec->node_count; i++) {
        if (launch->nodes[i].boot_ms == 0)
            continue;
        questions[profile->count].clock =
            (struct profile_clock){.base_ms = base_ms, .converged_ms = converged_ms};
        profile->nodes[profile->count++] = (struct profile_node){
            .name = spec->nodes[i].name,
            .role = spec->nodes[i].role,
            .start_s = (double) (launch->nodes[i].boot_ms - base_ms) / 1000,
        };
    }
    profile->seconds = (double) (converged_ms - base_ms) / 1000;
    return profile;
}

int
profile_collect(
    const struct launch *launch, int64_t patience_ms, struct profile **ret, struct error *err)
{
    int64_t now_ms = clock_ms();
    FREE_AUTO struct question *questions = mem_zero(launch->spec->node_count, sizeof *questions);
    PROFILE_AUTO struct profile *profile = list_booted(launch, now_ms, questions);
    struct collection collection = {
        .launch = launch,
        .profile = profile,
        .end_ms = now_ms + ALL_MS,
        .questions = questions,
    };
    if (profile->count > 0)
        progress_step(
            launch->options->progress, launch->spec->cluster, "asking the nodes for their profile");
    if (start_scripts(&collection, patience_ms, err) < 0 || read_answers(&collection, err) < 0)
        return -1;
    *ret = TAKE(profile);
    return 0;
}
