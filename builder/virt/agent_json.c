// agent_json.c - see agent_json.h.
// SPDX-License-Identifier: Apache-2.0
#include "virt/agent_json.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/jv.h"
#include "base/str.h"

#include <string.h>

// Takes arguments.
static char *
command(const char *name, struct jv *arguments)
{
    JV_AUTO struct jv *value = jv_object();
    jv_set_string(value, "execute", name);
    jv_set(value, "arguments", arguments);
    return jv_print(value, false);
}

char *
agent_exec(const char *const *argv)
{
    struct jv *arguments = jv_object();
    struct jv *rest = jv_array();
    for (size_t i = 1; argv[i] != NULL; i++)
        jv_push(rest, jv_string(argv[i]));
    jv_set_string(arguments, "path", argv[0]);
    jv_set(arguments, "arg", rest);
    jv_set_bool(arguments, "capture-output", true);
    return command("guest-exec", arguments);
}

char *
agent_exec_status(long long pid)
{
    struct jv *arguments = jv_object();
    jv_set_int(arguments, "pid", pid);
    return command("guest-exec-status", arguments);
}

static int
not_understood(const char *answer, struct error *err)
{
    return error_set(err, ERR_GUEST,
        "the guest agent answers '%.200s', which is not what it was asked; look whether "
        "qemu-guest-agent is alive in the guest",
        answer);
}

int
agent_started(const char *answer, long long *ret_pid, struct error *err)
{
    JV_AUTO struct jv *value = NULL;
    if (jv_parse(answer, strlen(answer), &value, err) < 0)
        return not_understood(answer, err);
    *ret_pid = jv_get_int(jv_get(value, "return"), "pid", -1);
    return *ret_pid > 0 ? 0 : not_understood(answer, err);
}

// Adds the bytes that base64 text (may be NULL) stands for, as many whole groups of it as fit.
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
    JV_AUTO struct jv *value = NULL;
    if (jv_parse(answer, strlen(answer), &value, err) < 0)
        return not_understood(answer, err);
    const struct jv *status = jv_get(value, "return");
    long long number = jv_get_int(status, "signal", 0);
    if (jv_get(status, "exited") == NULL)
        return not_understood(answer, err);
    *ret_ended = jv_get_bool(status, "exited", false);
    if (!*ret_ended)
        return 0;
    *ret_status = (int) (number > 0 ? 128 + number : jv_get_int(status, "exitcode", 0));
    if (ret_output != NULL) {
        struct buf output = {0};
        add_agent_output(&output, jv_get_string(status, "out-data"));
        add_agent_output(&output, jv_get_string(status, "err-data"));
        *ret_output = buf_take(&output);
    }
    return 0;
}
