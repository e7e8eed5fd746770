// memory.c - see memory.h.
// SPDX-License-Identifier: Apache-2.0
#include "virt/memory.h"

#include "base/str.h"
#include "virt/domain_handle.h"
#include "virt/virt_error.h"

#include <stdlib.h>

// The test driver knows neither the flag nor other XML.

static int
run_save(struct call *call)
{
    if (virDomainSaveFlags(call->domain, call->path, NULL, VIR_DOMAIN_SAVE_PAUSED) == 0)
        return 0;
    return virt_error_is_unknown_flag() ? virDomainSave(call->domain, call->path) : -1;
}

static int
run_restore(struct call *call)
{
    if (virDomainRestoreFlags(call->conn, call->path, call->text, VIR_DOMAIN_SAVE_PAUSED) == 0)
        return 0;
    return virt_error_is_unknown_flag() && virDomainRestore(call->conn, call->path) == 0
               ? virDomainSuspend(call->domain)
               : -1;
}

int
virt_memory_save(struct virt *virt, const char *cluster, const struct virt_memory *items,
    size_t count, int64_t timeout_ms, struct error *err)
{
    FREE_AUTO struct call **calls = mem_zero(count, sizeof(struct call *));
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        CALL_AUTO struct call *found = NULL;
        result = domain_find(virt, cluster, items[i].name, &found, err);
        if (result < 0)
            break;
        calls[i] = call_new(NULL, found->domain, NULL, "saving the memory of '%s'", items[i].name);
        calls[i]->path = str_dup(items[i].path);
    }
    result = call_start_all(calls, count, run_save, result, err);
    return call_finish_all(calls, count, timeout_ms, result, err);
}

int
virt_memory_restore(struct virt *virt, const char *cluster, const struct virt_memory *items,
    size_t count, int64_t timeout_ms, struct error *err)
{
    FREE_AUTO struct call **calls = mem_zero(count, sizeof(struct call *));
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        CALL_AUTO struct call *found = NULL;
        char uuid[VIR_UUID_STRING_BUFLEN];
        result = domain_find(virt, cluster, items[i].name, &found, err);
        if (result < 0)
            break;
        calls[i] = call_new(
            virt->conn, found->domain, NULL, "restoring the memory of '%s'", items[i].name);
        calls[i]->path = str_dup(items[i].path);
        struct virt_domain domain = *items[i].domain;
        if (domain.uuid == NULL && virDomainGetUUIDString(found->domain, uuid) == 0)
            domain.uuid = uuid;
        calls[i]->text = virt_domain_xml(&domain);
    }
    result = call_start_all(calls, count, run_restore, result, err);
    return call_finish_all(calls, count, timeout_ms, result, err);
}

static int
run_read_saved(struct call *call)
{
    call->text = virDomainSaveImageGetXMLDesc(call->conn, call->path, 0);
    return call->text != NULL ? 0 : -1;
}

bool
virt_memory_is_whole(struct virt *virt, const char *path)
{
    ERROR_AUTO struct error ignored = {0};
    CALL_AUTO struct call *call = call_new(virt->conn, NULL, NULL, "reading '%s'", path);
    call->path = str_dup(path);
    return call_run(&call, CALL_MS, run_read_saved, &ignored) == 0;
}
