// owner.c - whether a domain or network belongs to the cluster that a connection acts for: by the
// id in its mark; by name and folder only where the version before wrote no id.
// SPDX-License-Identifier: Apache-2.0
#include "virt/connection.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

void
virt_act_for(struct virt *virt, const struct virt_owner *owner)
{
    free(virt->cluster);
    free(virt->id);
    free(virt->folder);
    virt->acting = owner != NULL;
    virt->old = owner != NULL && owner->old;
    virt->cluster = owner != NULL ? str_dup(owner->cluster) : NULL;
    virt->id = owner != NULL ? str_dup(owner->id) : NULL;
    virt->folder = owner != NULL ? str_dup(owner->folder) : NULL;
}

bool
owner_has(const struct virt *virt, const struct mark *mark, const char *disk)
{
    if (mark->cluster == NULL)
        return false;
    if (!virt->acting)
        return mark->id == NULL;
    if (!str_equal(mark->cluster, virt->cluster))
        return false;
    if (mark->id != NULL && virt->id != NULL)
        return str_equal(mark->id, virt->id);
    if (mark->id != NULL)
        return mark->folder != NULL && str_equal(mark->folder, virt->folder);
    if (disk == NULL)
        return virt->old;
    return virt->folder != NULL && str_starts(disk, virt->folder) &&
           disk[strlen(virt->folder)] == '/';
}

int
owner_refuse(struct error *err, const char *kind, const char *name, const struct mark *mark,
    const char *cluster)
{
    if (mark->cluster == NULL)
        return error_set(err, ERR_CONFLICT,
            "the %s '%s' was not made by airbuild and is not touched: rename it, or choose another "
            "name in cluster.yaml",
            kind, name);
    FREE_AUTO char *owner = mark->folder != NULL
                                ? str_format("'%s' of the folder '%s'", mark->cluster, mark->folder)
                                : str_format("'%s'", mark->cluster);
    if (cluster == NULL || str_equal(mark->cluster, cluster))
        return error_set(err, ERR_CONFLICT,
            "the %s '%s' belongs to another cluster %s and is not touched: destroy that cluster "
            "where it was launched, or choose another name in cluster.yaml",
            kind, name, owner);
    return error_set(err, ERR_CONFLICT,
        "the %s '%s' belongs to the cluster %s, not to '%s', and is not touched: destroy that "
        "cluster, or choose another name in cluster.yaml",
        kind, name, owner, cluster);
}
