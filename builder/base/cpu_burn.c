// cpu_burn.c - see cpu_burn.h. The program may have threads, so its forked children call only what
// signal-safety(7) allows.
// SPDX-License-Identifier: Apache-2.0
#include "base/cpu_burn.h"

#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// In its own session, so that Ctrl-C reaches only the parent, and that kernels which share
// processors by session (sched(7), autogroup) give it a share of its own.
static _Noreturn void
compute(pid_t parent, int64_t end_ms)
{
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        signal(handled[i], SIG_DFL);
    while (getppid() == parent && clock_ms() < end_ms)
        for (volatile unsigned i = 0; i < 10000000; i++)
            continue;
    _exit(0);
}

int
cpu_burn_start(struct cpu_burn *burn, int64_t max_ms, struct error *err)
{
    pid_t parent = getpid();
    int64_t end_ms = clock_ms() + max_ms;
    cpu_set_t set;
    size_t wanted = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        wanted = (size_t) CPU_COUNT(&set);
    burn->pids = mem_zero(wanted, sizeof *burn->pids);
    for (burn->count = 0; burn->count < wanted; burn->count++) {
        pid_t child = fork();
        if (child == 0)
            compute(parent, end_ms);
        if (child < 0) {
            cpu_burn_end(burn);
            return error_errno(err, errno, "cannot start processes that use the processors");
        }
        burn->pids[burn->count] = child;
    }
    return 0;
}

void
cpu_burn_end(struct cpu_burn *burn)
{
    for (size_t i = 0; i < burn->count; i++)
        kill(burn->pids[i], SIGKILL);
    for (size_t i = 0; i < burn->count; i++)
        while (waitpid(burn->pids[i], NULL, 0) < 0 && errno == EINTR)
            continue;
    free(burn->pids);
    *burn = (struct cpu_burn){0};
}
