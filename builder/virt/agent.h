// agent.h - run a program inside a guest through its guest agent. Drills break things with it,
// freeze has the guest drop its caches, and a profile reads times; airbuild configures nothing this
// way.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_AGENT_H
#define AIRBUILD_VIRT_AGENT_H

#include "base/error.h"
#include "virt/virt.h"

#include <stdbool.h>
#include <stdint.h>

#define AGENT_OUTPUT_MAX (64 * 1024)

// Runs argv (absolute path first, NULL-terminated) as root in a running domain of ours and waits
// for its end. *ret_status: its exit status, or 128 + signal; *ret_output (may be NULL; the caller
// frees): both its outputs, at most AGENT_OUTPUT_MAX bytes. ERR_GUEST when the agent does not
// answer within timeout_ms or the program cannot be started; ERR_CONFLICT, ERR_NOT_FOUND as in
// domain.h; ERR_INTERRUPTED.
int virt_agent_run(struct virt *virt, const char *cluster, const char *name,
    const char *const *argv, int64_t timeout_ms, int *ret_status, char **ret_output,
    struct error *err);
// The two halves of it, for several guests side by side.
int virt_agent_start(struct virt *virt, const char *cluster, const char *name,
    const char *const *argv, int64_t timeout_ms, long long *ret_pid, struct error *err);
int virt_agent_wait(struct virt *virt, const char *cluster, const char *name, long long pid,
    int64_t timeout_ms, int *ret_status, char **ret_output, struct error *err);

// ---- the JSON of its commands and answers, for tests. Pure. ----
// QEMU's reference: https://www.qemu.org/docs/master/interop/qemu-ga-ref.html, guest-exec and
// guest-exec-status.

// Return a command; the caller frees it.
char *agent_exec(const char *const *argv);
char *agent_exec_status(long long pid);
// Read an answer. ERR_GUEST when it does not match the reference.
int agent_started(const char *answer, long long *ret_pid, struct error *err);
// *ret_ended false: the program still runs, and the rest is not set. *ret_status: exit status, or
// 128 + signal. *ret_output (may be NULL; the caller frees): standard output, then standard error,
// cut at AGENT_OUTPUT_MAX; never NULL when ended.
int agent_ended(
    const char *answer, bool *ret_ended, int *ret_status, char **ret_output, struct error *err);

#endif
