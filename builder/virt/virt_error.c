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

// QEMU reports only in words why it ended, and libvirt passes them on. It runs in the C locale
// (libvirt's qemuBuildCommandLine), so they are those of strerrordesc_np, which never translates.
static bool
is_space(const virError *fault, int number, const char *message)
{
    static const int numbers[] = {ENOSPC, EDQUOT, ENOMEM};
    bool in_words = fault->domain == VIR_FROM_QEMU && number == 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (number == numbers[i] ||
            (in_words && strstr(message, strerrordesc_np(numbers[i])) != NULL))
            return true;
    return fault->code == VIR_ERR_NO_MEMORY;
}

int
virt_error_translate(
    struct error *err, const virError *fault, const char *message, const char *what)
{
    // The errno of the system call that failed, else 0, as virLastErrorIsSystemErrno does.
    int number = fault->code == VIR_ERR_SYSTEM_ERROR && fault->int1 > 0 ? fault->int1 : 0;
    // About the daemon's socket or protocol (libvirt's virnetsocket.c, virnetclient.c).
    bool of_socket = fault->domain == VIR_FROM_RPC;
    if (fault->code == VIR_ERR_AUTH_FAILED || fault->code == VIR_ERR_AUTH_CANCELLED ||
        fault->code == VIR_ERR_AUTH_UNAVAILABLE || fault->code == VIR_ERR_ACCESS_DENIED ||
        (of_socket && (number == EACCES || number == EPERM)))
        return error_set(err, ERR_ACCESS,
            "%s: %s; run as root, or join the group 'libvirt' ('usermod -aG libvirt USER') and log "
            "in again",
            what, message);
    if (fault->code == VIR_ERR_NO_CONNECT ||
        (of_socket && (number == ENOENT || number == ECONNREFUSED)))
        return error_set(err, ERR_LIBVIRT,
            "%s: %s; libvirtd is not running: start it with 'systemctl start libvirtd', or use a "
            "private one ('scripts/lab up')",
            what, message);
    if (fault->code == VIR_ERR_NO_DOMAIN || fault->code == VIR_ERR_NO_NETWORK)
        return error_set(err, ERR_NOT_FOUND, "%s: %s; see 'virsh list --all'", what, message);
    if (fault->code == VIR_ERR_OPERATION_TIMEOUT)
        return error_set(err, ERR_TIMEOUT, "%s: %s; try again", what, message);
    if (is_space(fault, number, message))
        return error_set(
            err, ERR_SPACE, "%s: %s; free some space or memory and try again", what, message);
    // Every other error of the connection means that it broke.
    if (fault->code == VIR_ERR_RPC || of_socket)
        return error_set(err, ERR_LIBVIRT,
            "%s: %s; libvirtd ended or hangs: look at its log, restart it and repeat the command",
            what, message);
    return error_set(err, ERR_LIBVIRT, "%s: %s; see libvirt's log", what, message);
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
    FREE_AUTO char *message = str_dup(last->message);
    for (size_t i = strlen(message); i > 0 && message[i - 1] == '\n';)
        message[--i] = '\0';
    for (char *at = message; (at = strchr(at, '\n')) != NULL;)
        *at = ' ';
    return virt_error_translate(err, last, message, what);
}
