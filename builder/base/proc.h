// proc.h - child processes, started with an argv and without a shell. Each has a timeout and ends
// on interrupts.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_PROC_H
#define AIRBUILD_BASE_PROC_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"

#include <stdint.h>
#include <sys/types.h>

struct proc_options {
    // "NAME=value" to set in the environment, NULL-terminated; may be NULL.
    const char *const *env;
    int64_t timeout_ms; // more than 0
    size_t output_max;  // bytes of output kept (the last ones); 0 means 1 MiB
    // Called for each complete line of standard output and error, without its newline; may be NULL.
    void (*line)(void *context, const char *line);
    void *context;
};

struct proc_result {
    int status;        // exit status, or 128 + signal
    struct buf output; // standard output
    struct buf errors; // standard error
};
void proc_result_free(struct proc_result *result);
#define PROC_RESULT_AUTO CLEANUP(proc_result_free)

// Runs argv[0], found by path_program, in its own process group, with LC_ALL=C.UTF-8 and
// standard input from /dev/null, and waits for its end. Returns 0 whatever its status is. -1:
// ERR_MISSING when there is no such program; ERR_TIMEOUT and ERR_INTERRUPTED after the group is
// ended by TERM, and by KILL 2 s later. ret may be NULL, else starts as {0}; it has the output also
// after a timeout.
int proc_run(const char *const *argv, const struct proc_options *options, struct proc_result *ret,
    struct error *err);

// Does the same, and fails when the status is not 0: ERR_FAILED with argv[0], the status and the
// last line of standard error; ERR_SPACE when the errors report a full disk.
int proc_check(const char *const *argv, const struct proc_options *options, struct proc_result *ret,
    struct error *err);

// Replaces this process by argv. Returns only on failure.
int proc_exec(const char *const *argv, struct error *err);

#endif
