// agent.c - programs run inside a guest by its guest agent.
// SPDX-License-Identifier: Apache-2.0
#include "virt/agent.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "virt/domain_handle.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <string.h>

#define POLL_MS 50 // until the next check whether the program has ended

// ---- JSON ----------------------------------------------------------------------------------------

char *
agent_exec(const char *const *argv)
{
    json_t *rest = json_array();
    for (size_t i = 1; argv[i] != NULL; i++)
        json_array_append_new(rest, text_to_json(argv[i]));
    json_auto_t *command = json_pack("{s:s, s:{s:o, s:o, s:b}}", "execute", "guest-exec",
        "arguments", "path", text_to_json(argv[0]), "arg", rest, "capture-output", true);
    return print_json(command, false);
}

char *
agent_exec_status(long long pid)
{
    json_auto_t *command = json_pack(
        "{s:s, s:{s:I}}", "execute", "guest-exec-status", "arguments", "pid", (json_int_t) pid);
    return print_json(command, false);
}

static int
not_understood(const char *answer, struct error *err)
{
    return error_set(err, ERR_GUEST,
        "the guest agent sent an unexpected answer, '%.200s'; check qemu-guest-agent in the guest",
        answer);
}

int
agent_started(const char *answer, long long *ret_pid, struct error *err)
{
    json_auto_t *value = NULL;
    if (parse_json(answer, strlen(answer), &value, err) < 0)
        return not_understood(answer, err);
    const json_t *pid = json_object_get(json_object_get(value, "return"), "pid");
    *ret_pid = json_is_integer(pid) ? json_integer_value(pid) : -1;
    return *ret_pid > 0 ? 0 : not_understood(answer, err);
}

// Decodes base64 text (may be NULL) into buf, as many whole groups as fit.
static void
add_agent_output(struct buf *buf, const char *text)
{
    size_t room = (AGENT_OUTPUT_MAX - buf->length) / 3 * 4;
    size_t length = text == NULL ? 0 : strnlen(text, room);
    (void) base64_decode(text, length, buf);
}

int
agent_ended(
    const char *answer, bool *ret_ended, int *ret_status, char **ret_output, struct error *err)
{
    json_auto_t *value = NULL;
    if (parse_json(answer, strlen(answer), &value, err) < 0)
        return not_understood(answer, err);
    const json_t *status = json_object_get(value, "return");
    long long number = json_integer_value(json_object_get(status, "signal"));
    if (json_object_get(status, "exited") == NULL)
        return not_understood(answer, err);
    *ret_ended = json_is_true(json_object_get(status, "exited"));
    if (!*ret_ended)
        return 0;
    *ret_status =
        (int) (number > 0 ? 128 + number : json_integer_value(json_object_get(status, "exitcode")));
    if (ret_output != NULL) {
        struct buf output = {0};
        add_agent_output(&output, json_string_value(json_object_get(status, "out-data")));
        add_agent_output(&output, json_string_value(json_object_get(status, "err-data")));
        *ret_output = buf_take(&output);
    }
    return 0;
}

// ---- calls ---------------------------------------------------------------------------------------

static int
run_agent_command(struct call *call)
{
    const char *name = virDomainGetName(call->domain);
    char *answer = virDomainQemuAgentCommand(call->domain, call->text, call->timeout_s, 0);
    free(call->text);
    call->text = answer;
    if (answer != NULL)
        return 0;
    return error_set(&call->err, ERR_GUEST,
        "the guest agent of '%s' failed the request: %s; see 'airbuild logs %s'", name,
        virGetLastErrorMessage(), name);
}

// Sends a command, whose text it takes; *ret: the whole answer, the caller frees it.
static int
send_command(virDomainPtr domain, const char *name, char *text, int64_t end_ms, char **ret,
    struct error *err)
{
    CALL_AUTO struct call *call =
        call_new(NULL, domain, NULL, "asking the guest agent of '%s'", name);
    call->text = text;
    call->timeout_s = (int) (clock_left(end_ms) / 1000) + 1;
    // libvirt itself keeps this deadline; ours is for a libvirtd that hangs.
    if (call_run(&call, clock_left(end_ms) + CALL_MS, run_agent_command, err) < 0)
        return -1;
    *ret = TAKE(call->text);
    return 0;
}

int
virt_agent_start(struct virt *virt, const char *cluster, const char *name, const char *const *argv,
    int64_t timeout_ms, long long *ret_pid, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    FREE_AUTO char *answer = NULL;
    if (domain_find(virt, cluster, name, &found, err) < 0 ||
        send_command(found->domain, name, agent_exec(argv), clock_ms() + timeout_ms, &answer, err) <
            0)
        return -1;
    return agent_started(answer, ret_pid, err);
}

int
virt_agent_wait(struct virt *virt, const char *cluster, const char *name, long long pid,
    int64_t timeout_ms, int *ret_status, char **ret_output, struct error *err)
{
    CALL_AUTO struct call *found = NULL;
    int64_t end = clock_ms() + timeout_ms;
    if (domain_find(virt, cluster, name, &found, err) < 0)
        return -1;
    do {
        FREE_AUTO char *progress = NULL;
        bool ended = false;
        if (clock_sleep(POLL_MS, err) < 0 ||
            send_command(found->domain, name, agent_exec_status(pid), end, &progress, err) < 0 ||
            agent_ended(progress, &ended, ret_status, ret_output, err) < 0)
            return -1;
        if (ended)
            return 0;
    } while (clock_left(end) > 0);
    return error_set(err, ERR_GUEST,
        "the program that the guest agent of '%s' runs timed out; see 'airbuild console %s'", name,
        name);
}

int
virt_agent_run(struct virt *virt, const char *cluster, const char *name, const char *const *argv,
    int64_t timeout_ms, int *ret_status, char **ret_output, struct error *err)
{
    int64_t end = clock_ms() + timeout_ms;
    long long pid;
    if (virt_agent_start(virt, cluster, name, argv, timeout_ms, &pid, err) < 0)
        return -1;
    return virt_agent_wait(virt, cluster, name, pid, clock_left(end), ret_status, ret_output, err);
}
