// paths.c - where a cluster's state lives on this host.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/cluster.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cluster/paths.h"
#include "cluster/record.h"

#include <stdlib.h>
#include <unistd.h>

char *
cluster_home(void)
{
    const char *home = getenv("AIRBUILD_HOME");
    if (home != NULL && home[0] != '\0')
        return str_dup(home);
    if (geteuid() == 0)
        return str_dup("/var/lib/airbuild");
    const char *data = getenv("XDG_DATA_HOME");
    if (data != NULL && data[0] == '/')
        return path_join(data, "airbuild");
    const char *user = getenv("HOME");
    return path_join(user != NULL ? user : "/", ".local/share/airbuild");
}

char *
cluster_parent(void)
{
    const char *state = getenv("AIRBUILD_STATE");
    if (state != NULL && state[0] != '\0')
        return str_dup(state);
    FREE_AUTO char *home = cluster_home();
    return path_join(home, "clusters");
}

char *
cluster_folder(const struct spec *spec)
{
    FREE_AUTO char *parent = cluster_parent();
    return path_join(parent, spec->cluster);
}

char *
cluster_node_path(const struct spec *spec, const char *node, const char *file)
{
    FREE_AUTO char *folder = cluster_folder(spec);
    return str_format("%s/nodes/%s/%s", folder, node, file);
}

void
cluster_recall(struct spec *spec)
{
    FREE_AUTO char *folder = cluster_folder(spec);
    RECORD_AUTO struct record *record = NULL;
    ERROR_AUTO struct error unread = {0}; // whoever needs the record says what is wrong with it
    if (record_load(folder, &record, &unread) == 0)
        spec_recall(spec, record->spec);
}

bool
cluster_exists(const struct spec *spec)
{
    FREE_AUTO char *folder = cluster_folder(spec);
    FREE_AUTO char *record = path_join(folder, RECORD_FILE);
    return file_exists(record);
}
