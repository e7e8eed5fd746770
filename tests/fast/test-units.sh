#!/bin/bash
# test-units.sh - systemd accepts every line of the nodes' units and finds no ordering cycle, with the unit names of
# cloud-init up to 24.2 (Debian 12) and later. cloud-init's units are stand-ins with their relevant lines (see its systemd/
# folder). Nothing is started.
# SPDX-License-Identifier: Apache-2.0
set -u
root=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$root"' EXIT
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/../assert.sh"

# unit NAME: install a stand-in from standard input; cloud-init.target wants it if it is a service.
unit() {
    cat >"$root/usr/lib/systemd/system/$1"
    [[ $1 != *.service ]] || ln -s "/usr/lib/systemd/system/$1" "$root/etc/systemd/system/cloud-init.target.wants/$1"
}

# image ROLE NETWORK-STAGE ENABLED...: make a root folder for systemd.
image() {
    rm -rf "${root:?}"/*
    mkdir -p "$root"/usr/lib/systemd "$root"/usr/bin "$root"/usr/sbin \
        "$root"/etc/systemd/system/{multi-user,sysinit,cloud-init,network-online}.target.wants
    cp -r /usr/lib/systemd/system "$root/usr/lib/systemd/system"
    ln -s usr/lib "$root/lib"
    ln -s usr/bin "$root/bin"
    # This host's systemd may look for programs in bin only, or in sbin too.
    touch "$root"/usr/bin/{sh,bash,systemctl} "$root"/usr/{bin,sbin}/haproxy
    chmod 755 "$root"/usr/bin/{sh,bash,systemctl} "$root"/usr/{bin,sbin}/haproxy
    cp -r "$top/images/files/common/." "$top/images/files/$1/." "$root"
    local name
    ln -s ../airbuild-setup.service "$root/etc/systemd/system/sysinit.target.wants/airbuild-setup.service"
    for name in airbuild-clock airbuild-thaw "${@:3}"; do
        ln -s "../$name.service" "$root/etc/systemd/system/multi-user.target.wants/$name.service"
    done
    ln -s /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
    ln -s /usr/lib/systemd/system/cloud-init.target "$root/etc/systemd/system/multi-user.target.wants/cloud-init.target"
    cloud_init "$2"
}

# cloud_init NETWORK-STAGE: install its units, the network stage under this name.
cloud_init() {
    unit cloud-init-local.service <<<$'[Unit]\nDefaultDependencies=no\nBefore=sysinit.target network-pre.target
[Service]\nType=oneshot\nExecStart=/bin/sh'
    unit "$1" <<<$'[Unit]\nDefaultDependencies=no\nAfter=cloud-init-local.service systemd-networkd-wait-online.service
Before=network-online.target sysinit.target systemd-user-sessions.service\n[Service]\nType=oneshot\nExecStart=/bin/sh'
    unit cloud-config.target <<<$'[Unit]\nWants=cloud-init-local.service '"$1"$'\nAfter=cloud-init-local.service '"$1"
    unit cloud-config.service <<<$'[Unit]\nAfter=network-online.target cloud-config.target
Wants=network-online.target cloud-config.target\n[Service]\nType=oneshot\nExecStart=/bin/sh'
    unit cloud-final.service <<<$'[Unit]\nAfter=network-online.target cloud-config.service multi-user.target
Wants=network-online.target cloud-config.service\n[Service]\nType=oneshot\nExecStart=/bin/sh'
    unit cloud-init.target <<<$'[Unit]\nAfter=multi-user.target'
}

# verify: print systemd's complaints about our units, and about any ordering cycle.
verify() {
    local names=("$root"/etc/systemd/system/*.service)
    systemd-analyze verify --man=no --root="$root" default.target "${names[@]##*/}" 2>&1 |
        grep -E 'cycle|^(/.*/)?(airbuild-[a-z]+|redis|sentinel|haproxy)\.service'
}

for stage in cloud-init.service cloud-init-network.service; do
    image redis "$stage" redis sentinel
    is "systemd accepts the units of a worker beside $stage" "" "$(verify)"
    image haproxy "$stage" haproxy
    is "systemd accepts the units of the head beside $stage" "" "$(verify)"
done

# The checks above do find such mistakes.
image redis cloud-init-network.service redis sentinel
sed -i 's/^DefaultDependencies=no$/After=cloud-final.service/' "$root/etc/systemd/system/airbuild-setup.service"
like "a unit after cloud-final is reported as a cycle" "ordering cycle" "$(verify)"
image redis cloud-init-network.service redis sentinel
sed -i 's/^ProtectClock=.*/ProtectClok=yes/' "$root/etc/systemd/system/redis.service"
like "a misspelt line is reported" "ProtectClok" "$(verify)"

# Also= and Alias= could conflict with a distribution's units.
for file in "$top"/images/files/*/etc/systemd/system/*.service; do
    [[ $file != */airbuild-thaw.service ]] || continue # airbuild-thaw.path starts it
    is "${file##*/} has one name" '' "$(sed '1,/^\[Install\]/d' "$file" | grep -vxE 'WantedBy=(multi-user|sysinit)[.]target')"
done
tap_end
