// state.c - translates libvirt's states of a domain, and their reasons.
// SPDX-License-Identifier: Apache-2.0
#include "virt/domain_handle.h"

const char *
virt_state_name(enum virt_state state)
{
    switch (state) {
    case VIRT_ABSENT:
        return "absent";
    case VIRT_OFF:
        return "off";
    case VIRT_RUNNING:
        return "running";
    case VIRT_PAUSED:
        return "paused";
    case VIRT_CRASHED:
        return "crashed";
    }
    return "unknown";
}

static struct condition
state_off(int reason)
{
    switch (reason) {
    case VIR_DOMAIN_SHUTOFF_SHUTDOWN:
        return (struct condition){.state = VIRT_OFF, .reason = "shut down"};
    case VIR_DOMAIN_SHUTOFF_DESTROYED:
        return (struct condition){.state = VIRT_OFF, .reason = "power pulled"};
    case VIR_DOMAIN_SHUTOFF_SAVED:
        return (struct condition){.state = VIRT_OFF, .reason = "saved"};
    case VIR_DOMAIN_SHUTOFF_CRASHED:
        return (struct condition){
            .state = VIRT_CRASHED, .reason = "panicked, or its emulator died"};
    case VIR_DOMAIN_SHUTOFF_FAILED:
        return (struct condition){.state = VIRT_CRASHED, .reason = "did not start"};
    default:
        return (struct condition){.state = VIRT_OFF, .reason = ""};
    }
}

// A domain that panicked or that libvirt is working on is up, too: its emulator holds the disk.
static const struct {
    int reason;
    const char *words;
    enum error_code held; // ERR_NONE: it can be resumed
} pauses[] = {
    {VIR_DOMAIN_PAUSED_UNKNOWN, "", ERR_NONE},
    {VIR_DOMAIN_PAUSED_USER, "by request", ERR_NONE},
    {VIR_DOMAIN_PAUSED_MIGRATION, "being migrated", ERR_BUSY},
    {VIR_DOMAIN_PAUSED_SAVE, "being saved", ERR_BUSY},
    {VIR_DOMAIN_PAUSED_DUMP, "being dumped", ERR_BUSY},
    {VIR_DOMAIN_PAUSED_IOERROR, "its disk failed or is full", ERR_NONE},
    {VIR_DOMAIN_PAUSED_WATCHDOG, "by its watchdog", ERR_NONE},
    {VIR_DOMAIN_PAUSED_FROM_SNAPSHOT, "by the snapshot it was reverted to", ERR_NONE},
    {VIR_DOMAIN_PAUSED_SHUTTING_DOWN, "going down", ERR_BUSY},
    {VIR_DOMAIN_PAUSED_SNAPSHOT, "being copied for a snapshot", ERR_BUSY},
    {VIR_DOMAIN_PAUSED_CRASHED, "panicked", ERR_GUEST},
    {VIR_DOMAIN_PAUSED_STARTING_UP, "being started", ERR_BUSY},
    {VIR_DOMAIN_PAUSED_POSTCOPY, "being migrated", ERR_BUSY},
    {VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, "its migration failed halfway", ERR_GUEST},
};

static struct condition
state_paused(int reason)
{
    struct condition condition = {.state = VIRT_PAUSED, .reason = ""};
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        if (pauses[i].reason != reason)
            continue;
        condition.reason = pauses[i].words;
        condition.held = pauses[i].held;
    }
    return condition;
}

// Only SHUTOFF is off: in every other state an emulator may hold the disk.
struct condition
state_of(int state, int reason)
{
    switch (state) {
    case VIR_DOMAIN_SHUTOFF:
        return state_off(reason);
    case VIR_DOMAIN_PAUSED:
        return state_paused(reason);
    case VIR_DOMAIN_PMSUSPENDED:
        return (struct condition){.state = VIRT_PAUSED, .reason = "asleep", .asleep = true};
    case VIR_DOMAIN_CRASHED:
        return state_paused(VIR_DOMAIN_PAUSED_CRASHED);
    case VIR_DOMAIN_SHUTDOWN:
        return (struct condition){.state = VIRT_RUNNING, .reason = "going down", .held = ERR_BUSY};
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
        return (struct condition){.state = VIRT_RUNNING, .reason = ""};
    default:
        return (struct condition){
            .state = VIRT_RUNNING, .reason = "state unknown to libvirt", .held = ERR_GUEST};
    }
}

int
virt_domain_held(const struct virt_domain_info *info, struct error *err)
{
    if (info->held == ERR_NONE)
        return 0;
    if (info->held == ERR_BUSY)
        return error_set(err, ERR_BUSY,
            "'%s' cannot be started or resumed now (%s): wait until that is over, then try again",
            info->name, info->reason);
    return error_set(err, info->held,
        "'%s' cannot be started or resumed (%s): pull its power with 'airbuild stop %s', then "
        "launch again",
        info->name, info->reason, info->name);
}
