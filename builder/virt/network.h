// network.h - the cluster's libvirt network: look, make, remove. One that does not belong to the
// cluster that the connection acts for (virt_act_for) is never touched: ERR_CONFLICT.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_NETWORK_H
#define AIRBUILD_VIRT_NETWORK_H

#include "base/error.h"
#include "virt/virt.h"
#include "virt/xml.h"

#include <stdbool.h>

struct virt_network_info {
    bool exists, active, ours;
    char *cluster, *id, *folder; // of the metadata; NULL when absent
    char *difference; // how it differs from the wanted one; NULL when it does not (or does not
                      // exist, or is not ours)
};
void virt_network_info_free(struct virt_network_info *info);
#define VIRT_NETWORK_INFO_AUTO __attribute__((cleanup(virt_network_info_free)))

// Changes nothing. A network that does not exist is no error.
int virt_network_look(struct virt *virt, const struct virt_network *wanted,
    struct virt_network_info *ret, struct error *err);

// Make it, start it, let it start with libvirt. *ret_changed (may be NULL): something was done.
// ERR_CONFLICT when one of that name is not ours, or is ours and differs (the message says how).
int virt_network_ensure(
    struct virt *virt, const struct virt_network *wanted, bool *ret_changed, struct error *err);

// Stop and remove. One that does not exist is fine.
int virt_network_remove(
    struct virt *virt, const char *cluster, const char *name, struct error *err);

#endif
