#!/bin/bash
# test-setup.sh - scripts/setup with a fake package manager: what it requests, and its errors. The real one is not called:
# everything runs in a mount namespace with fake programs first in PATH.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # texts for another shell to expand
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh

# A mount namespace, to replace the policy and os-release of this host.
if [[ ${1-} != inside ]]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    unshare --mount bash "$0" inside "$scratch"
    exit
fi
scratch=$2
chmod 755 "$scratch"
mkdir "$scratch"/{bin,upper,work}
mount -t tmpfs tmpfs "$scratch/work"
for folder in bin sbin; do
    mkdir -p "$scratch/work/$folder"/{upper,work}
    mount -t overlay overlay -o "lowerdir=/usr/$folder,upperdir=$scratch/work/$folder/upper,workdir=$scratch/work/$folder/work" \
        "/usr/$folder"
done
rm -f /usr/sbin/policy-rc.d /usr/bin/npm
export TMPDIR=$scratch

# program NAME TEXT: make a script of that name, which is found before the real program.
program() {
    printf '#!/bin/bash\n%s\n' "$2" >"$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}
system() {
    printf '%s\n' "$1" >"$scratch/os-release"
    mount --bind "$scratch/os-release" /etc/os-release
}
setup() { env PATH="$scratch/bin:$PATH" scripts/setup "$@"; }

system ID=debian
is '--print names each package once' '' "$(setup --print build run test | sort | uniq -d)"
like '--print build lists libraries to build with' 'libguestfs-dev' "$(setup --print build)"
is '--print run lists no libraries to build with' '' "$(setup --print run | grep -e -dev)"
program dpkg-query 'for name; do [[ $name == -* || $name == \$* ]] || echo "installed $name"; done'
program apt-get 'echo called; exit 1'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup build run test
is 'setup does nothing if all is installed' '0 ' "$status $output"

program dpkg-query 'for name; do [[ $name == -* || $name == npm ]] || echo "installed $name"; done'
program npm 'exit 0'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup test
is 'a command from elsewhere replaces its package' '0 ' "$status $output"
rm "$scratch/bin/npm"
program apt-get 'echo "$*" >>"'"$scratch"'/asked"'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup test
like 'setup installs npm if the command is missing' ' install npm$' "$(<"$scratch/asked")"
program dpkg-query 'for name; do [[ $name == -* || $name == jq || $name == haproxy ]] || echo "installed $name"; done'
with() { refuses "$1" "$2" "$3" env PATH="$scratch/bin:$PATH" "${@:4}"; }
with 'an unknown group' 2 "no group 'tests'" scripts/setup tests
with 'to install without root' 4 'haproxy jq.*sudo scripts/setup test' setpriv --reuid 65534 --clear-groups scripts/setup test
program apt-get 'echo "$*" >>"'"$scratch"'/asked"; ls -l /usr/sbin/policy-rc.d; /usr/sbin/policy-rc.d redis-server start
    echo "policy $?" >>"'"$scratch"'/asked"'
program systemctl 'echo "systemctl $*" >>"'"$scratch"'/asked"'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup test
is 'setup installs missing packages' 0 "$status"
like 'setup installs only missing packages' 'no-install-recommends .* install haproxy jq' "$(<"$scratch/asked")"
like 'setup prevents services from starting' 'install haproxy jq
policy 101' "$(<"$scratch/asked")"
like 'setup disables new test services at boot' 'systemctl disable haproxy' "$(<"$scratch/asked")"
check_not 'setup leaves no policy file' test -e /usr/sbin/policy-rc.d
printf '#!/bin/sh\nexit 104\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
run 20 env PATH="$scratch/bin:$PATH" scripts/setup test
like "setup obeys an existing policy" 'policy 104' "$(tail -n 2 "$scratch/asked")"
like 'setup keeps an existing policy' 'exit 104' "$(</usr/sbin/policy-rc.d)"

last() { refuses "$1" "$2" "$3" bash -c 'PATH="$0/bin:$PATH" scripts/setup test 2>&1 >/dev/null' "$scratch"; }
program apt-get 'echo "W: Failed to fetch http://m/x  Temporary failure resolving m"
    [[ $* != *install* ]] || { echo "E: Unable to locate package jq"; exit 100; }'
last 'to go on without a network' 8 'mirror cannot be reached .*Temporary failure resolving'
program apt-get '[[ $* != *install* ]] || { echo "E: You do not have enough free space in /var."; exit 100; }'
last 'to go on without disk space' 7 'disk is full'
program apt-get '[[ $* != *install* ]] || { echo "E: dpkg was interrupted"; exit 100; }'
last 'to go on after another failure' 1 'installing failed .E: dpkg was interrupted'

system 'ID=manjaro
ID_LIKE=arch'
program pacman 'echo "$*" >>"'"$scratch"'/asked"; [[ $1 != -T ]] || echo valkey'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup run
is 'setup runs pacman on Arch' 0 "$status"
like 'setup installs only missing packages on Arch' '--needed --noconfirm valkey' "$(tail -n 1 "$scratch/asked")"
is 'setup does not request packages that Arch lacks' '' "$(setup --print build run test | grep -x -e mawk -e mmdebstrap -e redis)"
program pacman '[[ $1 == -T ]] || exit 1'
rm -f /usr/bin/mawk
program mmdebstrap ''
run 20 env PATH="$scratch/bin:$PATH" scripts/setup build run test
is 'setup reports commands that Arch has no package of' "0 setup: Arch has no package 'mawk': install it, e.g. from the AUR, for the tests that \
need it" "$status $output"
program pacman '[[ $1 != -T ]] || { echo jq && exit 127; }
    echo "error: failed retrieving file '"'jq.pkg.tar.zst'"' from m.example : The requested URL returned error: 404" >&2
    echo "error: failed to commit transaction (failed to retrieve some files)" >&2
    exit 1'
last "package lists older than the mirrors" 1 "newer packages than pacman knows of: run 'pacman -Syu'"
program pacman '[[ $1 != -T ]] || { echo jq && exit 127; }
    echo "error: failed retrieving file '"'jq.pkg.tar.zst'"' from m.example : Could not resolve host: m.example" >&2
    echo "error: failed to commit transaction (failed to retrieve some files)" >&2
    exit 1'
last "to go on without a network on Arch" 8 "mirror cannot be reached .*Could not resolve host"
system ID=plan9
with 'an unknown system' 6 "neither Debian nor Arch but 'plan9'" scripts/setup
tap_end
