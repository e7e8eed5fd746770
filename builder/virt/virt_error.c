// virt_error.c - libvirt's errors translated into ours: the cause, libvirt's own words, what to do.
// SPDX-License-Identifier: Apache-2.0
#include "virt/virt_error.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>

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
    enum error_code code = ERR_LIBVIRT;
    const char *fix = "see libvirt's log";
    if (fault->code == VIR_ERR_AUTH_FAILED || fault->code == VIR_ERR_AUTH_CANCELLED ||
        fault->code == VIR_ERR_AUTH_UNAVAILABLE || fault->code == VIR_ERR_ACCESS_DENIED ||
        (of_socket && (number == EACCES || number == EPERM))) {
        code = ERR_ACCESS;
        fix = "run as root, or join the group 'libvirt' ('usermod -aG libvirt USER') and log in "
              "again";
    } else if (fault->code == VIR_ERR_NO_CONNECT ||
               (of_socket && (number == ENOENT || number == ECONNREFUSED))) {
        fix = "libvirtd is not running: start it with 'systemctl start libvirtd', or use a private "
              "one ('scripts/lab up')";
    } else if (fault->code == VIR_ERR_NO_DOMAIN || fault->code == VIR_ERR_NO_NETWORK) {
        code = ERR_NOT_FOUND;
        fix = "see 'virsh list --all'";
    } else if (fault->code == VIR_ERR_OPERATION_TIMEOUT) {
        code = ERR_TIMEOUT;
        fix = "try again";
    } else if (is_space(fault, number, message)) {
        code = ERR_SPACE;
        fix = "free some space or memory and try again";
    } else if (fault->code == VIR_ERR_RPC || of_socket) { // the connection broke
        fix = "libvirtd ended or hangs: look at its log, restart it and repeat the command";
    }
    return error_set(err, code, "%s: %s; %s", what, message, fix);
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
