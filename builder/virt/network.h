// network.h - the cluster's libvirt network: inspect, create, remove. One that does not belong to
// the cluster that the connection acts for (virt_act_for) is never changed: ERR_CONFLICT. Calls end
// as those of domain.h.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_NETWORK_H
#define AIRBUILD_VIRT_NETWORK_H

#include "base/cleanup.h"
#include "base/error.h"
#include "virt/virt.h"
#include "virt/xml.h"

#include <stdbool.h>
#include <stdlib.h>

struct virt_network_info {
    bool exists, active, ours;
    char *cluster, *id, *folder; // from the metadata; NULL when absent
    char *difference; // from the wanted one; NULL when there is none, it does not exist or is not
                      // ours
};
static inline void
virt_network_info_free(struct virt_network_info *info)
{
    free(info->cluster);
    free(info->id);
    free(info->folder);
    free(info->difference);
    *info = (struct virt_network_info){0};
}
#define VIRT_NETWORK_INFO_AUTO CLEANUP(virt_network_info_free)

// Changes nothing. A network that does not exist is not an error.
int virt_network_look(struct virt *virt, const struct virt_network *wanted,
    struct virt_network_info *ret, struct error *err);

// Creates it, starts it, makes it start with libvirt. ERR_CONFLICT when the one of that name is not
// ours, or differs (the message has how).
int virt_network_ensure(struct virt *virt, const struct virt_network *wanted, struct error *err);

// Stops and removes it. Does nothing when it does not exist.
int virt_network_remove(
    struct virt *virt, const char *cluster, const char *name, struct error *err);

#endif
