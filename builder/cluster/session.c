// session.c - see session.h.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/session.h"

#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/interrupt.h"
#include "cluster/cluster.h"
#include "cluster/state.h"
#include "virt/domain.h"

#include <stdlib.h>
#include <string.h>

int
session_open(const struct spec *spec, bool locked, struct session *ret, struct error *err)
{
    SESSION_AUTO struct session session = {
        .spec = spec, .folder = cluster_folder(spec), .lock = -1};
    if ((locked && state_lock(spec, &session.lock, err) < 0) ||
        state_load(spec, &session.record, &session.secrets, err) < 0)
        return -1;
    bool known = session.record != NULL && session.record->id != NULL;
    session.id = known ? str_dup(session.record->id) : random_hex(RECORD_ID_LENGTH);
    FREE_AUTO char *canonical = spec_canonical(spec);
    digest_bytes(canonical, strlen(canonical), session.digest);
    *ret = session;
    session = (struct session){.lock = -1};
    return 0;
}

int
session_open_launched(const struct spec *spec, bool locked, struct session *ret, struct error *err)
{
    bool exists = !locked || cluster_exists(spec); // else no lock file is left behind
    if (exists && session_open(spec, locked, ret, err) < 0)
        return -1;
    if (exists && ret->record != NULL)
        return session_connect(ret, err);
    return error_set(
        err, ERR_NOT_FOUND, "cluster '%s' was not launched; run 'airbuild launch'", spec->cluster);
}

int
session_connect(struct session *session, struct error *err)
{
    const struct record *record = session->record;
    FREE_AUTO char *uri = record != NULL ? record_value(record->spec, "uri") : NULL;
    if (virt_open(uri != NULL ? uri : session->spec->uri, &session->virt, err) < 0)
        return -1;
    const struct virt_owner owner = {
        .cluster = session->spec->cluster,
        .id = session->id,
        .folder = session->folder,
        .old = session->id == NULL || (record != NULL && record->old),
    };
    virt_act_for(session->virt, &owner);
    return 0;
}

int
cluster_connect(const struct spec *spec, struct virt **ret, struct error *err)
{
    SESSION_AUTO struct session session = {.lock = -1};
    if (session_open(spec, false, &session, err) < 0 || session_connect(&session, err) < 0)
        return -1;
    *ret = TAKE(session.virt);
    return 0;
}

void
session_yield(struct session *session, size_t node, bool yields)
{
    if (session->yields == NULL)
        session->yields = mem_zero(session->spec->node_count, sizeof *session->yields);
    if (session->yields[node] == yields)
        return;
    session->yields[node] = yields;
    interrupt_hold(); // after Ctrl-C, too, no node may be left yielding
    virt_domain_yield(
        session->virt, session->spec->cluster, session->spec->nodes[node].name, yields);
    interrupt_release();
}

void
session_close(struct session *session)
{
    for (size_t i = 0; session->yields != NULL && i < session->spec->node_count; i++)
        session_yield(session, i, false);
    free(session->yields);
    virt_close(session->virt);
    secrets_free(session->secrets);
    record_freep(&session->record);
    free(session->id);
    free(session->folder);
    if (session->lock >= 0)
        close(session->lock);
    *session = (struct session){.lock = -1};
}

struct probe_access
session_access(const struct session *session)
{
    bool auth = session->spec->redis.auth && session->secrets != NULL;
    return (struct probe_access){
        .user = secrets_accounts[SECRETS_STATUS],
        .password = auth ? session->secrets->passwords[SECRETS_STATUS] : NULL,
        .master_name = session->spec->redis.master_name,
    };
}
