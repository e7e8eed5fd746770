// power.c - a domain's buttons and cables: start, shut down, pull, suspend, reset, remove.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "virt/internal.h"

#include <libvirt/virterror.h>

#define START_MS 60000 // qemu comes up in a second; a busy host takes its time

// A domain of ours and its state, for calls that have nothing to do when it is not there.
static int
seek_state(struct virt *virt, const char *cluster, const char *name, virDomainPtr *ret,
    enum virt_state *ret_state, struct error *err)
{
    *ret_state = VIRT_ABSENT;
    if (domain_seek(virt, cluster, name, ret, err) < 0)
        return -1;
    return *ret != NULL ? domain_state(*ret, ret_state, NULL, err) : 0;
}

static bool
is_up(enum virt_state state)
{
    return state == VIRT_RUNNING || state == VIRT_PAUSED;
}

// Call a function of libvirt on a domain; doing: "starting".
static int
call_on(virDomainPtr domain, const char *doing, int64_t timeout_ms,
    int (*function)(virDomainPtr domain, unsigned flags), unsigned flags, struct error *err)
{
    FREE_AUTO char *what = str_format("%s the domain '%s'", doing, virDomainGetName(domain));
    return call_domain(domain, what, timeout_ms, function, flags, err);
}

// The same for a domain of ours that must be there.
static int
act(struct virt *virt, const char *cluster, const char *name, const char *doing, int64_t timeout_ms,
    int (*function)(virDomainPtr domain, unsigned flags), unsigned flags, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    if (domain_find(virt, cluster, name, &domain, err) < 0)
        return -1;
    return call_on(domain, doing, timeout_ms, function, flags, err);
}

static int
suspend_flags(virDomainPtr domain, unsigned flags)
{
    (void) flags;
    return virDomainSuspend(domain);
}

static int
resume_flags(virDomainPtr domain, unsigned flags)
{
    (void) flags;
    return virDomainResume(domain);
}

// The three that follow: drivers that do not know a flag (the test driver) refuse it, and are asked
// in the plain way.
static bool
flag_unknown(void)
{
    return virGetLastErrorCode() == VIR_ERR_INVALID_ARG;
}

static int
press_flags(virDomainPtr domain, unsigned flags)
{
    if (virDomainShutdownFlags(domain, flags) == 0)
        return 0;
    return flag_unknown() ? virDomainShutdown(domain) : -1;
}

static int
create_paused(virDomainPtr domain, unsigned flags)
{
    if (virDomainCreateWithFlags(domain, flags) == 0)
        return 0;
    return flag_unknown() && virDomainCreate(domain) == 0 ? virDomainSuspend(domain) : -1;
}

static int
undefine_flags(virDomainPtr domain, unsigned flags)
{
    if (virDomainUndefineFlags(domain, flags | VIR_DOMAIN_UNDEFINE_NVRAM) == 0)
        return 0;
    return flag_unknown() ? virDomainUndefineFlags(domain, flags) : -1;
}

int
virt_domain_start(
    struct virt *virt, const char *cluster, const char *name, bool paused, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    enum virt_state state;
    if (domain_find(virt, cluster, name, &domain, err) < 0 ||
        domain_state(domain, &state, NULL, err) < 0)
        return -1;
    if (is_up(state))
        return 0;
    if (paused)
        return call_on(domain, "starting", START_MS, create_paused, VIR_DOMAIN_START_PAUSED, err);
    return call_on(domain, "starting", START_MS, virDomainCreateWithFlags, 0, err);
}

int
power_press(virDomainPtr domain, bool agent, struct error *err)
{
    return call_on(domain, "shutting down", CALL_MS, press_flags,
        agent ? VIR_DOMAIN_SHUTDOWN_GUEST_AGENT : VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, err);
}

int
virt_domain_press_power(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    if (domain_find(virt, cluster, name, &domain, err) < 0)
        return -1;
    return power_press(domain, false, err);
}

// Whether a call failed only because the domain went off by itself just before it.
static bool
gone_meanwhile(virDomainPtr domain, struct error *err)
{
    ERROR_AUTO struct error ignored = {0};
    enum virt_state state;
    if (err->code != ERR_LIBVIRT || domain_state(domain, &state, NULL, &ignored) < 0 ||
        is_up(state))
        return false;
    error_clear(err);
    return true;
}

int
virt_domain_pull(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    enum virt_state state;
    if (seek_state(virt, cluster, name, &domain, &state, err) < 0)
        return -1;
    if (!is_up(state) || call_on(domain, "stopping", CALL_MS, virDomainDestroyFlags, 0, err) == 0)
        return 0;
    return gone_meanwhile(domain, err) ? 0 : -1;
}

int
virt_domain_undefine(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    enum virt_state state;
    if (seek_state(virt, cluster, name, &domain, &state, err) < 0)
        return -1;
    if (state == VIRT_ABSENT)
        return 0;
    if (is_up(state))
        return error_set(err, ERR_FAILED,
            "the domain '%s' still runs and is not removed: stop it first ('airbuild stop')", name);
    return call_on(domain, "removing", CALL_MS, undefine_flags,
        VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA, err);
}

int
virt_domain_suspend(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    return act(virt, cluster, name, "pausing", CALL_MS, suspend_flags, 0, err);
}

int
virt_domain_resume(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    return act(virt, cluster, name, "resuming", CALL_MS, resume_flags, 0, err);
}

int
virt_domain_reset(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    return act(virt, cluster, name, "resetting", CALL_MS, virDomainReset, 0, err);
}

int
virt_domain_save(
    struct virt *virt, const char *cluster, const char *name, int64_t timeout_ms, struct error *err)
{
    return act(virt, cluster, name, "saving", timeout_ms, virDomainManagedSave, 0, err);
}

int
virt_domain_drop_saved(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    return act(virt, cluster, name, "dropping the saved memory of", CALL_MS,
        virDomainManagedSaveRemove, 0, err);
}
