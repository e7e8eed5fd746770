// accel.h - does KVM work here? /dev/kvm can exist, open, and still hang every guest (nested hosts,
// CI machines): only a kernel that boots is proof. Runs qemu for at most 5 s, once a boot of the
// host.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_ACCEL_H
#define AIRBUILD_VIRT_ACCEL_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>

enum accel_wanted { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };

struct accel_verdict {
    bool kvm;  // else TCG
    char *why; // one sentence without a full stop: "a kernel booted under KVM in 0.6 s", "there is
               // no /dev/kvm"
    double seconds; // that the proof took, now or when it was cached; 0 when none was needed
    bool cached;    // proven before, in this boot of the host
    bool unsure;    // no KVM, but QEMU had no time to run either: remembered for minutes only
};
void accel_verdict_free(struct accel_verdict *verdict);
#define ACCEL_VERDICT_AUTO __attribute__((cleanup(accel_verdict_free)))

// home: folder of accel.json, made when missing; when it cannot be written the proof is done all
// the same, each time. kernel: a kernel to boot (an image's own), NULL for the host's own
// (/boot/vmlinuz-*, /usr/lib/modules/*/vmlinuz); what one kernel proved in this boot holds for all.
// ACCEL_TCG asks nothing. ACCEL_AUTO always answers (but for ERR_INTERRUPTED). ACCEL_KVM without
// proof is ERR_MISSING (no /dev/kvm, no qemu, no kernel), ERR_ACCESS (/dev/kvm may not be opened)
// or ERR_FAILED (the kernel did not boot).
int accel_prove(const char *home, enum accel_wanted wanted, const char *kernel,
    struct accel_verdict *ret, struct error *err);

// Add the paths of this host's kernels, the newest of /boot first, then those beside their modules.
// They need not be readable.
void accel_kernels(struct strv *ret);

// Absolute path of the system emulator on this host, or NULL; caller frees.
char *accel_qemu(void);

#endif
