// agent.c - programs run inside a guest by its guest agent: guest-exec, guest-exec-status.
// The commands are those of QEMU's guest agent reference
// (https://www.qemu.org/docs/master/interop/qemu-ga-ref.html).
// SPDX-License-Identifier: Apache-2.0
#include "virt/agent.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jv.h"
#include "base/str.h"
#include "virt/internal.h"

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 100
#define OUTPUT_MAX (64 * 1024)

// ---- one command ---------------------------------------------------------------------------------

struct asking {
    virDomainPtr domain;
    char *command, *answer;
    int timeout_s;
};

static int
asking_run(void *argument, struct error *err)
{
    struct asking *asking = argument;
    const char *name = virDomainGetName(asking->domain);
    asking->answer =
        virDomainQemuAgentCommand(asking->domain, asking->command, asking->timeout_s, 0);
    if (asking->answer != NULL)
        return 0;
    return error_set(err, ERR_GUEST,
        "the guest agent of '%s' does not do what it is asked: %s; see 'airbuild logs %s'", name,
        virGetLastErrorMessage(), name);
}

static void
asking_release(void *argument)
{
    struct asking *asking = argument;
    virDomainFree(asking->domain);
    free(asking->command);
    free(asking->answer);
    free(asking);
}

// What the agent returns. command is taken.
static int
ask(virDomainPtr domain, struct jv *command, int64_t end_ms, struct jv **ret, struct error *err)
{
    struct asking *asking = mem_zero(1, sizeof(*asking));
    virDomainRef(domain);
    asking->domain = domain;
    asking->command = jv_print(command, false);
    asking->timeout_s = (int) (clock_left(end_ms) / 1000) + 1;
    jv_free(command);
    FREE_AUTO char *what = str_format("asking the guest agent of '%s'", virDomainGetName(domain));
    // libvirt keeps the deadline itself; ours is for a libvirtd that does not.
    if (call_run(what, clock_left(end_ms) + CALL_MS, asking_run, asking, asking_release, err) < 0)
        return -1;
    int result = jv_parse(asking->answer, strlen(asking->answer), ret, err);
    asking_release(asking);
    return result;
}

static struct jv *
command_new(const char *name, struct jv *arguments)
{
    struct jv *command = jv_object();
    jv_set_string(command, "execute", name);
    jv_set(command, "arguments", arguments);
    return command;
}

// ---- one program -----------------------------------------------------------------------------------

static int
start(virDomainPtr domain, const char *const *argv, int64_t end_ms, long long *ret_pid,
    struct error *err)
{
    struct jv *arguments = jv_object();
    struct jv *rest = jv_array();
    for (size_t i = 1; argv[i] != NULL; i++)
        jv_push(rest, jv_string(argv[i]));
    jv_set_string(arguments, "path", argv[0]);
    jv_set(arguments, "arg", rest);
    jv_set_bool(arguments, "capture-output", true);
    JV_AUTO struct jv *answer = NULL;
    if (ask(domain, command_new("guest-exec", arguments), end_ms, &answer, err) < 0)
        return -1;
    *ret_pid = jv_get_int(jv_get(answer, "return"), "pid", -1);
    return 0;
}

static int
base64_value(char letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    return found != NULL ? (int) (found - letters) : -1;
}

// text (RFC 4648 base64, may be NULL) added to buf, as long as there is room.
static void
add_base64(struct buf *buf, const char *text)
{
    unsigned bits = 0, count = 0;
    for (; text != NULL && *text != '\0' && buf->length < OUTPUT_MAX; text++) {
        int value = base64_value(*text);
        if (value < 0)
            break; // padding
        bits = (bits << 6 | (unsigned) value) & 0xffffffU;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        const char byte = (char) (bits >> count & 0xffU);
        buf_add_bytes(buf, &byte, 1);
    }
}

static void
read_end(const struct jv *status, int *ret_status, char **ret_output)
{
    long long number = jv_get_int(status, "signal", 0);
    *ret_status = (int) (number > 0 ? 128 + number : jv_get_int(status, "exitcode", 0));
    if (ret_output == NULL)
        return;
    struct buf output = {0};
    add_base64(&output, jv_get_string(status, "out-data"));
    add_base64(&output, jv_get_string(status, "err-data"));
    *ret_output = buf_take(&output);
}

static int
wait_for_end(virDomainPtr domain, long long pid, int64_t end_ms, int *ret_status, char **ret_output,
    struct error *err)
{
    for (;;) {
        JV_AUTO struct jv *answer = NULL;
        struct jv *arguments = jv_object();
        jv_set_int(arguments, "pid", pid);
        if (ask(domain, command_new("guest-exec-status", arguments), end_ms, &answer, err) < 0)
            return -1;
        const struct jv *status = jv_get(answer, "return");
        if (jv_get_bool(status, "exited", false)) {
            read_end(status, ret_status, ret_output);
            return 0;
        }
        if (clock_left(end_ms) == 0)
            return error_set(err, ERR_GUEST,
                "a program that was started in '%s' by its guest agent did not end in time: see "
                "'airbuild console %s'",
                virDomainGetName(domain), virDomainGetName(domain));
        if (clock_sleep(LOOK_MS, err) < 0)
            return -1;
    }
}

int
virt_agent_run(struct virt *virt, const char *cluster, const char *name, const char *const *argv,
    int64_t timeout_ms, int *ret_status, char **ret_output, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    int64_t end = clock_ms() + timeout_ms;
    long long pid;
    if (domain_find(virt, cluster, name, &domain, err) < 0 ||
        start(domain, argv, end, &pid, err) < 0)
        return -1;
    return wait_for_end(domain, pid, end, ret_status, ret_output, err);
}
