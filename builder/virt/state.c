// state.c - translates libvirt's states of a domain, and their reasons.
// SPDX-License-Identifier: Apache-2.0
#include "virt/domain_handle.h"

const char *
virt_state_name(enum virt_state state)
{
    static const char *const names[] = {
        [VIRT_ABSENT] = "absent",
        [VIRT_OFF] = "off",
        [VIRT_RUNNING] = "running",
        [VIRT_PAUSED] = "paused",
        [VIRT_CRASHED] = "crashed",
    };
    return names[state];
}

#define ANY (-1)

// Only SHUTOFF is off: in every other state, also when the domain panicked or libvirt is working on
// it, an emulator may hold the disk.
static const struct {
    int state, reason; // of libvirt; ANY: every other one
    enum virt_state ours;
    const char *words;
    enum error_code held;
} conditions[] = {
    {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIRT_OFF, "shut down", ERR_NONE},
    {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED, VIRT_OFF, "power pulled", ERR_NONE},
    {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED, VIRT_OFF, "saved", ERR_NONE},
    {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED, VIRT_CRASHED, "panicked, or its emulator died",
        ERR_NONE},
    {VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED, VIRT_CRASHED, "did not start", ERR_NONE},
    {VIR_DOMAIN_SHUTOFF, ANY, VIRT_OFF, "", ERR_NONE},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, VIRT_PAUSED, "by request", ERR_NONE},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, VIRT_PAUSED, "being migrated", ERR_BUSY},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE, VIRT_PAUSED, "being saved", ERR_BUSY},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_DUMP, VIRT_PAUSED, "being dumped", ERR_BUSY},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, VIRT_PAUSED, "its disk failed or is full",
        ERR_NONE},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG, VIRT_PAUSED, "by its watchdog", ERR_NONE},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_FROM_SNAPSHOT, VIRT_PAUSED,
        "by the snapshot it was reverted to", ERR_NONE},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SHUTTING_DOWN, VIRT_PAUSED, "going down", ERR_BUSY},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SNAPSHOT, VIRT_PAUSED, "being copied for a snapshot",
        ERR_BUSY},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED, VIRT_PAUSED, "panicked", ERR_GUEST},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, VIRT_PAUSED, "being started", ERR_BUSY},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY, VIRT_PAUSED, "being migrated", ERR_BUSY},
    {VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, VIRT_PAUSED,
        "its migration failed halfway", ERR_GUEST},
    {VIR_DOMAIN_PAUSED, ANY, VIRT_PAUSED, "", ERR_NONE},
    {VIR_DOMAIN_PMSUSPENDED, ANY, VIRT_PAUSED, "asleep", ERR_NONE},
    {VIR_DOMAIN_CRASHED, ANY, VIRT_PAUSED, "panicked", ERR_GUEST},
    {VIR_DOMAIN_SHUTDOWN, ANY, VIRT_RUNNING, "going down", ERR_BUSY},
    {VIR_DOMAIN_RUNNING, ANY, VIRT_RUNNING, "", ERR_NONE},
    {VIR_DOMAIN_BLOCKED, ANY, VIRT_RUNNING, "", ERR_NONE},
};

struct virt_domain_info
state_of(int state, int reason)
{
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        if (conditions[i].state == state &&
            (conditions[i].reason == reason || conditions[i].reason == ANY))
            return (struct virt_domain_info){
                .state = conditions[i].ours,
                .reason = conditions[i].words,
                .held = conditions[i].held,
                .asleep = state == VIR_DOMAIN_PMSUSPENDED,
            };
    return (struct virt_domain_info){
        .state = VIRT_RUNNING, .reason = "state unknown to libvirt", .held = ERR_GUEST};
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
