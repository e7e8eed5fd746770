// connection.h - the inside of a connection, and the owners of the objects it finds. Inside virt/
// only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_CONNECTION_H
#define AIRBUILD_VIRT_CONNECTION_H

#include "base/error.h"
#include "virt/virt.h"

#include <libvirt/libvirt.h>
#include <stdbool.h>

struct virt {
    virConnectPtr conn;
    bool watched; // a watch is open
    bool acting;  // for a cluster (virt_act_for):
    char *cluster, *id, *folder;
    bool old;
};

struct mark { // of the owner, in an object's metadata; NULL: not given
    const char *cluster, *id, *folder;
};
// Returns whether an object with this mark belongs to the cluster that the connection acts for.
// disk: the first one of a domain, NULL when there is none.
bool owner_has(const struct virt *virt, const struct mark *mark, const char *disk);
// Sets ERR_CONFLICT: a 'kind' ("domain") of another owner is not changed. Always returns -1.
int owner_refuse(struct error *err, const char *kind, const char *name, const struct mark *mark,
    const char *cluster);

#endif
