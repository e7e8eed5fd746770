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
run_state(struct call *call, struct error *err)
{
    int state, reason;
    if (virDomainGetState(call->domain, &state, &reason, 0) < 0)
        return call_failed(call, err);
    call->condition = state_of(state, reason);
    return 0;
}

static int
run_describe(struct call *call, struct error *err)
{
    if (run_state(call, err) < 0)
        return -1;
    call->text = virDomainGetXMLDesc(call->domain, call->flags);
    if (call->text == NULL)
        return call_failed(call, err);
    call->saved = virDomainHasManagedSaveImage(call->domain, 0) == 1;
    return 0;
}

int
domain_describe(virDomainPtr domain, unsigned xml_flags, struct call **ret, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, domain, NULL, "inspecting the domain '%s'", virDomainGetName(domain));
    call->flags = xml_flags;
    if (call_run(&call, CALL_MS, run_describe, err) < 0)
        return -1;
    *ret = TAKE(call);
    return 0;
}

static int
run_find(struct call *call, struct error *err)
{
    call->domain = virDomainLookupByName(call->conn, call->name);
    if (call->domain != NULL)
        return run_describe(call, err);
    return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? 0 : call_failed(call, err);
}

// Fills in info, which starts as {0}, from a description.
static int
fill_info(const struct virt *virt, const struct call *found, struct virt_domain_info *info,
    struct error *err)
{
    READER_AUTO struct reader *reader = NULL;
    if (reader_new(found->text, &reader, err) < 0)
        return -1;
    info->name = str_dup(virDomainGetName(found->domain));
    info->state = found->condition.state;
    info->reason = found->condition.reason;
    info->held = found->condition.held;
    info->saved = found->saved;
    info->cluster = reader_get(reader, MARK "/@cluster");
    info->id = reader_get(reader, MARK "/@id");
    info->folder = reader_get(reader, MARK "/@folder");
    info->role = reader_get(reader, MARK "/@role");
    info->spec = reader_get(reader, MARK "/@spec");
    info->image = reader_get(reader, MARK "/@image");
    info->disk = reader_get(reader, "(/domain/devices/disk)[1]/source/@file");
    const struct mark mark = {info->cluster, info->id, info->folder};
    info->ours = owner_has(virt, &mark, info->disk);
    return 0;
}

// Describes the domain of that name and fills in info, which starts as {0}. When there is none,
// (*ret)->domain is NULL and info stays as it is.
static int
describe_by_name(struct virt *virt, const char *name, struct call **ret,
    struct virt_domain_info *info, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(virt->conn, NULL, NULL, "inspecting the domain '%s'", name);
    call->name = str_dup(name);
    call->flags = VIR_DOMAIN_XML_INACTIVE;
    if (call_run(&call, CALL_MS, run_find, err) < 0 ||
        (call->domain != NULL && fill_info(virt, call, info, err) < 0))
        return -1;
    *ret = TAKE(call);
    return 0;
}

int
domain_seek(
    struct virt *virt, const char *cluster, const char *name, struct call **ret, struct error *err)
{
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    CALL_AUTO struct call *found = NULL;
    if (describe_by_name(virt, name, &found, &info, err) < 0)
        return -1;
    const struct mark mark = {info.cluster, info.id, info.folder};
    if (found->domain != NULL &&
        (!info.ours || (cluster != NULL && !str_equal(info.cluster, cluster))))
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
domain_condition(virDomainPtr domain, struct condition *ret, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, domain, NULL, "reading the state of '%s'", virDomainGetName(domain));
    if (call_run(&call, CALL_MS, run_state, err) < 0)
        return -1;
    *ret = call->condition;
    return 0;
}

static int
run_on_domain(struct call *call, struct error *err)
{
    return call->on_domain(call->domain, call->flags) < 0 ? call_failed(call, err) : 0;
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
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
    CALL_AUTO struct call *found = NULL;
    if (describe_by_name(virt, name, &found, &info, err) < 0)
        return -1;
    if (found->domain == NULL) {
        info.name = str_dup(name);
        info.reason = "";
    }
    *ret = info;
    info = (struct virt_domain_info){0};
    return 0;
}

void
virt_domain_info_free(struct virt_domain_info *info)
{
    free(info->name);
    free(info->cluster);
    free(info->id);
    free(info->folder);
    free(info->disk);
    free(info->role);
    free(info->spec);
    free(info->image);
    *info = (struct virt_domain_info){0};
}

// ---- list ----------------------------------------------------------------------------------------

static int
compare_names(const void *a, const void *b)
{
    const struct virt_domain_info *one = a, *other = b;
    return strcmp(one->name, other->name);
}

static int
run_list_domains(struct call *call, struct error *err)
{
    call->count = virConnectListAllDomains(call->conn, &call->domains, 0);
    return call->count < 0 ? call_failed(call, err) : 0;
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
        VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {0};
        CALL_AUTO struct call *found = NULL;
        if (domain_describe(call->domains[i], VIR_DOMAIN_XML_INACTIVE, &found, err) < 0 ||
            fill_info(virt, found, &info, err) < 0) {
            if (err->code != ERR_NOT_FOUND)
                return -1;
            error_clear(err); // it has vanished since
            continue;
        }
        if (cluster == NULL ? info.cluster == NULL
                            : !info.ours || !str_equal(info.cluster, cluster))
            continue;
        list.items[list.count++] = info;
        info = (struct virt_domain_info){0};
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
