#!/bin/bash
# test-lab.sh - scripts/lab: what runs inside is invisible outside, and `down` leaves nothing.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # texts for another shell to expand
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
# members NAMESPACES: print the processes in one of these namespaces, which are one per line.
members() { find /proc/[0-9]*/ns -type l -printf '%p %l\n' 2>/dev/null | grep -F "$1"; }
# processes NAMESPACES: the same as "START COMMAND PID", sorted, as pids and namespace numbers are reused.
processes() {
    members "$1" | sed 's,^/proc/\([0-9]*\)/.*,\1,' | sort -u | xargs -r ps -o lstart=,comm=,pid= -p | sort
}
# host_state: print the parts of the host that a lab could change and other programs do not.
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
refuses 'an extra argument' 2 "'up' does not take 'x'" scripts/lab up x
refuses 'exec without a command' 2 'needs a command' scripts/lab exec --
refuses '--name without a name' 2 "'--name' needs a name" scripts/lab --name
refuses 'a name with a path' 2 "'../x' is not a valid lab name" scripts/lab --name ../x up
refuses 'a relative AIRBUILD_LAB_HOME' 2 "AIRBUILD_LAB_HOME is 'labs'" env AIRBUILD_LAB_HOME=labs scripts/lab up
refuses 'the internal command hold' 2 "'hold' is an internal command" scripts/lab hold
refuses 'to run without root' 4 'needs root' setpriv --reuid 65534 --clear-groups scripts/lab up
refuses 'exec with no lab up' 14 "no lab '$one' is up" scripts/lab --name $one exec -- true
refuses 'status with no lab' 14 "there is no lab '$one'" scripts/lab --name $one status
mkdir "$scratch/bin"
for program in bash env dirname; do ln -s "$(type -P $program)" "$scratch/bin/"; done
refuses 'to start without virsh, by name,' 6 "'virsh'.*scripts/setup run" env PATH="$scratch/bin" scripts/lab --name $one up
printf '#!/bin/sh\necho the dog ate it >&2\nexit 1\n' >"$scratch/bin/libvirtd"
chmod +x "$scratch/bin/libvirtd"
refuses 'a libvirtd that does not start' 5 'the dog ate it' env PATH="$scratch/bin:$PATH" scripts/lab --name $one up
printf '#!/bin/sh\necho no namespace for you >&2\nexit 1\n' >"$scratch/bin/unshare"
chmod +x "$scratch/bin/unshare"
refuses 'to run without namespaces' 5 'no namespace for you' \
    env PATH="$scratch/bin:$PATH" scripts/lab --name $one up
check_not 'a lab that failed to start leaves nothing' test -e "$AIRBUILD_LAB_HOME"

# ---- up -------------------------------------------------------------------------------------------------------------
run 60 scripts/lab --name $one up
is 'up starts a lab' "0 lab '$one' is up" "$status ${output% (*}"
run 60 scripts/lab --name $one up
is 'up again does nothing' "0 lab '$one' is up already" "$status $output"
ids=$(namespaces $one)
lab $two up >"$scratch/two" &
lab $one status >/dev/null &
wait %1
is 'a second lab can run in parallel' 0 $?

# ---- what runs inside, and only there -------------------------------------------------------------------------------
for in in in_one in_two; do
    check "$in: a network of the same name and address starts" \
        $in sh -c "virsh -q net-define $scratch/network.xml && virsh -q net-start labtest"
done
check "the network's bridge exists inside" in_one ip link show labtest0
check_not "the network's bridge does not exist outside" ip link show labtest0
check 'dnsmasq listens inside' within 5 in_one sh -c 'ss -lun | grep -q 172.31.254.254:53'
check "libvirt's firewall rules exist inside" in_one sh -c 'iptables -S | grep -q LIBVIRT'
check 'a machine starts' in_one virsh -q create "$scratch/domain.xml"
check 'the machine is connected to the bridge' in_one sh -c 'ip -o link show master labtest0 | grep -q vnet'
is 'the other lab does not see the machine' '' "$(in_two virsh -q list --name)"
check_not "the host's libvirt does not see the machine" sh -c 'timeout 10 virsh -c qemu:///system domstate labtest'
is 'a running lab does not change the host' "$before" "$(host_state)"

# ---- what a person types --------------------------------------------------------------------------------------------
is 'names of the default nodes resolve' 172.31.255.13 "$(in_one getent hosts work13 | cut -d' ' -f1)"
mkdir -p "$AIRBUILD_LAB_HOME/$one/clusters/sea/ssh"
printf 'Host %s\n    HostName %s\n    User me\n' shell7 172.31.9.7 work13 172.31.9.13 \
    >"$AIRBUILD_LAB_HOME/$one/clusters/sea/ssh/config"
check "the names of a new cluster resolve soon" within 5 in_one getent hosts shell7
is 'names of a cluster override the default ones' 172.31.9.13 "$(in_one getent hosts work13 | cut -d' ' -f1)"
is 'ssh has the configuration of the cluster' 'user me hostname 172.31.9.7' "$(in_one ssh -G shell7 2>/dev/null | grep -E '^(user|hostname) ' | xargs)"
is 'the other lab does not resolve these names' '' "$(in_two getent hosts shell7)"
rm -r "$AIRBUILD_LAB_HOME/$one/clusters/sea"
gone() { ! in_one getent hosts shell7; }
check 'the names of a removed cluster do not resolve' within 5 gone
is 'the default names resolve again' 172.31.255.13 "$(in_one getent hosts work13 | cut -d' ' -f1)"
check 'redis-cli can run inside' in_one redis-cli --version
is 'exec passes arguments unchanged' '[a b][][$x]' "$(in_one printf '[%s]' 'a b' '' '$x')"
is 'exec passes standard input and the working folder' "$PWD:text" "$(echo text | in_one sh -c 'echo "$PWD:$(cat)"')"
run 20 scripts/lab --name $one exec -- sh -c 'exit 42'
is 'exec returns the exit status' 42 "$status"
is 'exec sets the environment' "$one qemu:///system $AIRBUILD_LAB_HOME/$one/clusters" \
    "$(in_one sh -c 'echo $AIRBUILD_LAB $LIBVIRT_DEFAULT_URI $AIRBUILD_STATE')"
refuses 'a lab in a lab' 2 "already inside lab '$one'" scripts/lab --name $one exec -- scripts/lab up
scripts/lab --name $one exec -- sleep 4321 &
check 'a command runs in the background' within 5 pgrep -f '^sleep 4321'
kill $!
check 'a command ends with its exec' within 5 sh -c '! pgrep -f "^sleep 4321"'
run 20 script -qec "scripts/lab --name $one shell" /dev/null < <(
    sleep 1
    printf 'virsh -q net-list --name\nexit\n'
    sleep 1
)
like 'shell prints a greeting' "Lab '$one'" "$output"
like 'the prompt of shell names the lab' "lab $one" "$output"
like 'shell runs inside the lab' 'labtest' "$output"
check_not 'shell prints no error about polkit' grep -q -i polkit <<<"$output"

# ---- mishaps --------------------------------------------------------------------------------------------------------
in_one sh -c 'kill -KILL $(cat /run/libvirtd.pid)'
check 'a killed libvirtd restarts' within 15 in_one virsh -q domstate labtest
is 'machines survive a killed libvirtd' running "$(in_one virsh -q domstate labtest | xargs)"
like 'status lists running machines' 'running +labtest' "$(lab $one status)"
old=$(processes "$ids")
kill -KILL "$(holder $one)"
check 'status reports a killed lab' within 10 sh -c "scripts/lab --name $one status | grep -q 'ended by force'"
run 20 scripts/lab --name $one status
is 'status of a killed lab exits with 1' 1 "$status"
refuses 'exec in a killed lab, with the fix,' 14 "scripts/lab --name $one up" scripts/lab --name $one exec -- true
check 'up restarts a killed lab' lab $one up
ids=$(namespaces $one)
like 'a machine ran in the killed lab' qemu "$old"
is 'the processes of a killed lab have ended' '' "$(comm -12 <(echo "$old") <(processes "$ids"))"
is 'a restarted lab has its definitions, as after a power cut' labtest "$(in_one virsh -q net-list --inactive --name | xargs)"
is 'a killed lab does not affect another' labtest "$(in_two virsh -q net-list --name | xargs)"

# ---- down -----------------------------------------------------------------------------------------------------------
in_one sh -c 'virsh -q net-start labtest && virsh -q create "$1"' - "$scratch/domain.xml"
old=$(processes "$ids")
run 60 scripts/lab --name $one down
is 'down removes a lab' "0 lab '$one' is gone" "$status $output"
like 'a machine ran in the lab' qemu "$old"
is 'down leaves no process' '' "$(comm -12 <(echo "$old") <(processes "$ids"))"
check_not 'down leaves no file' test -e "$AIRBUILD_LAB_HOME/$one"
is 'down of one lab does not affect another' labtest "$(in_two virsh -q net-list --name | xargs)"
kill -KILL "$(holder $two)"
run 60 scripts/lab --name $two down
is 'down removes a killed lab' "0 lab '$two' is gone" "$status $output"
check_not 'down of the last lab removes the folder of labs' test -e "$AIRBUILD_LAB_HOME"
check 'down without a lab succeeds' lab $one down
is 'stopped labs do not change the host' "$before" "$(host_state)"
tap_end
