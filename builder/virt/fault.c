// fault.c - libvirt's errors made into ours: its cause, its own words, what to do next.
// SPDX-License-Identifier: Apache-2.0
#include "virt/internal.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
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

// errno of a system call that libvirt says has failed, else 0: what virLastErrorIsSystemErrno
// reads.
static int
errno_of(const virError *fault)
{
    return fault->code == VIR_ERR_SYSTEM_ERROR && fault->int1 > 0 ? fault->int1 : 0;
}

// The daemon's socket, or what was said over it (virnetsocket.c, virnetclient.c of libvirt).
static bool
is_of_socket(const virError *fault)
{
    return fault->domain == VIR_FROM_RPC;
}

static bool
is_access(const virError *fault)
{
    int number = errno_of(fault);
    return fault->code == VIR_ERR_AUTH_FAILED || fault->code == VIR_ERR_AUTH_CANCELLED ||
           fault->code == VIR_ERR_AUTH_UNAVAILABLE || fault->code == VIR_ERR_ACCESS_DENIED ||
           (is_of_socket(fault) && (number == EACCES || number == EPERM));
}

static bool
is_absent(const virError *fault)
{
    int number = errno_of(fault);
    return fault->code == VIR_ERR_NO_CONNECT ||
           (is_of_socket(fault) && (number == ENOENT || number == ECONNREFUSED));
}

// QEMU says only in words why it ended, and libvirt passes them on. It runs in the locale C
// (qemuBuildCommandLine of libvirt), so they are those of strerrordesc_np, which translates
// nothing.
static bool
qemu_says(const virError *fault, const char *message, int number)
{
    return fault->domain == VIR_FROM_QEMU && errno_of(fault) == 0 &&
           strstr(message, strerrordesc_np(number)) != NULL;
}

static bool
is_space(const virError *fault, const char *message)
{
    static const int numbers[] = {ENOSPC, EDQUOT, ENOMEM};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (errno_of(fault) == numbers[i] || qemu_says(fault, message, numbers[i]))
            return true;
    return fault->code == VIR_ERR_NO_MEMORY;
}

// Asked last: what else the connection itself complains of is that it broke.
static bool
is_lost(const virError *fault)
{
    return fault->code == VIR_ERR_RPC || is_of_socket(fault);
}

int
fault_translate(struct error *err, const virError *fault, const char *message, const char *what)
{
    if (is_access(fault))
        return error_set(err, ERR_ACCESS,
            "%s: %s; run as root, or join the group 'libvirt' ('usermod -aG libvirt USER') and log "
            "in again",
            what, message);
    if (is_absent(fault))
        return error_set(err, ERR_LIBVIRT,
            "%s: %s; libvirtd is not running: start it with 'systemctl start libvirtd', or use a "
            "private one ('scripts/lab up')",
            what, message);
    if (fault->code == VIR_ERR_NO_DOMAIN || fault->code == VIR_ERR_NO_NETWORK)
        return error_set(err, ERR_NOT_FOUND, "%s: %s; see 'virsh list --all'", what, message);
    if (fault->code == VIR_ERR_OPERATION_TIMEOUT)
        return error_set(err, ERR_TIMEOUT, "%s: %s; try again", what, message);
    if (is_space(fault, message))
        return error_set(err, ERR_SPACE, "%s: %s; free some and try again", what, message);
    if (is_lost(fault))
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
    static const virError unknown = {.code = VIR_ERR_INTERNAL_ERROR};
    virErrorPtr last = virGetLastError();
    if (last == NULL || last->message == NULL)
        return fault_translate(err, &unknown, "libvirt does not say why", what);
    FREE_AUTO char *message = one_line(last->message);
    return fault_translate(err, last, message, what);
}

int
fault_foreign(struct error *err, const char *kind, const char *name, const struct mark *mark,
    const char *cluster)
{
    if (mark->cluster == NULL)
        return error_set(err, ERR_CONFLICT,
            "the %s '%s' was not made by airbuild and is not touched: rename it, or choose another "
            "name in cluster.yaml",
            kind, name);
    FREE_AUTO char *whose = mark->folder != NULL
                                ? str_format("'%s' of the folder '%s'", mark->cluster, mark->folder)
                                : str_format("'%s'", mark->cluster);
    if (cluster == NULL || str_equal(mark->cluster, cluster))
        return error_set(err, ERR_CONFLICT,
            "the %s '%s' belongs to another cluster %s and is not touched: destroy that cluster "
            "where it was launched, or choose another name in cluster.yaml",
            kind, name, whose);
    return error_set(err, ERR_CONFLICT,
        "the %s '%s' belongs to the cluster %s, not to '%s', and is not touched: destroy that "
        "cluster, or choose another name in cluster.yaml",
        kind, name, whose, cluster);
}
