// proc.h - child processes: posix_spawn with an argv, never a shell; every run has a deadline and
// can be interrupted.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_PROC_H
#define AIRBUILD_BASE_PROC_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"

#include <stdint.h>
#include <sys/types.h>

struct proc_options {
    // "NAME=value" to add to (or replace in) the environment, NULL-terminated; may be NULL.
    const char *const *env;
    const char *input;  // standard input; NULL is /dev/null
    int64_t timeout_ms; // 0 is not allowed: every run has a deadline
    size_t output_max;  // bytes of output kept (the last ones); 0 means 1 MiB
    // Called for every whole line of standard output and error as it comes, without its newline;
    // may be NULL.
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

// Run argv[0] (found in PATH as path_program does) in its own process group and wait. 0 when it ran
// to its end, whatever its status. It speaks English (LC_ALL is C.UTF-8). -1: ERR_MISSING when
// there is no such program, ERR_TIMEOUT, ERR_INTERRUPTED (the group is ended by TERM, then KILL
// after 2 s). ret may be NULL, else starts as {0}; it holds the output after a timeout, too.
int proc_run(const char *const *argv, const struct proc_options *options, struct proc_result *ret,
    struct error *err);

// As proc_run, and a status other than 0 is an error too: ERR_FAILED with argv[0], the status and
// the last line of standard error; ERR_SPACE when that speaks of a full disk.
int proc_check(const char *const *argv, const struct proc_options *options, struct proc_result *ret,
    struct error *err);

// Replace this process by argv (for `airbuild ssh`). Returns only on failure.
int proc_exec(const char *const *argv, struct error *err);

#endif
