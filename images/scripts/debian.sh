#!/bin/sh
# debian.sh - functions that install Debian's packages into an image, run inside the appliance by builder/bake/. A change
# that alters the images of the same recipes needs new formats in builder/bake/source.c.
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

# list: prints NAME VERSION of every installed package.
list() {
    dpkg-query -W -f '${Package} ${Version}\n'
}

# prepare: invoke-rc.d(8) starts no service while this program exists; remove_identity deletes it.
prepare() {
    rm -f /usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 0755 /usr/sbin/policy-rc.d
}

update() {
    apt update
}

# download PACKAGE...: them and their dependencies, to the folder of packages.
download() {
    apt install --download-only "$@"
    mkdir -p "$packages"
    find /var/cache/apt/archives -name '*.deb' -exec mv -t "$packages" {} +
}

# install_downloaded: install all of that folder, and delete it.
install_downloaded() {
    set -- "$packages"/*.deb
    [ ! -e "$1" ] || apt install "$@"
    rm -rf "${packages%/*}" "$log"
}

"$@"
