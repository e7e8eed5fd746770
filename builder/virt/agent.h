// agent.h - run a program inside a guest through its guest agent. airbuild configures nothing this
// way: only drills break things with it.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_AGENT_H
#define AIRBUILD_VIRT_AGENT_H

#include "base/error.h"
#include "virt/virt.h"

#include <stdint.h>

// Run argv (absolute path first, NULL-terminated) as root in a running domain of ours and wait for
// its end. *ret_status: its exit status, or 128 + signal; *ret_output: both its outputs, at most 64
// KiB (may be NULL; the caller frees). ERR_GUEST when the agent does not answer within timeout_ms
// or the program cannot be started; ERR_CONFLICT, ERR_NOT_FOUND as in domain.h; ERR_INTERRUPTED.
int virt_agent_run(struct virt *virt, const char *cluster, const char *name,
    const char *const *argv, int64_t timeout_ms, int *ret_status, char **ret_output,
    struct error *err);

#endif
