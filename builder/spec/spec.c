// spec.c - frees a spec and looks things up in it.
// SPDX-License-Identifier: Apache-2.0
#include "spec/spec.h"

#include "base/cleanup.h"
#include "yaml/yaml.h"

#include <string.h>

void
spec_free(struct spec *spec)
{
    if (spec == NULL)
        return;
    for (size_t i = 0; i < spec->node_count; i++) {
        free(spec->nodes[i].name);
        free(spec->nodes[i].address);
        free(spec->nodes[i].mac);
    }
    free(spec->nodes);
    free(spec->origin);
    free(spec->cluster);
    for (size_t i = 0; i < SPEC_ROLES; i++)
        spec_base_clear(&spec->bases[i]);
    free(spec->network.name);
    free(spec->network.subnet);
    free(spec->network.host);
    free(spec->uri);
    free(spec->ssh_user);
    strv_free(&spec->ssh_keys);
    strv_free(&spec->given);
    free(spec->redis.master_name);
    free(spec);
}

const struct spec_node *
spec_find(const struct spec *spec, const char *name)
{
    for (size_t i = 0; i < spec->node_count; i++)
        if (strcmp(spec->nodes[i].name, name) == 0)
            return &spec->nodes[i];
    return NULL;
}

int
spec_find_or_error(
    const struct spec *spec, const char *name, const struct spec_node **ret, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    const struct spec_node *found = spec_find(spec, name);
    if (found != NULL) {
        *ret = found;
        return 0;
    }
    for (size_t i = 0; i < spec->node_count; i++)
        strv_add(&names, spec->nodes[i].name);
    FREE_AUTO char *quoted = yaml_quote(name), *list = strv_join(&names, ", ");
    const char *near = str_nearest(name, (const char *const *) names.items);
    if (near != NULL)
        return error_set(err, ERR_NOT_FOUND,
            "there is no node %s; did you mean '%s'? The nodes are %s", quoted, near, list);
    return error_set(err, ERR_NOT_FOUND, "there is no node %s; the nodes are %s", quoted, list);
}

static const struct spec_node *
first_of_role(const struct spec *spec, enum spec_role role)
{
    for (size_t i = 0; i < spec->node_count; i++)
        if (spec->nodes[i].role == role)
            return &spec->nodes[i];
    return NULL;
}

const struct spec_node *
spec_head(const struct spec *spec)
{
    return first_of_role(spec, SPEC_HAPROXY);
}

const struct spec_node *
spec_first_master(const struct spec *spec)
{
    return first_of_role(spec, SPEC_REDIS);
}

size_t
spec_worker_count(const struct spec *spec)
{
    size_t count = 0;
    for (size_t i = 0; i < spec->node_count; i++)
        count += spec->nodes[i].role == SPEC_REDIS;
    return count;
}
