// memory.h - the memory of several domains, saved to files and restored from them side by side.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_MEMORY_H
#define AIRBUILD_VIRT_MEMORY_H

#include "base/error.h"
#include "virt/virt.h"
#include "virt/xml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct virt_memory {
    const char *name;                 // of the domain
    const char *path;                 // absolute
    const struct virt_domain *domain; // restore: as it is to be, with the UUID it had
};

// Saves the memory of domains into their files, which stops them. libvirt seeks in the file, so it
// is a regular one; one that exists keeps its inode, but not its owner. Tries all, and returns the
// first error; a domain whose save failed runs on, or is paused, as before.
int virt_memory_save(struct virt *virt, const char *cluster, const struct virt_memory *items,
    size_t count, int64_t timeout_ms, struct error *err);

// Starts domains that are off, paused, from the memory in their files, each of which may be a FIFO
// that is already open for writing. Tries all, and returns the first error.
int virt_memory_restore(struct virt *virt, const char *cluster, const struct virt_memory *items,
    size_t count, int64_t timeout_ms, struct error *err);

// Returns whether the file at path has the whole memory of a domain, as libvirt reads it.
bool virt_memory_is_whole(struct virt *virt, const char *path);

#endif
