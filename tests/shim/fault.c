// fault.c - a shared object that is preloaded into airbuild. It counts the calls that change the
// host and kills or interrupts airbuild, or fills the disk, at one of them. Such a call is a point:
// creating, renaming or removing a file, the first write to an open file, starting a child process,
// a libvirt call that changes something.
//
//   AIRBUILD_FAULT_LOG   file that gets a line "NUMBER CALL SUBJECT" for each point
//   AIRBUILD_FAULT       WAY:NUMBER, the fault and its point. WAY is KILL, INT or TERM: the signal
//                        is sent before the call; KILL-after, INT-after or TERM-after: after it;
//                        FULL: from this point on calls that need space fail, those of libvirt and
//                        of children included
//   AIRBUILD_FAULT_URI   the connection that is opened for "test:///default": that of a daemon, so
//                        that domains outlive the process
//
// Children are not counted: their changes lie between the point that starts them and the next one.
// SPDX-License-Identifier: Apache-2.0
#include "fault.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENVIRONMENT_MAX 1024

static int log_fd = -1;
static int chosen = -1; // the point; -1: none
static int chosen_signal;
static bool chosen_after, chosen_full;
static atomic_int points;
static char preload[1024], full_from_start[] = "AIRBUILD_FAULT=FULL:0";

void *
fault_real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

static void
read_way(const char *text)
{
    static const struct {
        const char *name;
        int signal;
    } ways[] = {{"KILL", SIGKILL}, {"INT", SIGINT}, {"TERM", SIGTERM}, {"FULL", 0}};
    const char *colon = strchr(text, ':');
    if (colon == NULL)
        abort();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strncmp(text, ways[i].name, strlen(ways[i].name)) == 0)
            chosen_signal = ways[i].signal;
    chosen_full = chosen_signal == 0;
    chosen_after = strncmp(colon - strlen("-after"), "-after", strlen("-after")) == 0;
    chosen = atoi(colon + 1);
}

__attribute__((constructor)) static void
begin(void)
{
    const char *log = getenv("AIRBUILD_FAULT_LOG"), *way = getenv("AIRBUILD_FAULT");
    const char *self = getenv("LD_PRELOAD");
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", self != NULL ? self : "");
    unsetenv("LD_PRELOAD");
    if (way != NULL)
        read_way(way);
    if (log != NULL)
        log_fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

// ---- points --------------------------------------------------------------------------------------------------------

bool
fault_full(void)
{
    return chosen_full && atomic_load(&points) >= chosen;
}

int
fault_point(const char *call, const char *subject)
{
    char line[4400];
    int number = atomic_fetch_add(&points, 1) + 1;
    int length = snprintf(line, sizeof line, "%d %s %s\n", number, call, subject);
    if (log_fd >= 0 && length > 0 && REAL(write)(log_fd, line, (size_t) length) < 0)
        abort();
    if (number == chosen && !chosen_full && !chosen_after)
        kill(getpid(), chosen_signal);
    return number;
}

void
fault_passed(int number)
{
    int saved = errno;
    if (number == chosen && chosen_after)
        kill(getpid(), chosen_signal);
    errno = saved;
}

int
fault_log(void)
{
    return log_fd;
}

// ---- children ------------------------------------------------------------------------------------------------------

// On a full disk, the disk is full for children too.
static void
add_full(char *const *from, char **ret)
{
    size_t count = 0;
    for (; *from != NULL && count < ENVIRONMENT_MAX; from++)
        if (strncmp(*from, "AIRBUILD_FAULT", strlen("AIRBUILD_FAULT")) != 0)
            ret[count++] = *from;
    ret[count++] = preload;
    ret[count++] = full_from_start;
    ret[count] = NULL;
}

int
posix_spawn(pid_t *ret, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const argv[], char *const environment[])
{
    char *changed[ENVIRONMENT_MAX + 3];
    int number = fault_point("spawn", path);
    if (fault_full()) {
        add_full(environment, changed);
        environment = changed;
    }
    int result = REAL(posix_spawn)(ret, path, actions, attributes, argv, environment);
    fault_passed(number);
    return result;
}
