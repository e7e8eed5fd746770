// accel.h - does KVM work here? /dev/kvm can exist, open, and still hang every guest (nested hosts,
// CI machines): only a kernel that boots is proof. Runs QEMU for some seconds, once per boot of the
// host.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_ACCEL_H
#define AIRBUILD_VIRT_ACCEL_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum accel_wanted { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };

struct accel_verdict {
    bool kvm;  // else TCG
    char *why; // a sentence without a full stop: "a kernel started under KVM after 0.6 s"
};
void accel_verdict_free(struct accel_verdict *verdict);
#define ACCEL_VERDICT_AUTO CLEANUP(accel_verdict_free)

// home: folder of accel.json, which caches the verdict; created when missing; when it is not
// writable every call runs the proof. kernel: the one to boot (an image's own), NULL for the host's
// own (/boot/vmlinuz-*, /usr/lib/modules/*/vmlinuz); a verdict holds for all kernels. ACCEL_TCG
// needs no proof. ACCEL_AUTO fails only with ERR_INTERRUPTED. ACCEL_KVM without proof is
// ERR_MISSING (no /dev/kvm, no QEMU, no kernel), ERR_ACCESS (/dev/kvm: permission denied) or
// ERR_FAILED (the kernel did not start).
int accel_prove(const char *home, enum accel_wanted wanted, const char *kernel,
    struct accel_verdict *ret, struct error *err);

struct accel_places {
    const char *home;    // as above
    const char *device;  // "/dev/kvm"
    const char *boot_id; // "/proc/sys/kernel/random/boot_id"
    const char *qemu;    // absolute path; NULL: none was found
    const char *kernel;  // absolute path; NULL: none was found
    int64_t timeout_ms;  // for the kernel's first line
};
// accel_prove with given places, for tests.
int accel_prove_at(const struct accel_places *places, enum accel_wanted wanted,
    struct accel_verdict *ret, struct error *err);

// Adds the paths of this host's kernels, the newest of /boot first, then those beside their
// modules. They may be unreadable.
void accel_kernels(struct strv *ret);

// Returns the absolute path of this host's system emulator, or NULL; caller frees.
char *accel_qemu(void);

#endif
