#!/bin/bash
# test-cluster.sh - the real cluster of four machines from nothing to nothing, in a lab of its own: images, launch with
# its mishaps, what a person types, loss of machines, stop, launch again, the drills that matter most, destroy.
# Needs root and build/airbuild; images come from AIRBUILD_HOME, or are baked into it.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # many a text here is for another shell to expand
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh
# shellcheck source=tests/e2e/drills.sh
. tests/e2e/drills.sh

readonly WORKERS='work11 work12 work13' ALL='head10 work11 work12 work13'
home=${AIRBUILD_HOME:-/var/lib/airbuild}
lab_begin airbuild-e2e

# ---- words of this test ---------------------------------------------------------------------------------------------

running() { virsh list --name | xargs; }
all_run() { [[ $(running | xargs -n 1 | sort | xargs) == "$ALL" ]]; }
goes() { [[ $(virsh domstate "$1") == running ]]; }
is_off() { [[ $(virsh domstate "$1") == 'shut off' ]]; }
domain_ids() { for node in $ALL; do virsh domid "$node"; done | xargs; }
converged() { inside airbuild status; }
# The images of the spec, file by file.
listing() { find "${disks[@]%/*}" -type f -printf '%p %s %T@\n' | sort; }
free_of() { ! grep -q -r -F -e "$1" "${@:2}"; }
# a node's processes know no password: not in their arguments, nor told on the console
passwords() { inside airbuild seed work11 --reveal | grep -o -E "password_[a-z]+='?[A-Za-z0-9]{32}" | grep -o -E '[A-Za-z0-9]{32}$'; }

# ---- images ---------------------------------------------------------------------------------------------------------

run 1500 build/airbuild images
tap "$status" 'images: all that the spec needs is baked' "$output"
run 60 build/airbuild images --json
mapfile -t disks < <(json '.images[].disk')
before=$(listing)
is 'there are three' 3 "${#disks[@]}"
run 60 build/airbuild images --json
is 'images again has nothing to bake' '0 false false false' "$status $(json '.images[].baked' | xargs)"
is 'and changes nothing' "$before" "$(listing)"
check 'the lab is up' lab up
air 60 status --json
ends 'status before any launch' 14

# ---- names in use ---------------------------------------------------------------------------------------------------

cat >"$scratch/foreign.xml" <<'EOF'
<domain type='qemu'><name>work12</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>
EOF
virsh define "$scratch/foreign.xml"
foreign=$(virsh dumpxml work12)
air 60 launch
ends 'launch meets a machine of the same name that is not ours' 9
like 'and names it' "'?work12'?" "$(said)"
is 'which is not touched' "$foreign" "$(virsh dumpxml work12)"
is 'nothing else was made' 'work12 ' "$(virsh list --all --name | xargs) $(virsh net-list --all --name | xargs)"
is 'nor any file, but the lock' '' "$(find "$state" -type f ! -name '.*.lock')"
virsh undefine work12

# ---- launch, with all that can happen meanwhile ---------------------------------------------------------------------

aside launch
check 'all four machines are started' within 120 all_run
ids=$(domain_ids)
air 60 launch
ends 'a second launch at the same time is told to wait' 11
virsh destroy work13
aside_ends 'a machine that powers off while it is awaited ends the launch' 60 13
like 'which names it' 'work13' "$(<"$scratch/aside")"
virsh destroy head10
hog 120
aside launch
check 'where others are at work nodes boot in turn' within 110 grep -q 'nodes boot 1 at a time' "$scratch/aside"
kill "${hogs[@]}"
check 'launch again starts it' within 60 all_run
check 'a worker first' within $BOOT_SECONDS goes work13
is 'the head waits' paused "$(virsh domstate head10)"
kill -INT -- "-$aside"
aside_ends 'Ctrl-C ends a launch' 60 130
check 'no machine is left to wait' goes head10
is 'and the machines go on' "$(cut -d ' ' -f 2,3 <<<"$ids")" "$(domain_ids | cut -d ' ' -f 2,3)"
ids=$(domain_ids)
air $BOOT_SECONDS launch
ends 'the next launch goes on from there until the cluster is converged' 0
is 'with the same machines' "$ids" "$(domain_ids)"
for node in $ALL; do like "the recap has $node" "$node" "$output"; done

air $BOOT_SECONDS launch --json
ends 'launch of a cluster that stands' 0
is 'is told to have changed nothing' true "$(json .unchanged)"
is 'and has not' "$ids" "$(domain_ids)"

air 60 status --json
ends 'status' 0
is 'converged' true "$(json .converged)"
like 'a worker is master' '^work1[123]$' "$(json .master)"
is 'nodes and addresses' 'head10=172.31.255.10 work11=172.31.255.11 work12=172.31.255.12 work13=172.31.255.13' \
    "$(json '[.nodes[] | .name + "=" + .address] | join(" ")')"
is 'all run' 'running running running running' "$(json '[.nodes[].state] | join(" ")')"
is 'one of them is master' 1 "$(json '[.nodes[] | select(.role == "master")] | length')"
is 'it is the one named' "$(json .master)" "$(json '.nodes[] | select(.role == "master").name')"
is 'two are replicas' 2 "$(json '[.nodes[] | select(.role == "replica")] | length')"

# ---- what a person types --------------------------------------------------------------------------------------------

is 'ten sets' "$(yes OK | head -n 10)" \
    "$(typed 'for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -h head10 -p 6380 set hello$i world$i; done')"
is 'ten gets' "$(printf 'world%d\n' 1 2 3 4 5 6 7 8 9 10)" \
    "$(typed 'for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -h head10 -p 6379 get hello$i; done')"
like 'info replication by the read port names a worker' '^master_host:(work1[123]|172\.31\.255\.1[123])' \
    "$(typed 'redis-cli -h head10 -p 6379 info replication | grep master_host')"
like 'a write by the read port is refused' READONLY "$(typed 'redis-cli -h head10 -p 6379 set hello1 x')"
like 'so is one without the password' NOAUTH "$(typed 'unset REDISCLI_AUTH; redis-cli -h head10 -p 6380 set hello1 x')"
is 'virsh list' "$ALL" "$(typed 'virsh list --name' | sort | xargs)"
check 'ssh work12 sudo systemctl kill --signal=SIGKILL redis' \
    typed 'ssh work12 sudo systemctl kill --signal=SIGKILL redis'
check 'the cluster recovers from it' within $BOOT_SECONDS converged
is 'ssh asks and remembers nothing' '' "$(typed 'ssh work11 true; ssh head10 true' 2>&1)"
is 'airbuild ssh runs a command' work13 "$(inside airbuild ssh work13 hostname </dev/null)"
like 'airbuild logs shows a console' 'airbuild: work11: ' "$(inside airbuild logs work11)"
# Enter, and then what ends it: ^].
like 'airbuild console talks to it' 'work11 login: ' "$(
    { sleep 3 && echo && sleep 4 && printf '\035'; } |
        timeout -k 5 60 script -qec 'scripts/lab exec -- airbuild console work11' /dev/null 2>&1 | tail -n 2)"

typed 'virsh shutdown work13' >/dev/null
check 'virsh shutdown work13 powers it off' within 240 is_off work13
like 'by itself, not by force' shutdown "$(virsh domstate work13 --reason)"
air 60 status --json
is 'status tells it' off "$(json '.nodes[] | select(.name == "work13").state')"
is 'writes go on' OK "$(typed 'redis-cli -h head10 -p 6380 set while-away yes')"
typed 'virsh start work13' >/dev/null
check 'virsh start work13 brings it back' within $BOOT_SECONDS converged
air 60 status --json
is 'as a replica' 'running replica true' "$(json '.nodes[] | select(.name == "work13") | "\(.state) \(.role) \(.link_up)"')"
is 'with what it missed' yes "$(typed 'redis-cli -h work13 get while-away')"

# ---- clocks ---------------------------------------------------------------------------------------------------------

# clock_of WORKER: how many milliseconds its clock is ahead of this host's, as its redis has it.
clock_of() {
    typed 'now=$(redis-cli -h '"$1"' info server | sed -n "s/^server_time_usec:\([0-9]*\).*/\1/p")
        [ "$now" ] && echo $((now / 1000 - ${EPOCHREALTIME/./} / 1000))'
}
# A second, and what the question itself may take.
clocks_are_right() {
    local node ahead
    for node in $WORKERS; do
        ahead=$(clock_of "$node")
        [[ $ahead ]] && ((ahead > -1200 && ahead < 1200)) || return
    done
}
# clocks_were_set TENS: by TENS and some seconds more.
clocks_were_set() {
    local node
    for node in $WORKERS; do
        inside airbuild logs "$node" | grep -q "clock set by +$1[0-9]\\." || return
    done
}
master() { inside airbuild status --json | jq -r .master; }
check 'clocks are right after the boot' within 30 clocks_are_right
leader=$(master)
for node in $ALL; do virsh suspend "$node"; done >/dev/null
sleep 20
for node in $ALL; do virsh resume "$node"; done >/dev/null
check 'machines that stood still set their clocks themselves' within 60 clocks_were_set 2
check 'and rightly' within 60 clocks_are_right
check 'the cluster is converged' within 60 converged
is 'under the same master' "$leader" "$(master)"
is 'sentinel did not notice' 'sentinel_tilt:0 sentinel_tilt:0 sentinel_tilt:0' \
    "$(typed "for w in $WORKERS; do redis-cli -h \$w -p 26379 info sentinel | grep -o 'sentinel_tilt:.'; done" | xargs)"
for node in $ALL; do virsh suspend "$node"; done >/dev/null
hog 20
air $BOOT_SECONDS launch
kill "${hogs[@]}" 2>/dev/null
ends 'launch sets machines going that stand still' 0
check_not 'all at once, however busy the host is' grep -q 'at a time' "$scratch/err"
is 'their master stays' "$leader" "$(master)"
is 'a key that expires is read at both ports' 'OK yes yes' \
    "$(typed 'for c in "6380 set fleeting yes ex 10" "6380 get fleeting" "6379 get fleeting"; do redis-cli -h head10 -p $c; done' | xargs)"

# ---- secrets --------------------------------------------------------------------------------------------------------

mapfile -t words < <(passwords)
like 'seed --reveal tells the passwords' '^[1-9]' "${#words[@]}"
inside airbuild seed work11 >"$scratch/seed"
inside cat /proc/[0-9]*/cmdline >"$scratch/arguments" 2>/dev/null
inside airbuild logs work11 >"$scratch/console"
told=0
for word in "${words[@]}"; do
    free_of "$word" "$scratch/seed" "$scratch/arguments" "$scratch/console" || told=$((told + 1))
done
is 'seed alone, arguments of processes and the console tell none' 0 "$told"
is 'the file of the secrets is for root alone' '600 root' "$(stat -c '%a %U' "$state/air/secrets.json")"
is 'so are the private keys' 600 "$(stat -c %a "$state/air/ssh/id_ed25519")"

# ---- stop, and launch with what was there ---------------------------------------------------------------------------

air 400 stop
ends 'stop' 0
is 'all are off' '' "$(running)"
inodes=$(stat -c '%i' "$state"/air/nodes/*/disk.qcow2 | xargs)
run $BOOT_SECONDS scripts/up
tap "$status" 'launch again, as the last step of make up' "$output"
is 'on the same disks' "$inodes" "$(stat -c '%i' "$state"/air/nodes/*/disk.qcow2 | xargs)"
is 'the data is there' world7 "$(typed 'redis-cli -h head10 -p 6379 get hello7')"
check 'and is on every worker' typed "for w in $WORKERS; do redis-cli -h \$w get while-away | grep -qx yes || exit; done"
like 'it says which shell to open' '    scripts/lab shell' "$output"
told=$(sed -n '/^    scripts.lab shell/d; s/^    //p' <<<"$output")
is 'and what to type there' "$(yes OK | head -n 10)
$(printf 'world%d\n' 1 2 3 4 5 6 7 8 9 10)" "$(typed "$told" | head -n 20)"
is 'to the end' 4 "$(typed "$told" | tail -n +21 | grep -c running)"

# ---- drills ---------------------------------------------------------------------------------------------------------

drills_run master-off all-off
drill_interrupted

# ---- destroy --------------------------------------------------------------------------------------------------------

air 60 destroy
ends 'destroy does not go on without an answer' 2
is 'and has not touched anything' "$ALL" "$(running | xargs -n 1 | sort | xargs)"
air 120 destroy --yes
ends 'destroy --yes' 0
is 'no machine is left' '' "$(virsh list --all --name | xargs)"
is 'no network' '' "$(virsh net-list --all --name | xargs)"
is 'no file' '' "$(find "$state" -mindepth 1)"
is 'the images are as they were' "$before" "$(listing)"
air 60 destroy --yes
ends 'destroy when there is nothing' 0

# ---- a damaged image ------------------------------------------------------------------------------------------------

redis=$scratch/home${disks[-1]#"$home"}
for disk in "${disks[@]}"; do
    folder=$scratch/home${disk#"$home"}
    mkdir -p "${folder%/*/*}"
    cp -r --sparse=always "${disk%/*}" "${folder%/*/*}/"
done
chmod u+w "$redis"
printf x | dd of="$redis" bs=1 seek=$(($(stat -c %s "$redis") / 2)) conv=notrunc status=none
run 120 env AIRBUILD_HOME="$scratch/home" build/airbuild images verify
is 'images verify notices one changed byte' 10 "$status"
like 'and says in which image' 'redis' "$output"
truncate -s -4096 "$redis"
run 120 scripts/lab exec -- env AIRBUILD_HOME="$scratch/home" airbuild launch
is 'launch does not start from an image cut short' 10 "$status"
is 'and leaves nothing' '' "$(virsh list --all --name | xargs)$(find "$state" -type f)"

lab down >/dev/null
check_not 'the lab leaves nothing' test -e "${state%/clusters}"
tap_end
