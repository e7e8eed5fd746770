// power.c - a domain's power button and cables: start, shut down, pull the power, pause, resume,
// plug the network.
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

// ---- start, pause, resume ------------------------------------------------------------------------

static int
pause_or_resume(virDomainPtr domain, unsigned pause)
{
    return pause ? virDomainSuspend(domain) : virDomainResume(domain);
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
resume_domain(const struct call *found, struct error *err)
{
    if (virt_domain_held(&found->info, err) < 0)
        return -1;
    if (found->info.asleep)
        return domain_call(found->domain, "waking", CALL_MS, virDomainPMWakeup, 0, err);
    return domain_call(found->domain, "resuming", CALL_MS, pause_or_resume, false, err);
}

int
virt_domain_start(
    struct virt *virt, const char *cluster, const char *name, bool paused, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0 ||
        virt_domain_held(&found->info, err) < 0)
        return -1;
    if (state_is_up(found->info.state))
        return 0;
    return domain_call(found->domain, "starting", START_MS,
        paused ? create_paused : virDomainCreateWithFlags, paused ? VIR_DOMAIN_START_PAUSED : 0,
        err);
}

static int
run_start_paused(struct call *call)
{
    return create_paused(call->domain, VIR_DOMAIN_START_PAUSED);
}

int
virt_domain_start_all(struct virt *virt, const char *cluster, const struct strv *names,
    size_t at_once, struct error *err)
{
    FREE_AUTO struct call **calls = mem_zero(names->count, sizeof(struct call *));
    size_t ended = 0; // calls before this one
    int result = 0;
    for (size_t i = 0; i < names->count && result == 0; i++) {
        const char *name = names->items[i];
        CALL_AUTO struct call *found = NULL;
        result = domain_find(virt, cluster, name, &found, err);
        if (result == 0)
            result = virt_domain_held(&found->info, err);
        if (result == 0 && !state_is_up(found->info.state))
            calls[i] = call_new(NULL, found->domain, NULL, "starting the domain '%s'", name);
    }
    for (size_t i = 0; i < names->count; i++) {
        if (result == 0 && i - ended >= at_once) { // the oldest one
            if (calls[ended] != NULL)
                result = call_finish(&calls[ended], START_MS, err);
            call_freep(&calls[ended++]);
        }
        result = call_start_all(&calls[i], 1, run_start_paused, result, err);
    }
    return call_finish_all(calls + ended, names->count - ended, START_MS, result, err);
}

int
virt_domain_suspend(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0)
        return -1;
    return domain_call(found->domain, "pausing", CALL_MS, pause_or_resume, true, err);
}

int
virt_domain_resume(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0)
        return -1;
    return resume_domain(found, err);
}

// ---- pull the power, plug the network ------------------------------------------------------------

int
virt_domain_pull(struct virt *virt, const char *cluster, const char *name, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_seek(virt, cluster, name, &found, err) < 0)
        return -1;
    if (!state_is_up(found->info.state) ||
        domain_call(found->domain, "stopping", CALL_MS, virDomainDestroyFlags, 0, err) == 0)
        return 0;
    // It may have failed only because the domain had just gone off by itself.
    ERROR_AUTO struct error ignored = {0};
    bool up;
    if (err->code != ERR_LIBVIRT || domain_is_up(found->domain, &up, &ignored) < 0 || up)
        return -1;
    error_clear(err);
    return 0;
}

static int
run_pull(struct call *call)
{
    return virDomainDestroyFlags(call->domain, 0);
}

void
virt_domain_pull_all(struct virt *virt, const char *cluster, const char *const *names, size_t count)
{
    ERROR_AUTO struct error ignored = {0}; // virt_domain_pull reports it
    FREE_AUTO struct call **calls = mem_zero(count, sizeof(struct call *));
    for (size_t i = 0; i < count; i++) {
        CALL_AUTO struct call *found = NULL;
        if (domain_seek(virt, cluster, names[i], &found, &ignored) == 0 &&
            state_is_up(found->info.state))
            calls[i] = call_new(NULL, found->domain, NULL, "stopping '%s'", names[i]);
    }
    call_start_all(calls, count, run_pull, 0, &ignored);
    call_finish_all(calls, count, CALL_MS, 0, &ignored);
}

// flags: whether its cable is plugged.
static int
run_link(struct call *call)
{
    FREE_AUTO char *live = virDomainGetXMLDesc(call->domain, 0);
    if (live == NULL)
        return -1;
    FREE_AUTO char *interface = reader_link(live, call->flags != 0);
    if (interface == NULL)
        return error_set(&call->err, ERR_CONFLICT,
            "the domain '%s' has no network interface: destroy the cluster and launch it again",
            virDomainGetName(call->domain));
    return virDomainUpdateDeviceFlags(call->domain, interface, VIR_DOMAIN_AFFECT_LIVE);
}

int
virt_domain_link(
    struct virt *virt, const char *cluster, const char *name, bool up, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0)
        return -1;
    CALL_AUTO struct call *call = call_new(NULL, found->domain, NULL,
        "%s the network cable of '%s'", up ? "plugging" : "unplugging", name);
    call->flags = up;
    return call_run(&call, CALL_MS, run_link, err);
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
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0)
        return -1;
    return domain_call(found->domain, "shutting down", CALL_MS, press_flags,
        VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, err);
}

struct shutdown {
    struct call **nodes; // their domains; NULL: absent or off. Held with ERR_GUEST: not waited for
    size_t count;
};

static void
shutdown_free(struct shutdown *shutdown)
{
    for (size_t i = 0; i < shutdown->count; i++)
        call_freep(&shutdown->nodes[i]);
    free(shutdown->nodes);
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

// Resumes a paused guest, which cannot see its button. One that cannot be resumed is not waited
// for; one that libvirt is working on is left alone. *ret: NULL when it is absent or off.
static int
find_to_shut_down(
    struct virt *virt, const char *cluster, const char *name, struct call **ret, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    if (domain_seek(virt, cluster, name, &found, err) < 0)
        return -1;
    struct virt_domain_info *info = &found->info;
    if (!state_is_up(info->state))
        return 0;
    if (info->state == VIRT_PAUSED && info->held == ERR_NONE && resume_domain(found, err) < 0) {
        info->held = ERR_GUEST;
        if (pass_interruption(err) < 0)
            return -1;
    }
    *ret = TAKE(found);
    return 0;
}

// press: flags of the press of all buttons, which may fail (the guest is just going off, its agent
// does not answer), as it is repeated later; 0: none. *ret_awaited: how many are waited for.
static int
advance_shutdown(struct shutdown *shutdown, unsigned press,
    void (*each)(void *context, const char *name), void *context, size_t *ret_awaited,
    struct error *err)
{
    *ret_awaited = 0;
    for (size_t i = 0; i < shutdown->count; i++) {
        const struct call *node = shutdown->nodes[i];
        bool up;
        if (node == NULL)
            continue;
        if (press != 0 && node->info.held != ERR_GUEST &&
            domain_call(node->domain, "shutting down", CALL_MS, press_flags, press, err) < 0 &&
            pass_interruption(err) < 0)
            return -1;
        if (domain_is_up(node->domain, &up, err) < 0)
            return -1;
        if (up) {
            *ret_awaited += node->info.held != ERR_GUEST;
            continue;
        }
        if (each != NULL)
            each(context, node->info.name);
        call_freep(&shutdown->nodes[i]);
    }
    return 0;
}

int
virt_domain_shutdown(struct virt *virt, const char *cluster, const struct strv *names,
    int64_t timeout_ms, void (*each)(void *context, const char *name), void *context,
    struct strv *ret_left, struct error *err)
{
    CLEANUP(shutdown_free)
    struct shutdown shutdown = {mem_zero(names->count + 1, sizeof(*shutdown.nodes)), names->count};
    size_t awaited = 0;
    for (size_t i = 0; i < names->count; i++) {
        struct call **node = &shutdown.nodes[i];
        if (find_to_shut_down(virt, cluster, names->items[i], node, err) < 0)
            return -1;
        awaited += *node != NULL && (*node)->info.held != ERR_GUEST;
    }
    int64_t end = clock_ms() + timeout_ms;
    int64_t next_press = clock_ms();
    for (unsigned presses = 0; awaited > 0 && clock_left(end) > 0;) {
        unsigned press = 0;
        if (clock_left(next_press) == 0) {
            bool agent = presses >= PRESSES_BEFORE_AGENT && presses % 2 != 0;
            press = agent ? VIR_DOMAIN_SHUTDOWN_GUEST_AGENT : VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN;
            presses++;
            next_press = clock_ms() + PRESS_AGAIN_MS;
        }
        if (advance_shutdown(&shutdown, press, each, context, &awaited, err) < 0 ||
            (awaited > 0 && clock_sleep(POLL_MS, err) < 0))
            return -1;
    }
    for (size_t i = 0; i < shutdown.count; i++)
        if (shutdown.nodes[i] != NULL)
            strv_add(ret_left, shutdown.nodes[i]->info.name);
    return 0;
}
