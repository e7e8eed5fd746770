// state.c - libvirt's states, and why a domain is in one, in airbuild's words.
// SPDX-License-Identifier: Apache-2.0
#include "virt/internal.h"

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

static enum virt_state
state_off(int reason, const char **ret_reason)
{
    switch (reason) {
    case VIR_DOMAIN_SHUTOFF_SHUTDOWN:
        *ret_reason = "shut down";
        return VIRT_OFF;
    case VIR_DOMAIN_SHUTOFF_DESTROYED:
        *ret_reason = "power pulled";
        return VIRT_OFF;
    case VIR_DOMAIN_SHUTOFF_SAVED:
        *ret_reason = "saved";
        return VIRT_OFF;
    case VIR_DOMAIN_SHUTOFF_CRASHED:
        *ret_reason = "panicked, or its emulator died";
        return VIRT_CRASHED;
    case VIR_DOMAIN_SHUTOFF_FAILED:
        *ret_reason = "did not start";
        return VIRT_CRASHED;
    default:
        return VIRT_OFF;
    }
}

static enum virt_state
state_paused(int reason, const char **ret_reason)
{
    switch (reason) {
    case VIR_DOMAIN_PAUSED_USER:
        *ret_reason = "by request";
        return VIRT_PAUSED;
    case VIR_DOMAIN_PAUSED_IOERROR:
        *ret_reason = "its disk failed or is full";
        return VIRT_PAUSED;
    case VIR_DOMAIN_PAUSED_CRASHED:
        *ret_reason = "panicked";
        return VIRT_CRASHED;
    default:
        return VIRT_PAUSED;
    }
}

enum virt_state
state_of(int state, int reason, const char **ret_reason)
{
    *ret_reason = "";
    switch (state) {
    case VIR_DOMAIN_SHUTOFF:
        return state_off(reason, ret_reason);
    case VIR_DOMAIN_PAUSED:
        return state_paused(reason, ret_reason);
    case VIR_DOMAIN_PMSUSPENDED:
        *ret_reason = "asleep";
        return VIRT_PAUSED;
    case VIR_DOMAIN_CRASHED:
        *ret_reason = "panicked, or its emulator died";
        return VIRT_CRASHED;
    case VIR_DOMAIN_SHUTDOWN:
        *ret_reason = "going down";
        return VIRT_RUNNING;
    default:
        return VIRT_RUNNING;
    }
}
