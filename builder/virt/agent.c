// agent.c - programs run inside a guest by its guest agent.
// SPDX-License-Identifier: Apache-2.0
#include "virt/agent.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "virt/agent_json.h"
#include "virt/internal.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#define LOOK_MS 50 // between two looks whether a program has ended

static int
run_agent_command(struct call *call, struct error *err)
{
    const char *name = virDomainGetName(call->domain);
    char *answer = virDomainQemuAgentCommand(call->domain, call->text, call->timeout_s, 0);
    free(call->text);
    call->text = answer;
    if (answer != NULL)
        return 0;
    return error_set(err, ERR_GUEST,
        "the guest agent of '%s' failed the request: %s; see 'airbuild logs %s'", name,
        virGetLastErrorMessage(), name);
}

// One command (taken); *ret is the whole answer, the caller frees it.
static int
send_command(virDomainPtr domain, const char *name, char *command, int64_t end_ms, char **ret,
    struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, domain, NULL, "asking the guest agent of '%s'", name);
    call->text = command;
    call->timeout_s = (int) (clock_left(end_ms) / 1000) + 1;
    // libvirt keeps the deadline itself; ours is for a libvirtd that does not.
    if (call_run(&call, clock_left(end_ms) + CALL_MS, run_agent_command, err) < 0)
        return -1;
    *ret = TAKE(call->text);
    return 0;
}

static int
wait_for_command(virDomainPtr domain, const char *name, long long pid, int64_t end_ms,
    int *ret_status, char **ret_output, struct error *err)
{
    bool ended = false;
    do {
        FREE_AUTO char *answer = NULL;
        if (clock_sleep(LOOK_MS, err) < 0 ||
            send_command(domain, name, agent_exec_status(pid), end_ms, &answer, err) < 0 ||
            agent_ended(answer, &ended, ret_status, ret_output, err) < 0)
            return -1;
    } while (!ended && clock_left(end_ms) > 0);
    if (ended)
        return 0;
    return error_set(err, ERR_GUEST,
        "a program that was started in '%s' by its guest agent did not end in time; see 'airbuild "
        "console %s'",
        name, name);
}

int
virt_agent_run(struct virt *virt, const char *cluster, const char *name, const char *const *argv,
    int64_t timeout_ms, int *ret_status, char **ret_output, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    FREE_AUTO char *answer = NULL;
    int64_t end = clock_ms() + timeout_ms;
    long long pid = 0;
    if (domain_find(virt, cluster, name, &domain, err) < 0 ||
        send_command(domain, name, agent_exec(argv), end, &answer, err) < 0 ||
        agent_started(answer, &pid, err) < 0)
        return -1;
    return wait_for_command(domain, name, pid, end, ret_status, ret_output, err);
}
