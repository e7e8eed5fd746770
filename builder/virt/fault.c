// fault.c - libvirt's errors made into ours: its cause, its own words, what to do next.
// SPDX-License-Identifier: Apache-2.0
#include "virt/internal.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <libvirt/virterror.h>
#include <string.h>

static void
say_nothing(void *context, virErrorPtr error)
{
    (void) context;
    (void) error;
}

// virSetErrorFunc(NULL, NULL) would bring back printing.
void
fault_silence(void)
{
    virSetErrorFunc(NULL, say_nothing);
}

static bool
is_access(int code, const char *message)
{
    return code == VIR_ERR_AUTH_FAILED || code == VIR_ERR_AUTH_CANCELLED ||
           code == VIR_ERR_AUTH_UNAVAILABLE || code == VIR_ERR_ACCESS_DENIED ||
           (strstr(message, "Failed to connect socket") != NULL &&
               strstr(message, "Permission denied") != NULL);
}

static bool
is_absent(int code, const char *message)
{
    return code == VIR_ERR_NO_CONNECT ||
           (code == VIR_ERR_SYSTEM_ERROR && strstr(message, "Failed to connect socket") != NULL);
}

static bool
is_space(const char *message)
{
    return strstr(message, "No space left on device") != NULL ||
           strstr(message, "Cannot allocate memory") != NULL;
}

static bool
is_lost(int code, const char *message)
{
    return code == VIR_ERR_RPC || strstr(message, "closed due to keepalive") != NULL ||
           strstr(message, "client socket is closed") != NULL;
}

int
fault_translate(struct error *err, int code, const char *message, const char *what)
{
    if (is_access(code, message))
        return error_set(err, ERR_ACCESS,
            "%s: %s; run as root, or join the group 'libvirt' ('usermod -aG libvirt USER') and log "
            "in again",
            what, message);
    if (is_absent(code, message))
        return error_set(err, ERR_LIBVIRT,
            "%s: %s; libvirtd is not running: start it with 'systemctl start libvirtd', or use a "
            "private one ('scripts/lab up')",
            what, message);
    if (code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_NO_NETWORK)
        return error_set(err, ERR_NOT_FOUND, "%s: %s; see 'virsh list --all'", what, message);
    if (code == VIR_ERR_OPERATION_TIMEOUT)
        return error_set(err, ERR_TIMEOUT, "%s: %s; try again", what, message);
    if (is_space(message))
        return error_set(err, ERR_SPACE, "%s: %s; free some and try again", what, message);
    if (is_lost(code, message))
        return error_set(err, ERR_LIBVIRT,
            "%s: %s; libvirtd went away or hangs: look at its log, start it again and repeat the "
            "command",
            what, message);
    return error_set(err, ERR_LIBVIRT, "%s: %s; libvirt's own log says more", what, message);
}

// libvirt's message in one line; caller frees.
static char *
one_line(const char *message)
{
    char *text = str_dup(message);
    for (size_t i = strlen(text); i > 0 && text[i - 1] == '\n';)
        text[--i] = '\0';
    for (char *at = text; (at = strchr(at, '\n')) != NULL;)
        *at = ' ';
    return text;
}

int
fault_set(struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *what = str_formatv(format, args);
    va_end(args);
    virErrorPtr last = virGetLastError();
    if (last == NULL || last->message == NULL)
        return fault_translate(err, VIR_ERR_INTERNAL_ERROR, "libvirt does not say why", what);
    FREE_AUTO char *message = one_line(last->message);
    return fault_translate(err, last->code, message, what);
}

int
fault_foreign(
    struct error *err, const char *kind, const char *name, const char *owner, const char *cluster)
{
    if (owner == NULL)
        return error_set(err, ERR_CONFLICT,
            "the %s '%s' was not made by airbuild and is not touched: rename it, or choose another "
            "name in cluster.yaml",
            kind, name);
    return error_set(err, ERR_CONFLICT,
        "the %s '%s' belongs to the cluster '%s', not to '%s', and is not touched: destroy that "
        "cluster, or choose another name in cluster.yaml",
        kind, name, owner, cluster);
}
