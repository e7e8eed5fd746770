// domain.c - find domains and list them: their owner, their state.
// SPDX-License-Identifier: Apache-2.0
#include "virt/domain_handle.h"

#include "virt/reader.h"
#include "virt/virt_error.h"

#include <stdlib.h>
#include <string.h>

// ---- find ----------------------------------------------------------------------------------------

#define MARK "/domain/metadata/*[local-name()='node' and namespace-uri()='" VIRT_NAMESPACE "']"

static int
run_state(struct call *call)
{
    int state, reason;
    if (virDomainGetState(call->domain, &state, &reason, 0) < 0)
        return -1;
    // A domain that was restored paused is left with this reason, and no job.
    virDomainJobInfo job = {0};
    if (state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION &&
        virDomainGetJobInfo(call->domain, &job) == 0 && job.type == VIR_DOMAIN_JOB_NONE)
        reason = VIR_DOMAIN_PAUSED_USER;
    call->info = state_of(state, reason);
    return 0;
}

static int
run_describe(struct call *call)
{
    READER_AUTO xmlXPathContextPtr reader = NULL;
    struct virt_domain_info *info = &call->info;
    if (call->domain == NULL)
        call->domain = virDomainLookupByName(call->conn, call->name);
    if (call->domain == NULL)
        return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? 0 : -1;
    if (run_state(call) < 0)
        return -1;
    call->text = virDomainGetXMLDesc(call->domain, VIR_DOMAIN_XML_INACTIVE);
    if (call->text == NULL)
        return -1;
    info->saved = virDomainHasManagedSaveImage(call->domain, 0) == 1;
    if (reader_new(call->text, &reader, &call->err) < 0)
        return -1;
    info->cluster = reader_get(reader, MARK "/@cluster");
    info->id = reader_get(reader, MARK "/@id");
    info->folder = reader_get(reader, MARK "/@folder");
    info->disk = reader_get(reader, "(/domain/devices/disk)[1]/source/@file");
    return 0;
}

// Reads the definition (into text), info and owner of a domain, or of the one of that name when
// domain is NULL. (*ret)->domain is NULL when there is none.
static int
describe_domain(
    struct virt *virt, virDomainPtr domain, const char *name, struct call **ret, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(virt->conn, domain, NULL, "inspecting the domain '%s'", name);
    call->name = str_dup(name);
    call->info.reason = "";
    if (call_run(&call, CALL_MS, run_describe, err) < 0)
        return -1;
    struct virt_domain_info *info = &call->info;
    const struct mark mark = {info->cluster, info->id, info->folder};
    info->name = TAKE(call->name);
    info->ours = owner_has(virt, &mark, info->disk);
    *ret = TAKE(call);
    return 0;
}

int
domain_seek(
    struct virt *virt, const char *cluster, const char *name, struct call **ret, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (describe_domain(virt, NULL, name, &found, err) < 0)
        return -1;
    const struct virt_domain_info *info = &found->info;
    const struct mark mark = {info->cluster, info->id, info->folder};
    if (found->domain != NULL &&
        (!info->ours || (cluster != NULL && !str_equal(info->cluster, cluster))))
        return owner_refuse(err, "domain", name, &mark, cluster);
    *ret = TAKE(found);
    return 0;
}

int
domain_find(
    struct virt *virt, const char *cluster, const char *name, struct call **ret, struct error *err)
{
    if (domain_seek(virt, cluster, name, ret, err) < 0)
        return -1;
    if ((*ret)->domain == NULL)
        return error_set(err, ERR_NOT_FOUND,
            "there is no domain '%s': 'airbuild launch' creates what is missing", name);
    return 0;
}

int
domain_is_up(virDomainPtr domain, bool *ret, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, domain, NULL, "reading the state of '%s'", virDomainGetName(domain));
    if (call_run(&call, CALL_MS, run_state, err) < 0)
        return -1;
    *ret = state_is_up(call->info.state);
    return 0;
}

static int
run_on_domain(struct call *call)
{
    return call->on_domain(call->domain, call->flags);
}

int
domain_call(virDomainPtr domain, const char *doing, int64_t timeout_ms,
    int (*function)(virDomainPtr domain, unsigned flags), unsigned flags, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, domain, NULL, "%s the domain '%s'", doing, virDomainGetName(domain));
    call->on_domain = function;
    call->flags = flags;
    return call_run(&call, timeout_ms, run_on_domain, err);
}

// ---- look ----------------------------------------------------------------------------------------

int
virt_domain_look(
    struct virt *virt, const char *name, struct virt_domain_info *ret, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (describe_domain(virt, NULL, name, &found, err) < 0)
        return -1;
    *ret = found->info;
    found->info = (struct virt_domain_info){0};
    return 0;
}

int
virt_domain_uuid(
    struct virt *virt, const char *cluster, const char *name, char **ret, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    char uuid[VIR_UUID_STRING_BUFLEN];
    if (domain_find(virt, cluster, name, &found, err) < 0)
        return -1;
    if (virDomainGetUUIDString(found->domain, uuid) < 0)
        return virt_error_set(err, "cannot read the UUID of the domain '%s'", name);
    *ret = str_dup(uuid);
    return 0;
}

// ---- list ----------------------------------------------------------------------------------------

static int
compare_names(const void *a, const void *b)
{
    const struct virt_domain_info *one = a, *other = b;
    return strcmp(one->name, other->name);
}

static int
run_list_domains(struct call *call)
{
    call->count = virConnectListAllDomains(call->conn, &call->domains, 0);
    return call->count < 0 ? -1 : 0;
}

int
virt_domain_list(
    struct virt *virt, const char *cluster, struct virt_domain_list *ret, struct error *err)
{
    CALL_AUTO struct call *call = call_new(virt->conn, NULL, NULL, "listing the domains");
    if (call_run(&call, CALL_MS, run_list_domains, err) < 0)
        return -1;
    VIRT_DOMAIN_LIST_AUTO struct virt_domain_list list = {0};
    list.items = mem_zero((size_t) call->count + 1, sizeof(*list.items));
    for (int i = 0; i < call->count; i++) {
        CALL_AUTO struct call *found = NULL;
        virDomainPtr domain = call->domains[i];
        if (describe_domain(virt, domain, virDomainGetName(domain), &found, err) < 0) {
            if (err->code != ERR_NOT_FOUND)
                return -1;
            error_clear(err); // it has vanished since
            continue;
        }
        struct virt_domain_info *info = &found->info;
        if (cluster == NULL ? info->cluster == NULL
                            : !info->ours || !str_equal(info->cluster, cluster))
            continue;
        list.items[list.count++] = *info;
        *info = (struct virt_domain_info){0};
    }
    qsort(list.items, list.count, sizeof(*list.items), compare_names);
    *ret = list;
    list = (struct virt_domain_list){0};
    return 0;
}

void
virt_domain_list_free(struct virt_domain_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        virt_domain_info_free(&list->items[i]);
    free(list->items);
    *list = (struct virt_domain_list){0};
}
