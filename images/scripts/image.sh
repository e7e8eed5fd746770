#!/bin/sh
# image.sh - functions for images of any distribution, run inside the appliance by builder/bake/. A change that alters the
# images of the same recipes needs new formats in builder/bake/source.c.
# SPDX-License-Identifier: Apache-2.0
set -eu

# Both ways to boot; --removable needs no NVRAM entry, which a copied disk does not have. A shell sees disks by the
# kernel's names, in any order: libguestfs' /dev/sda may be the appliance's own there. The root is our third partition.
install_grub() {
    root=$(awk '$2 == "/" { device = $1 } END { print device }' /proc/mounts)
    grub-install --target=i386-pc "${root%3}"
    grub-install --target=x86_64-efi --efi-directory=/boot/efi --removable --no-nvram
}

# Prints the line by which the image's own GRUB boots its kernel, which says how the root is mounted.
kernel_line() {
    for file in /boot/grub/grub.cfg /boot/grub2/grub.cfg; do
        [ ! -f "$file" ] || grep -m 1 '^[[:space:]]*linux[[:space:]]' "$file" || true
    done
}

# Removes what identifies a machine: one list for all distributions, whose files may be absent.
remove_identity() {
    rm -f /etc/ssh/ssh_host_*key* /etc/hostname /var/lib/dbus/machine-id /etc/udev/rules.d/70-persistent-net.rules \
        /usr/sbin/policy-rc.d /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /root/.bash_history \
        /root/.wget-hsts /var/cache/debconf/*-old /var/lib/dpkg/*-old
    rm -rf /root/.ssh /root/.cache /var/lib/cloud /etc/pacman.d/gnupg /var/lib/airbuild
    for folder in /var/lib/dhcp /var/lib/dhcpcd /var/lib/NetworkManager /var/lib/redis /var/lib/valkey \
        /var/lib/systemd/timers /var/lib/systemd/catalog /var/cache/apt /var/cache/pacman/pkg /var/cache/airbuild \
        /var/lib/apt/lists /tmp /var/tmp /run/lock; do
        [ ! -d "$folder" ] || find "$folder" -mindepth 1 -delete
    done
    [ ! -d /var/log ] || find /var/log -type f -delete
    [ ! -d /var/log/journal ] || find /var/log/journal -mindepth 1 -delete
    [ ! -f /etc/resolv.conf ] || [ -L /etc/resolv.conf ] || : >/etc/resolv.conf
    [ ! -d /var/cache/apt ] || mkdir -p /var/cache/apt/archives/partial
    [ ! -d /var/lib/apt ] || mkdir -p /var/lib/apt/lists/partial
    for file in /etc/redis/sentinel.conf /etc/valkey/sentinel.conf; do
        [ ! -f "$file" ] || sed -i '/^sentinel myid/d' "$file"
    done
    : >/etc/machine-id
    chmod 0444 /etc/machine-id
}

# Prints the identity that is left, searched by kind and not by the list above.
find_identity() {
    if [ ! -f /etc/machine-id ] || [ -s /etc/machine-id ]; then
        echo /etc/machine-id
    fi
    for file in /etc/ssh/ssh_host_* /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/lib/cloud/* \
        /var/lib/dhcp/* /var/lib/dhcpcd/* /var/lib/redis/* /var/lib/valkey/* /var/lib/airbuild/* \
        /etc/airbuild/* /root/.ssh/* /etc/pacman.d/gnupg /usr/sbin/policy-rc.d \
        /var/cache/apt/archives/*.deb /var/cache/pacman/pkg/*; do
        [ ! -e "$file" ] || echo "$file"
    done
    find /var/log -type f 2>/dev/null || true
    grep -ls '^sentinel myid' /etc/redis/*.conf /etc/valkey/*.conf 2>/dev/null || true
}

"$@"
