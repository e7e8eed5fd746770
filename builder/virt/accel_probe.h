// accel_probe.h - one proof of KVM, with everything it looks at named. Inside virt/ and its tests
// only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_ACCEL_PROBE_H
#define AIRBUILD_VIRT_ACCEL_PROBE_H

#include "base/error.h"
#include "virt/accel.h"

#include <stdint.h>

struct accel_places {
    const char *home;    // folder of the cache
    const char *device;  // "/dev/kvm"
    const char *boot_id; // "/proc/sys/kernel/random/boot_id"
    const char *qemu;    // absolute path; NULL: none was found
    const char *kernel;  // absolute path; NULL: none was found
    int64_t timeout_ms;  // for the kernel's first word
};

// accel_prove with the host's places given.
int accel_prove_at(const struct accel_places *places, enum accel_wanted wanted,
    struct accel_verdict *ret, struct error *err);

// Why KVM cannot even be tried: ERR_MISSING, ERR_ACCESS. 0 when it can.
int accel_probe_check(const struct accel_places *places, struct error *err);
// Boot the kernel, and once more with a longer deadline when the host gave QEMU no time to run. -1
// for ERR_INTERRUPTED, and ERR_MISSING: there is no kernel.
int accel_probe_run(
    const struct accel_places *places, struct accel_verdict *ret, struct error *err);

#endif
