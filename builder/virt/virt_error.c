// virt_error.c - libvirt's errors translated into ours: the cause, libvirt's own words, what to do.
// SPDX-License-Identifier: Apache-2.0
#include "virt/virt_error.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>

static void
ignore_libvirt_error(void *context, virErrorPtr error)
{
    (void) context;
    (void) error;
}

// virSetErrorFunc(NULL, NULL) would restore printing.
void
virt_error_silence(void)
{
    virSetErrorFunc(NULL, ignore_libvirt_error);
}

// Returns the errno of the system call that failed, else 0, as virLastErrorIsSystemErrno does.
static int
errno_of(const virError *fault)
{
    return fault->code == VIR_ERR_SYSTEM_ERROR && fault->int1 > 0 ? fault->int1 : 0;
}

// Returns whether it is about the daemon's socket or protocol (libvirt's virnetsocket.c,
// virnetclient.c).
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

// QEMU reports only in words why it ended, and libvirt passes them on. It runs in the C locale
// (libvirt's qemuBuildCommandLine), so they are those of strerrordesc_np, which never translates.
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

// Checked last: every other error of the connection means that it broke.
static bool
is_lost(const virError *fault)
{
    return fault->code == VIR_ERR_RPC || is_of_socket(fault);
}

int
virt_error_translate(
    struct error *err, const virError *fault, const char *message, const char *what)
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
        return error_set(
            err, ERR_SPACE, "%s: %s; free some space or memory and try again", what, message);
    if (is_lost(fault))
        return error_set(err, ERR_LIBVIRT,
            "%s: %s; libvirtd ended or hangs: look at its log, restart it and repeat the command",
            what, message);
    return error_set(err, ERR_LIBVIRT, "%s: %s; see libvirt's log", what, message);
}

// Returns libvirt's message in one line; caller frees.
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
virt_error_set(struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *what = str_formatv(format, args);
    va_end(args);
    static const virError unknown = {.code = VIR_ERR_INTERNAL_ERROR};
    virErrorPtr last = virGetLastError();
    if (last == NULL || last->message == NULL)
        return virt_error_translate(err, &unknown, "libvirt gives no reason", what);
    FREE_AUTO char *message = one_line(last->message);
    return virt_error_translate(err, last, message, what);
}
