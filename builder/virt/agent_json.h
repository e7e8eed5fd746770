// agent_json.h - what is said to a guest agent and what it answers, as JSON (QEMU's guest agent
// reference, https://www.qemu.org/docs/master/interop/qemu-ga-ref.html: guest-exec,
// guest-exec-status). Pure. Internal to virt/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_AGENT_JSON_H
#define AIRBUILD_VIRT_AGENT_JSON_H

#include "base/error.h"

#include <stdbool.h>

#define AGENT_OUTPUT_MAX (64 * 1024)

// The commands; the caller frees.
char *agent_exec(const char *const *argv);
char *agent_exec_status(long long pid);

// The answers. ERR_GUEST when they are not what the reference says.
int agent_started(const char *answer, long long *ret_pid, struct error *err);
// *ret_ended false: it still runs, and the rest is untouched. *ret_status: exit status, or 128 +
// signal. *ret_output (may be NULL, the caller frees): standard output, then errors, cut at
// AGENT_OUTPUT_MAX; never NULL when ended.
int agent_ended(
    const char *answer, bool *ret_ended, int *ret_status, char **ret_output, struct error *err);

#endif
