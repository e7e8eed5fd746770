// owner.c - whose a domain or network is: of the cluster that a connection acts for, or not. By the
// id in our mark; by name and place only where the version before left no id.
// SPDX-License-Identifier: Apache-2.0
#include "virt/internal.h"

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

static bool
is_below(const char *path, const char *folder)
{
    return path != NULL && folder != NULL && str_starts(path, folder) &&
           path[strlen(folder)] == '/';
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
    return disk != NULL ? is_below(disk, virt->folder) : virt->old;
}
