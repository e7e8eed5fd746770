#!/bin/sh
# debian.sh - packages of Debian put into an image, inside the appliance: a function and its arguments, called by
# builder/bake/. A change that makes other images of the same recipes needs new formats in builder/bake/source.c.
# SPDX-License-Identifier: Apache-2.0
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
packages=/var/cache/airbuild/packages log=/tmp/apt.log

apt() {
    apt-get -q -y -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Acquire::Languages=none \
        -o APT::Install-Recommends=false -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 ||
        { grep '^E: ' "$log" >&2 || tail -n 4 "$log" >&2; return 1; }
}

# missing PACKAGE...: prints those that are not installed.
missing() {
    for name; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

# list: prints NAME VERSION of all that is installed.
list() {
    dpkg-query -W -f '${Package} ${Version}\n'
}

# prepare: no service is started, as invoke-rc.d(8) asks this program; it goes with the identity.
prepare() {
    rm -f /usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 0755 /usr/sbin/policy-rc.d
}

update() {
    apt update
}

# download PACKAGE...: they and what they need come into the folder of packages.
download() {
    apt install --download-only "$@"
    mkdir -p "$packages"
    find /var/cache/apt/archives -name '*.deb' -exec mv -t "$packages" {} +
}

# install_downloaded: all of that folder, which then goes.
install_downloaded() {
    set -- "$packages"/*.deb
    [ ! -e "$1" ] || apt install "$@"
    rm -rf "${packages%/*}" "$log"
}

"$@"
