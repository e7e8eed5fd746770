// stop.c - see launch.h and cluster.h. Touches only what carries the cluster's id in libvirt.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/launch.h"

#include "base/cleanup.h"
#include "cluster/state.h"
#include "virt/domain.h"
#include "virt/network.h"

// A guest under TCG takes tens of seconds to stop its services; one under KVM is off long before.
#define STOP_MS 180000

static void
report_stopped(void *context, const char *name)
{
    progress_done(context, name, "off");
}

int
cluster_stop(
    const struct spec *spec, const struct strv *names, struct progress *progress, struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    STRV_AUTO struct strv all = {0}, left = {0};
    const struct spec_node *node;
    for (size_t i = 0; names != NULL && i < names->count; i++)
        if (spec_find_or_error(spec, names->items[i], &node, err) < 0)
            return -1;
    if (session_open_launched(spec, true, &session, err) < 0)
        return -1;
    for (size_t i = 0; i < spec->node_count; i++)
        strv_add(&all, spec->nodes[i].name);
    if (names == NULL || names->count == 0)
        names = &all;
    for (size_t i = 0; i < names->count; i++)
        progress_step(progress, names->items[i], "shutting down");
    if (virt_domain_shutdown(
            session.virt, spec->cluster, names, STOP_MS, report_stopped, progress, &left, err) < 0)
        return -1;
    for (size_t i = 0; i < left.count; i++) {
        progress_note(progress, "'%s' did not power off within %d s; its power was pulled",
            left.items[i], STOP_MS / 1000);
        if (virt_domain_pull(session.virt, spec->cluster, left.items[i], err) < 0)
            return -1;
        progress_done(progress, left.items[i], "power pulled");
    }
    return 0;
}

int
remove_domains(struct session *session, struct progress *progress, struct error *err)
{
    const char *cluster = session->spec->cluster;
    VIRT_DOMAIN_LIST_AUTO struct virt_domain_list list = {0};
    virt_settle();
    if (virt_domain_list(session->virt, cluster, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        if (virt_domain_removable(session->virt, cluster, list.items[i].name, err) < 0)
            return -1;
    FREE_AUTO const char **names = mem_zero(list.count, sizeof *names);
    for (size_t i = 0; i < list.count; i++) {
        names[i] = list.items[i].name;
        progress_step(progress, names[i], "removing");
    }
    virt_domain_pull_all(session->virt, cluster, names, list.count);
    for (size_t i = 0; i < list.count; i++) {
        const char *name = names[i];
        if (session->id == NULL && list.items[i].id != NULL)
            session->id = str_dup(list.items[i].id); // the record is lost
        if (virt_domain_pull(session->virt, cluster, name, err) < 0 ||
            virt_domain_undefine(session->virt, cluster, name, err) < 0)
            return -1;
        progress_done(progress, name, "removed");
    }
    return 0;
}

int
destroy_in_session(struct session *session, struct progress *progress, struct error *err)
{
    const char *cluster = session->spec->cluster;
    bool bridged = session->spec->network.mode == SPEC_NETWORK_BRIDGE;
    const char *network = session->record != NULL ? session->record->network
                          : bridged               ? NULL
                                                  : session->spec->network.name;
    if (remove_domains(session, progress, err) < 0)
        return -1;
    if (network != NULL && virt_network_remove(session->virt, cluster, network, err) < 0) {
        if (err->code != ERR_CONFLICT) // another network of that name stays
            return -1;
        error_clear(err);
    }
    return state_remove(session->spec, session->id, err);
}

int
cluster_destroy(
    const struct spec *spec, struct progress *progress, bool *ret_found, struct error *err)
{
    SESSION_AUTO struct session session = {
        .spec = spec, .folder = cluster_folder(spec), .lock = -1};
    *ret_found = state_has_any(spec);
    if (!*ret_found)
        return 0;
    // Only the lock and libvirt are needed: a damaged record must not prevent removal.
    if (state_lock(spec, &session.lock, err) < 0 ||
        state_load(spec, &session.record, NULL, err) < 0)
        return -1;
    if (session.record != NULL)
        session.id = str_dup(session.record->id);
    if (session_connect(&session, err) < 0)
        return -1;
    return destroy_in_session(&session, progress, err);
}
