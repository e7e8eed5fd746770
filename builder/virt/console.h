// console.h - a person at a domain's serial console.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_CONSOLE_H
#define AIRBUILD_VIRT_CONSOLE_H

#include "base/error.h"
#include "virt/virt.h"

#include <stdbool.h>

// Join standard input and output with the console of a running domain of ours until ^] is typed,
// input ends, or the domain stops (all return 0). A terminal is put in raw mode and restored
// whatever happens, SIGINT, SIGTERM and SIGHUP among it (ERR_INTERRUPTED; it installs the handlers
// of base/clock.h); output goes to a pipe as well. Has no deadline: a person ends it. ERR_CONFLICT,
// ERR_NOT_FOUND as in domain.h; ERR_GUEST when it does not run; ERR_BUSY when another console is
// open (force takes it over).
int virt_console(
    struct virt *virt, const char *cluster, const char *name, bool force, struct error *err);

#endif
