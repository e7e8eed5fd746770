// power.c - a domain's power button and cables: start, shut down, pull the power, pause, resume,
// save, plug the network.
// SPDX-License-Identifier: Apache-2.0
#include "virt/domain_handle.h"

#include "base/clock.h"
#include "virt/reader.h"
#include "virt/virt_error.h"

#include <stdlib.h>

#define START_MS 60000 // QEMU comes up in a second; a busy host takes longer
#define POLL_MS 200
#define PRESS_AGAIN_MS 5000 // a guest that is still booting ignores its button
#define PRESSES_BEFORE_AGENT 3

// domain_call on a domain of the cluster, which must exist.
static int
call_named(struct virt *virt, const char *cluster, const char *name, const char *doing,
    int64_t timeout_ms, int (*function)(virDomainPtr domain, unsigned flags), unsigned flags,
    struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0)
        return -1;
    return domain_call(found->domain, doing, timeout_ms, function, flags, err);
}

// ---- start, pause, resume ------------------------------------------------------------------------

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

// Without the flag where the driver does not know it (the test driver).
static int
create_paused(virDomainPtr domain, unsigned flags)
{
    if (virDomainCreateWithFlags(domain, flags) == 0)
        return 0;
    return virt_error_is_unknown_flag() && virDomainCreate(domain) == 0 ? virDomainSuspend(domain)
                                                                        : -1;
}

static int
resume_domain(virDomainPtr domain, const struct condition *condition, struct error *err)
{
    if (condition_check(virDomainGetName(domain), condition, err) < 0)
        return -1;
    if (condition->asleep)
        return domain_call(domain, "waking", CALL_MS, virDomainPMWakeup, 0, err);
    return domain_call(domain, "resuming", CALL_MS, resume_flags, 0, err);
}

int
virt_domain_start(
    struct virt *virt, const char *cluster, const char *name, bool paused, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0 ||
        condition_check(name, &found->condition, err) < 0)
        return -1;
    if (state_is_up(found->condition.state))
        return 0;
    return domain_call(found->domain, "starting", START_MS,
        paused ? create_paused : virDomainCreateWithFlags, paused ? VIR_DOMAIN_START_PAUSED : 0,
        err);
}

int
virt_domain_suspend(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    return call_named(virt, cluster, name, "pausing", CALL_MS, suspend_flags, 0, err);
}

int
virt_domain_resume(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0)
        return -1;
    return resume_domain(found->domain, &found->condition, err);
}

int
virt_domain_save(
    struct virt *virt, const char *cluster, const char *name, int64_t timeout_ms, struct error *err)
{
    return call_named(virt, cluster, name, "saving", timeout_ms, virDomainManagedSave, 0, err);
}

int
virt_domain_drop_saved(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    return call_named(virt, cluster, name, "dropping the saved memory of", CALL_MS,
        virDomainManagedSaveRemove, 0, err);
}

// ---- pull the power, plug the network ------------------------------------------------------------

int
virt_domain_pull(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_seek(virt, cluster, name, &found, err) < 0)
        return -1;
    if (!state_is_up(found->condition.state) ||
        domain_call(found->domain, "stopping", CALL_MS, virDomainDestroyFlags, 0, err) == 0)
        return 0;
    // It may have failed only because the domain had just gone off by itself.
    ERROR_AUTO struct error ignored = {0};
    struct condition condition;
    if (err->code != ERR_LIBVIRT || domain_condition(found->domain, &condition, &ignored) < 0 ||
        state_is_up(condition.state))
        return -1;
    error_clear(err);
    return 0;
}

static int
run_update_device(struct call *call, struct error *err)
{
    if (virDomainUpdateDeviceFlags(call->domain, call->text, VIR_DOMAIN_AFFECT_LIVE) < 0)
        return call_failed(call, err);
    return 0;
}

int
virt_domain_link(
    struct virt *virt, const char *cluster, const char *name, bool up, struct error *err)
{
    CALL_AUTO struct call *found = NULL, *live = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0 ||
        domain_describe(found->domain, 0, &live, err) < 0)
        return -1;
    CALL_AUTO struct call *call = call_new(NULL, found->domain, NULL,
        "%s the network cable of '%s'", up ? "plugging" : "unplugging", name);
    call->text = reader_link(live->text, up);
    if (call->text == NULL)
        return error_set(err, ERR_CONFLICT,
            "the domain '%s' has no network interface: destroy the cluster and launch it again",
            name);
    return call_run(&call, CALL_MS, run_update_device, err);
}

// ---- shut down -----------------------------------------------------------------------------------

// Without the flag where the driver does not know it (the test driver).
static int
press_flags(virDomainPtr domain, unsigned flags)
{
    if (virDomainShutdownFlags(domain, flags) == 0)
        return 0;
    return virt_error_is_unknown_flag() ? virDomainShutdown(domain) : -1;
}

int
virt_domain_press_power(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    return call_named(virt, cluster, name, "shutting down", CALL_MS, press_flags,
        VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, err);
}

struct shutdown {
    virDomainPtr domain; // NULL once it is off
    bool stuck;          // not waited for: it cannot see its button
};

struct shutdown_set {
    struct shutdown *items;
    size_t count;
    size_t awaited; // that are still up and not stuck
};

static void
shutdown_set_free(struct shutdown_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].domain != NULL)
            virDomainFree(set->items[i].domain);
    free(set->items);
}

// Only an interruption ends a shutdown of many.
static int
pass_interruption(struct error *err)
{
    if (err->code == ERR_INTERRUPTED)
        return -1;
    error_clear(err);
    return 0;
}

// Resumes a paused guest, which cannot see its button. One that cannot be resumed is stuck; one
// that libvirt is working on is left alone.
static int
add_shutdown(struct shutdown_set *set, struct virt *virt, const char *cluster, const char *name,
    struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_seek(virt, cluster, name, &found, err) < 0)
        return -1;
    if (!state_is_up(found->condition.state)) // absent, too
        return 0;
    bool stuck = found->condition.held == ERR_GUEST;
    if (found->condition.state == VIRT_PAUSED && found->condition.held == ERR_NONE &&
        resume_domain(found->domain, &found->condition, err) < 0) {
        stuck = true;
        if (pass_interruption(err) < 0)
            return -1;
    }
    set->items[set->count++] = (struct shutdown){TAKE(found->domain), stuck};
    set->awaited += !stuck;
    return 0;
}

static int
drop_ended(struct shutdown_set *set, void (*each)(void *context, const char *name), void *context,
    struct error *err)
{
    for (size_t i = 0; i < set->count; i++) {
        struct shutdown *item = &set->items[i];
        struct condition condition;
        if (item->domain == NULL)
            continue;
        if (domain_condition(item->domain, &condition, err) < 0)
            return -1;
        if (state_is_up(condition.state))
            continue;
        if (each != NULL)
            each(context, virDomainGetName(item->domain));
        virDomainFree(TAKE(item->domain));
        set->awaited -= !item->stuck;
    }
    return 0;
}

// A press may fail (the guest is just going off, its agent does not answer): it is repeated later.
static int
press_all(const struct shutdown_set *set, unsigned presses, struct error *err)
{
    bool agent = presses >= PRESSES_BEFORE_AGENT && presses % 2 != 0;
    unsigned flags = agent ? VIR_DOMAIN_SHUTDOWN_GUEST_AGENT : VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN;
    for (size_t i = 0; i < set->count; i++) {
        const struct shutdown *item = &set->items[i];
        if (item->domain != NULL && !item->stuck &&
            domain_call(item->domain, "shutting down", CALL_MS, press_flags, flags, err) < 0 &&
            pass_interruption(err) < 0)
            return -1;
    }
    return 0;
}

int
virt_domain_shutdown(struct virt *virt, const char *cluster, const struct strv *names,
    int64_t timeout_ms, void (*each)(void *context, const char *name), void *context,
    struct strv *ret_left, struct error *err)
{
    CLEANUP(shutdown_set_free) struct shutdown_set set = {0};
    set.items = mem_zero(names->count + 1, sizeof(*set.items));
    for (size_t i = 0; i < names->count; i++)
        if (add_shutdown(&set, virt, cluster, names->items[i], err) < 0)
            return -1;
    int64_t end = clock_ms() + timeout_ms;
    int64_t next_press = clock_ms();
    for (unsigned presses = 0; set.awaited > 0 && clock_left(end) > 0;) {
        if (clock_left(next_press) == 0) {
            if (press_all(&set, presses++, err) < 0)
                return -1;
            next_press = clock_ms() + PRESS_AGAIN_MS;
        }
        if (drop_ended(&set, each, context, err) < 0 ||
            (set.awaited > 0 && clock_sleep(POLL_MS, err) < 0))
            return -1;
    }
    for (size_t i = 0; i < set.count; i++)
        if (set.items[i].domain != NULL)
            strv_add(ret_left, virDomainGetName(set.items[i].domain));
    return 0;
}
