// power.c - a domain's buttons and cables: start, shut down, pull, suspend, reset, remove.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "virt/internal.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

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

static int
run_on_domain(struct call *call, struct error *err)
{
    return call->on_domain(call->domain, call->flags) < 0 ? fault_set(err, "%s", call->what) : 0;
}

// Call a function of libvirt on a domain; doing: "starting".
static int
call_on_domain(virDomainPtr domain, const char *doing, int64_t timeout_ms,
    int (*function)(virDomainPtr domain, unsigned flags), unsigned flags, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, domain, NULL, "%s the domain '%s'", doing, virDomainGetName(domain));
    call->on_domain = function;
    call->flags = flags;
    return call_run(&call, timeout_ms, run_on_domain, err);
}

// The same for a domain of ours that must be there.
static int
act(struct virt *virt, const char *cluster, const char *name, const char *doing, int64_t timeout_ms,
    int (*function)(virDomainPtr domain, unsigned flags), unsigned flags, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    if (domain_find(virt, cluster, name, &domain, err) < 0)
        return -1;
    return call_on_domain(domain, doing, timeout_ms, function, flags, err);
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

static int
check_held(virDomainPtr domain, const struct condition *condition, struct error *err)
{
    FREE_AUTO char *name = str_dup(virDomainGetName(domain));
    return virt_domain_held(
        &(struct virt_domain_info){
            .name = name, .reason = condition->reason, .held = condition->held},
        err);
}

int
power_resume(virDomainPtr domain, const struct condition *condition, struct error *err)
{
    if (check_held(domain, condition, err) < 0)
        return -1;
    if (condition->asleep)
        return call_on_domain(domain, "waking", CALL_MS, virDomainPMWakeup, 0, err);
    return call_on_domain(domain, "resuming", CALL_MS, resume_flags, 0, err);
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

// What libvirt knows of a domain beside its definition, and refuses to remove it for. Snapshots
// whose data are files of their own were refused before (check_snapshots); the others, and
// checkpoints, are in the disk, which stays as it is.
#define KNOWN_BESIDE (VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)

static int
undefine_flags(virDomainPtr domain, unsigned flags)
{
    if (virDomainUndefineFlags(domain,
            flags | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM) == 0)
        return 0;
    return flag_unknown() ? virDomainUndefineFlags(domain, flags) : -1;
}

// The name of one external snapshot, in call->text. A driver without snapshots has none.
static int
run_find_snapshot(struct call *call, struct error *err)
{
    virDomainSnapshotPtr *snapshots = NULL;
    int count =
        virDomainListAllSnapshots(call->domain, &snapshots, VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL);
    if (count < 0)
        return virGetLastErrorCode() == VIR_ERR_NO_SUPPORT ? 0 : fault_set(err, "%s", call->what);
    if (count > 0)
        call->text = str_dup(virDomainSnapshotGetName(snapshots[0]));
    for (int i = 0; i < count; i++)
        virDomainSnapshotFree(snapshots[i]);
    free(snapshots);
    return 0;
}

// An external snapshot's data are files that only libvirt's metadata tell of, and the node's disk
// goes on in one of them.
static int
check_snapshots(virDomainPtr domain, const char *name, struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, domain, NULL, "looking for snapshots of '%s'", name);
    if (call_run(&call, CALL_MS, run_find_snapshot, err) < 0)
        return -1;
    if (call->text == NULL)
        return 0;
    return error_set(err, ERR_CONFLICT,
        "the domain '%s' has the snapshot '%s', made with virsh, whose data are files of their "
        "own, and is not removed: delete it with 'virsh snapshot-delete %s %s' (with "
        "--metadata the files are only forgotten), then try again",
        name, call->text, name, call->text);
}

int
virt_domain_start(
    struct virt *virt, const char *cluster, const char *name, bool paused, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    struct condition condition;
    if (domain_find(virt, cluster, name, &domain, err) < 0 ||
        domain_condition(domain, &condition, err) < 0 || check_held(domain, &condition, err) < 0)
        return -1;
    if (state_is_up(condition.state))
        return 0;
    if (paused)
        return call_on_domain(
            domain, "starting", START_MS, create_paused, VIR_DOMAIN_START_PAUSED, err);
    return call_on_domain(domain, "starting", START_MS, virDomainCreateWithFlags, 0, err);
}

int
power_press(virDomainPtr domain, bool agent, struct error *err)
{
    return call_on_domain(domain, "shutting down", CALL_MS, press_flags,
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
        state_is_up(state))
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
    if (!state_is_up(state) ||
        call_on_domain(domain, "stopping", CALL_MS, virDomainDestroyFlags, 0, err) == 0)
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
    if (state_is_up(state))
        return error_set(err, ERR_FAILED,
            "the domain '%s' still runs and is not removed: stop it first ('airbuild stop')", name);
    if (check_snapshots(domain, name, err) < 0)
        return -1;
    return call_on_domain(domain, "removing", CALL_MS, undefine_flags, KNOWN_BESIDE, err);
}

int
virt_domain_removable(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    if (domain_seek(virt, cluster, name, &domain, err) < 0)
        return -1;
    return domain != NULL ? check_snapshots(domain, name, err) : 0;
}

int
virt_domain_suspend(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    return act(virt, cluster, name, "pausing", CALL_MS, suspend_flags, 0, err);
}

int
virt_domain_resume(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    struct condition condition;
    if (domain_find(virt, cluster, name, &domain, err) < 0 ||
        domain_condition(domain, &condition, err) < 0)
        return -1;
    return power_resume(domain, &condition, err);
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
