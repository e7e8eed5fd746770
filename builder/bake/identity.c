// identity.c - images carry no identity: the list of what goes, and the look afterwards.
// SPDX-License-Identifier: Apache-2.0
#include "bake/identity.h"

#include "base/cleanup.h"

#include <string.h>

// Absent files are fine: one list for every family.
static const char remove_text[] =
    "rm -f /etc/ssh/ssh_host_*key* /etc/hostname /var/lib/dbus/machine-id "
    "/etc/udev/rules.d/70-persistent-net.rules /usr/sbin/policy-rc.d "
    "/var/lib/systemd/random-seed /var/lib/systemd/credential.secret /root/.bash_history "
    "/root/.wget-hsts /var/cache/debconf/*-old /var/lib/dpkg/*-old\n"
    "rm -rf /root/.ssh /root/.cache /var/lib/cloud /etc/pacman.d/gnupg /var/lib/airbuild\n"
    "for folder in /var/lib/dhcp /var/lib/dhcpcd /var/lib/NetworkManager /var/lib/redis "
    "/var/lib/valkey /var/lib/systemd/timers /var/lib/systemd/catalog /var/cache/apt "
    "/var/cache/pacman/pkg /var/cache/airbuild /var/lib/apt/lists /tmp /var/tmp /run/lock; do\n"
    "    [ ! -d \"$folder\" ] || find \"$folder\" -mindepth 1 -delete\n"
    "done\n"
    "[ ! -d /var/log ] || find /var/log -type f -delete\n"
    "[ ! -d /var/log/journal ] || find /var/log/journal -mindepth 1 -delete\n"
    "[ ! -f /etc/resolv.conf ] || [ -L /etc/resolv.conf ] || : > /etc/resolv.conf\n"
    "[ ! -d /var/cache/apt ] || mkdir -p /var/cache/apt/archives/partial\n"
    "[ ! -d /var/lib/apt ] || mkdir -p /var/lib/apt/lists/partial\n"
    "for file in /etc/redis/sentinel.conf /etc/valkey/sentinel.conf; do\n"
    "    [ ! -f \"$file\" ] || sed -i '/^sentinel myid/d' \"$file\"\n"
    "done\n"
    ": > /etc/machine-id\n"
    "chmod 0444 /etc/machine-id\n";

// Prints what should not be there. Found by kind, not by the list above.
static const char look_text[] =
    "[ -f /etc/machine-id ] && [ ! -s /etc/machine-id ] || echo /etc/machine-id\n"
    "for file in /etc/ssh/ssh_host_* /var/lib/dbus/machine-id /var/lib/systemd/random-seed "
    "/var/lib/cloud/* /var/lib/dhcp/* /var/lib/dhcpcd/* /var/lib/redis/* /var/lib/valkey/* "
    "/var/lib/airbuild/* /etc/airbuild/facts /root/.ssh/* /etc/pacman.d/gnupg "
    "/usr/sbin/policy-rc.d "
    "/var/cache/apt/archives/*.deb /var/cache/pacman/pkg/*; do\n"
    "    [ ! -e \"$file\" ] || echo \"$file\"\n"
    "done\n"
    "find /var/log -type f 2>/dev/null || true\n"
    "grep -ls '^sentinel myid' /etc/redis/*.conf /etc/valkey/*.conf 2>/dev/null || true\n";

int
identity_remove(struct guest *guest, struct error *err)
{
    FREE_AUTO char *left = NULL;
    guest_step(guest, 60 * 1000, "removing identity");
    if (guest_run(guest, remove_text, NULL, err) < 0 || guest_run(guest, look_text, &left, err) < 0)
        return -1;
    if (left[0] == '\0')
        return 0;
    for (char *end = left + strlen(left); end > left && end[-1] == '\n';)
        *--end = '\0';
    for (char *byte = left; *byte != '\0'; byte++)
        *byte = *byte == '\n' ? ' ' : *byte;
    return error_set(err, ERR_FAILED,
        "the image would carry an identity: %s; let a command step of the recipe remove it", left);
}
