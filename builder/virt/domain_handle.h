// domain_handle.h - domains as libvirt's handles: find one, read its XML and state, call a function
// on it. Inside virt/ only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_DOMAIN_HANDLE_H
#define AIRBUILD_VIRT_DOMAIN_HANDLE_H

#include "base/error.h"
#include "virt/call.h"
#include "virt/connection.h"
#include "virt/domain.h"

// Finds the domain of that name that belongs to the cluster (NULL: to the connection's), with info
// and its definition in text; else ERR_NOT_FOUND, ERR_CONFLICT.
int domain_find(
    struct virt *virt, const char *cluster, const char *name, struct call **ret, struct error *err);
// The same, but (*ret)->domain is NULL when there is no such domain.
int domain_seek(
    struct virt *virt, const char *cluster, const char *name, struct call **ret, struct error *err);

static inline bool
state_is_up(enum virt_state state)
{
    return state == VIRT_RUNNING || state == VIRT_PAUSED;
}
// Translates libvirt's state and reason; sets nothing else. Pure; in state.c.
struct virt_domain_info state_of(int state, int reason);
// Asks libvirt for its state now.
int domain_is_up(virDomainPtr domain, bool *ret, struct error *err);

// Calls function(domain, flags); doing, for messages: "starting".
int domain_call(virDomainPtr domain, const char *doing, int64_t timeout_ms,
    int (*function)(virDomainPtr domain, unsigned flags), unsigned flags, struct error *err);

#endif
