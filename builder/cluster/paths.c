// paths.c - where airbuild keeps the state of clusters on this host.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/cluster.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
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

// ---- folders that the environment names ---------------------------------------------------------

// libguestfs rejects colons, ssh_config(5) cannot quote the next three, and XML and JSON hold
// neither control characters nor invalid UTF-8.
static bool
is_usable(const char *path)
{
    struct text_iter iter = {.next = path, .left = strlen(path)};
    while (text_next(&iter))
        if ((iter.kind & (TEXT_PRINTABLE | TEXT_INVISIBLE)) == 0 || strchr(":\"\\$", *iter.at))
            return false;
    return true;
}

static int
check_folder_variable(const char *variable, const char *given, struct error *err)
{
    char here[PATH_MAX];
    if (given[0] != '/' && getcwd(here, sizeof here) == NULL)
        return error_errno(
            err, errno, "%s='%s' is relative, and the current folder is gone", variable, given);
    FREE_AUTO char *path = given[0] == '/' ? str_dup(given) : path_join(here, given);
    FREE_AUTO char *part = str_dup(path), *real = realpath(path, NULL); // of the part that exists
    for (char *slash; real == NULL && (slash = strrchr(part, '/')) > part;) {
        *slash = '\0';
        real = realpath(part, NULL);
    }
    if (!is_usable(path) || (real != NULL && !is_usable(real))) {
        FREE_AUTO char *text = text_clean(TEXT_ROW, is_usable(path) ? real : path);
        return error_set(err, ERR_USAGE,
            "the folder '%s' cannot be used: libguestfs, ssh or libvirt misread its name; set %s "
            "to one without colons, quotes, backslashes, dollar signs and control characters",
            text, variable);
    }
    return given[0] == '/' || setenv(variable, path, 1) == 0
               ? 0
               : error_errno(err, errno, "cannot set %s", variable);
}

int
cluster_check_folders(struct error *err)
{
    FREE_AUTO char *home = cluster_home();
    const char *state = getenv("AIRBUILD_STATE");
    if (check_folder_variable("AIRBUILD_HOME", home, err) < 0)
        return -1;
    return state != NULL && state[0] != '\0' ? check_folder_variable("AIRBUILD_STATE", state, err)
                                             : 0;
}
