#!/bin/bash
# test-lab.sh - scripts/lab for real: what it starts inside is invisible outside, and `down` leaves nothing of it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # many a text here is for another shell to expand
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh

scratch=$(mktemp -d)
export AIRBUILD_LAB_HOME=$scratch/labs
unset LAB
one=labtest-one two=labtest-two
cleanup() {
    lab $one down
    lab $two down
    rm -rf "$scratch"
} >/dev/null 2>&1
trap cleanup EXIT

lab() { timeout -k 5 60 scripts/lab --name "$@"; }
in_one() { lab $one exec -- "$@"; }
in_two() { lab $two exec -- "$@"; }
holder() { cut -d' ' -f1 "$AIRBUILD_LAB_HOME/$1/holder"; }
namespaces() { readlink /proc/"$(holder "$1")"/ns/{pid,mnt,net}; }
# Processes that live in one of the namespaces given, one inode a line.
members() { find /proc/[0-9]*/ns -type l -printf '%p %l\n' 2>/dev/null | grep -F "$1"; }
# The same as "START COMMAND PID", sorted: pids and the numbers of namespaces are used again.
processes() {
    members "$1" | sed 's,^/proc/\([0-9]*\)/.*,\1,' | sort -u | xargs -r ps -o lstart=,comm=,pid= -p | sort
}
# What of the machine a lab could have touched, without what other programs do meanwhile.
host_state() {
    grep -E ' /(proc|sys|run|etc|usr)[ /]| /var/[a-z]+/libvirt|labtest' /proc/self/mountinfo
    ip -o link | grep -o -E ' (air|labt|vnet|virbr)[^:]*:'
    iptables -S 2>/dev/null | grep LIBVIRT
    cat /proc/sys/net/ipv4/ip_forward /etc/hosts /etc/ssh/ssh_config
    find /run/libvirt /var/lib/libvirt /etc/libvirt /var/cache/libvirt 2>/dev/null | sort
}

cat >"$scratch/network.xml" <<'EOF'
<network><name>labtest</name><bridge name='labtest0'/>
<ip address='172.31.254.254' prefix='24'><dhcp><range start='172.31.254.1' end='172.31.254.9'/></dhcp></ip></network>
EOF
cat >"$scratch/domain.xml" <<'EOF'
<domain type='qemu'><name>labtest</name><memory unit='MiB'>64</memory><os><type machine='q35'>hvm</type></os>
<devices><interface type='network'><source network='labtest'/><model type='virtio'/></interface></devices></domain>
EOF

before=$(host_state)

# ---- misuse ---------------------------------------------------------------------------------------------------------
refuses 'an unknown command' 2 "no command 'dance'" scripts/lab dance
refuses 'an argument too many' 2 "'up' takes no 'x'" scripts/lab up x
refuses 'exec without a command' 2 'needs a command' scripts/lab exec --
refuses '--name without a name' 2 "'--name' needs a name" scripts/lab --name
refuses 'a name with a path in it' 2 "'../x' is no name for a lab" scripts/lab --name ../x up
refuses 'a relative AIRBUILD_LAB_HOME' 2 "AIRBUILD_LAB_HOME is 'labs'" env AIRBUILD_LAB_HOME=labs scripts/lab up
refuses 'the holder command by hand' 2 "'hold' is for the lab itself" scripts/lab hold
refuses 'not root' 4 'needs root' setpriv --reuid 65534 --clear-groups scripts/lab up
refuses 'exec with no lab up' 14 "no lab '$one' is up" scripts/lab --name $one exec -- true
refuses 'status with no lab' 14 "there is no lab '$one'" scripts/lab --name $one status
mkdir "$scratch/bin"
for program in bash env dirname; do ln -s "$(type -P $program)" "$scratch/bin/"; done
refuses 'a missing program is named' 6 "'virsh'.*scripts/setup run" env PATH="$scratch/bin" scripts/lab --name $one up
printf '#!/bin/sh\necho the dog ate it >&2\nexit 1\n' >"$scratch/bin/libvirtd"
chmod +x "$scratch/bin/libvirtd"
refuses 'a libvirtd that does not start' 5 'the dog ate it' env PATH="$scratch/bin:$PATH" scripts/lab --name $one up
printf '#!/bin/sh\necho no namespace for you >&2\nexit 1\n' >"$scratch/bin/unshare"
chmod +x "$scratch/bin/unshare"
refuses 'namespaces that cannot be made' 5 'no namespace for you' \
    env PATH="$scratch/bin:$PATH" scripts/lab --name $one up
check_not 'a lab that did not come up leaves nothing' test -e "$AIRBUILD_LAB_HOME"

# ---- up -------------------------------------------------------------------------------------------------------------
run 60 scripts/lab --name $one up
is 'up' "0 lab '$one' is up" "$status ${output% (*}"
run 60 scripts/lab --name $one up
is 'up again: nothing to do' "0 lab '$one' is up already" "$status $output"
ids=$(namespaces $one)
lab $two up >"$scratch/two" &
lab $one status >/dev/null &
wait %1
is 'a second lab beside it' 0 $?

# ---- what runs inside, and only there -------------------------------------------------------------------------------
for in in in_one in_two; do
    check "$in: a network of the same name and address starts" \
        $in sh -c "virsh -q net-define $scratch/network.xml && virsh -q net-start labtest"
done
check 'its bridge is there inside' in_one ip link show labtest0
check_not 'and not outside' ip link show labtest0
check 'its dnsmasq listens' within 5 in_one sh -c 'ss -lun | grep -q 172.31.254.254:53'
check 'its firewall rules are there' in_one sh -c 'iptables -S | grep -q LIBVIRT'
check 'a machine starts on it' in_one virsh -q create "$scratch/domain.xml"
check 'and is plugged into the bridge' in_one sh -c 'ip -o link show master labtest0 | grep -q vnet'
is 'the other lab does not see it' '' "$(in_two virsh -q list --name)"
check_not 'nor does the machine itself' sh -c 'timeout 10 virsh -c qemu:///system domstate labtest'
is 'the machine is as it was' "$before" "$(host_state)"

# ---- what a person types --------------------------------------------------------------------------------------------
is 'names of the default nodes resolve' 172.31.255.13 "$(in_one getent hosts work13 | cut -d' ' -f1)"
mkdir -p "$AIRBUILD_LAB_HOME/$one/clusters/sea/ssh"
printf 'Host %s\n    HostName %s\n    User me\n' shell7 172.31.9.7 work13 172.31.9.13 \
    >"$AIRBUILD_LAB_HOME/$one/clusters/sea/ssh/config"
check "a new cluster's names resolve soon" within 5 in_one getent hosts shell7
is 'and come before the default ones' 172.31.9.13 "$(in_one getent hosts work13 | cut -d' ' -f1)"
is 'ssh knows its nodes' 'user me hostname 172.31.9.7' "$(in_one ssh -G shell7 2>/dev/null | grep -E '^(user|hostname) ' | xargs)"
is 'the other lab does not know them' '' "$(in_two getent hosts shell7)"
rm -r "$AIRBUILD_LAB_HOME/$one/clusters/sea"
gone() { ! in_one getent hosts shell7; }
check 'the names go with their cluster' within 5 gone
is 'the default ones come back' 172.31.255.13 "$(in_one getent hosts work13 | cut -d' ' -f1)"
check 'redis-cli is at hand' in_one redis-cli --version
is 'exec passes arguments as they are' '[a b][][$x]' "$(in_one printf '[%s]' 'a b' '' '$x')"
is 'and standard input, and the working folder' "$PWD:text" "$(echo text | in_one sh -c 'echo "$PWD:$(cat)"')"
run 20 scripts/lab --name $one exec -- sh -c 'exit 42'
is 'and the exit status' 42 "$status"
is 'and the environment' "$one qemu:///system $AIRBUILD_LAB_HOME/$one/clusters" \
    "$(in_one sh -c 'echo $AIRBUILD_LAB $LIBVIRT_DEFAULT_URI $AIRBUILD_STATE')"
refuses 'a lab in a lab' 2 "inside lab '$one' already" scripts/lab --name $one exec -- scripts/lab up
scripts/lab --name $one exec -- sleep 4321 &
check 'a command runs' within 5 pgrep -f '^sleep 4321'
kill $!
check 'and ends when its exec is ended' within 5 sh -c '! pgrep -f "^sleep 4321"'
run 20 script -qec "scripts/lab --name $one shell" /dev/null < <(
    sleep 1
    printf 'virsh -q net-list --name\nexit\n'
    sleep 1
)
like 'shell greets' "Lab '$one'" "$output"
like 'its prompt names the lab' "lab $one" "$output"
like 'and it is inside' 'labtest' "$output"
check_not 'nothing complains of polkit' grep -q -i polkit <<<"$output"

# ---- mishaps --------------------------------------------------------------------------------------------------------
in_one sh -c 'kill -KILL $(cat /run/libvirtd.pid)'
check 'libvirtd is killed: it is back' within 15 in_one virsh -q domstate labtest
is 'and the machine ran on' running "$(in_one virsh -q domstate labtest | xargs)"
like 'status tells' 'running +labtest' "$(lab $one status)"
old=$(processes "$ids")
kill -KILL "$(holder $one)"
check 'the holder is killed: status tells' within 10 sh -c "scripts/lab --name $one status | grep -q 'ended by force'"
run 20 scripts/lab --name $one status
is 'by its exit status, too' 1 "$status"
refuses 'exec says what to do' 14 "scripts/lab --name $one up" scripts/lab --name $one exec -- true
check 'up brings it back' lab $one up
ids=$(namespaces $one)
like 'much had run in it' qemu "$old"
is 'and has ended' '' "$(comm -12 <(echo "$old") <(processes "$ids"))"
is 'with what was defined, as after a loss of power' labtest "$(in_one virsh -q net-list --inactive --name | xargs)"
is 'the other lab did not notice' labtest "$(in_two virsh -q net-list --name | xargs)"

# ---- down -----------------------------------------------------------------------------------------------------------
in_one sh -c 'virsh -q net-start labtest && virsh -q create "$1"' - "$scratch/domain.xml"
old=$(processes "$ids")
run 60 scripts/lab --name $one down
is 'down' "0 lab '$one' is gone" "$status $output"
like 'much had run in it' qemu "$old"
is 'no process of it is left' '' "$(comm -12 <(echo "$old") <(processes "$ids"))"
check_not 'no file is left' test -e "$AIRBUILD_LAB_HOME/$one"
is 'the other lab did not notice' labtest "$(in_two virsh -q net-list --name | xargs)"
kill -KILL "$(holder $two)"
run 60 scripts/lab --name $two down
is 'down of a killed lab' "0 lab '$two' is gone" "$status $output"
check_not 'the folder of the labs is gone with the last' test -e "$AIRBUILD_LAB_HOME"
check 'down with no lab is fine' lab $one down
is 'the machine is as it was' "$before" "$(host_state)"
tap_end
