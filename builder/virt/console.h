// console.h - an interactive session at a domain's serial console.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_CONSOLE_H
#define AIRBUILD_VIRT_CONSOLE_H

#include "base/error.h"
#include "virt/virt.h"

#include <stdbool.h>

// Connects standard input and output to the console of a running domain of ours until ^] is typed,
// input ends, or the domain stops (all return 0). Puts a terminal in raw mode and always restores
// it, also on SIGINT, SIGTERM and SIGHUP (ERR_INTERRUPTED; it installs the handlers of
// base/clock.h); output may be a pipe. Once open it has no deadline: a person ends it.
// ERR_CONFLICT, ERR_NOT_FOUND as in domain.h; ERR_GUEST when it does not run; ERR_BUSY when another
// console is open (force takes it over).
int virt_console(
    struct virt *virt, const char *cluster, const char *name, bool force, struct error *err);

#endif
