#!/bin/bash
# test-setup.sh - scripts/setup against a package manager made of paper: what it asks for, and what it says when that fails.
# The real one is not called: everything runs in a mount namespace of its own, with other programs in front.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # many a text here is for another shell to expand
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh

# In a mount namespace, so that the policy and the os-release of this machine can be others. Its mounts go with it.
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

# program NAME TEXT: a shell script of that name, found before the real one.
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
is 'every package is named once' '' "$(setup --print build run test | sort | uniq -d)"
like 'the groups differ' 'libguestfs-dev' "$(setup --print build)"
is 'and are told apart' '' "$(setup --print run | grep -e -dev)"
program dpkg-query 'for name; do [[ $name == -* || $name == \$* ]] || echo "installed $name"; done'
program apt-get 'echo called; exit 1'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup build run test
is 'all is installed: nothing is said or done' '0 ' "$status $output"

program dpkg-query 'for name; do [[ $name == -* || $name == npm ]] || echo "installed $name"; done'
program npm 'exit 0'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup test
is 'a command that came from elsewhere does for its package' '0 ' "$status $output"
rm "$scratch/bin/npm"
program apt-get 'echo "$*" >>"'"$scratch"'/asked"'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup test
like 'without it the package is asked for' ' install npm$' "$(<"$scratch/asked")"
program dpkg-query 'for name; do [[ $name == -* || $name == jq || $name == haproxy ]] || echo "installed $name"; done'
with() { refuses "$1" "$2" "$3" env PATH="$scratch/bin:$PATH" "${@:4}"; }
with 'an unknown group' 2 "no group 'tests'" scripts/setup tests
with 'not root' 4 'haproxy jq.*sudo scripts/setup test' setpriv --reuid 65534 --clear-groups scripts/setup test
program apt-get 'echo "$*" >>"'"$scratch"'/asked"; ls -l /usr/sbin/policy-rc.d; /usr/sbin/policy-rc.d redis-server start
    echo "policy $?" >>"'"$scratch"'/asked"'
program systemctl 'echo "systemctl $*" >>"'"$scratch"'/asked"'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup test
is 'what is absent is installed' 0 "$status"
like 'only that' 'no-install-recommends .* install haproxy jq' "$(<"$scratch/asked")"
like 'no service may start meanwhile' 'install haproxy jq
policy 101' "$(<"$scratch/asked")"
like 'nor with the machine' 'systemctl disable haproxy' "$(<"$scratch/asked")"
check_not 'no policy file is left' test -e /usr/sbin/policy-rc.d
printf '#!/bin/sh\nexit 104\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
run 20 env PATH="$scratch/bin:$PATH" scripts/setup test
like "a machine's own policy is obeyed" 'policy 104' "$(tail -n 2 "$scratch/asked")"
like 'and stays' 'exit 104' "$(</usr/sbin/policy-rc.d)"

last() { refuses "$1" "$2" "$3" bash -c 'PATH="$0/bin:$PATH" scripts/setup test 2>&1 >/dev/null' "$scratch"; }
program apt-get 'echo "W: Failed to fetch http://m/x  Temporary failure resolving m"
    [[ $* != *install* ]] || { echo "E: Unable to locate package jq"; exit 100; }'
last 'no network' 8 'mirror cannot be reached .*Temporary failure resolving'
program apt-get '[[ $* != *install* ]] || { echo "E: You do not have enough free space in /var."; exit 100; }'
last 'no space' 7 'disk is full'
program apt-get '[[ $* != *install* ]] || { echo "E: dpkg was interrupted"; exit 100; }'
last 'another failure' 1 'installing failed .E: dpkg was interrupted'

system 'ID=manjaro
ID_LIKE=arch'
program pacman 'echo "$*" >>"'"$scratch"'/asked"; [[ $1 != -T ]] || echo valkey'
run 20 env PATH="$scratch/bin:$PATH" scripts/setup run
is 'on Arch, pacman is asked' 0 "$status"
like 'for what is absent' '--needed --noconfirm valkey' "$(tail -n 1 "$scratch/asked")"
is 'what its packages have not is not asked for' '' "$(setup --print build run test | grep -x -e mawk -e mmdebstrap -e redis)"
program pacman '[[ $1 == -T ]] || exit 1'
rm -f /usr/bin/mawk
program mmdebstrap ''
run 20 env PATH="$scratch/bin:$PATH" scripts/setup build run test
is 'but told where a test needs it' "0 setup: Arch has no package 'mawk': the tests that call it fail until it is there, \
say from the AUR" "$status $output"
program pacman '[[ $1 != -T ]] || { echo jq && exit 127; }
    echo "error: failed retrieving file '"'jq.pkg.tar.zst'"' from m.example : The requested URL returned error: 404" >&2
    echo "error: failed to commit transaction (failed to retrieve some files)" >&2
    exit 1'
last "lists that are older than the mirrors" 1 "newer packages than pacman knows of: run 'pacman -Syu'"
program pacman '[[ $1 != -T ]] || { echo jq && exit 127; }
    echo "error: failed retrieving file '"'jq.pkg.tar.zst'"' from m.example : Could not resolve host: m.example" >&2
    echo "error: failed to commit transaction (failed to retrieve some files)" >&2
    exit 1'
last "no network on Arch" 8 "mirror cannot be reached .*Could not resolve host"
system ID=plan9
with 'an unknown system' 6 "neither Debian nor Arch but 'plan9'" scripts/setup
tap_end
