#!/bin/bash
# test-cluster.sh - the real cluster of four machines from nothing to nothing, in a lab of its own: images, launch with
# its mishaps, what a person types, loss of machines, stop, launch again, destroy.
# Needs root and build/airbuild; images come from AIRBUILD_HOME, or are baked into it. Failovers are the drills' part.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # many a text here is for another shell to expand
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh

export LAB=airbuild-e2e
unset AIRBUILD_STATE REDISCLI_AUTH
readonly BOOT_SECONDS=600 # four machines emulated on two busy cores
readonly WORKERS='work11 work12 work13' ALL='head10 work11 work12 work13'
home=${AIRBUILD_HOME:-/var/lib/airbuild}
state=${AIRBUILD_LAB_HOME:-/var/lib/airbuild-lab}/$LAB/clusters
scratch=$(mktemp -d)
cleanup() {
    [[ -z ${launched-} ]] || kill -KILL -- "-$launched"
    timeout -k 5 120 scripts/lab down
    rm -rf "$scratch"
} >/dev/null 2>&1
trap cleanup EXIT
trap 'exit 1' INT TERM

# ---- words of this test ---------------------------------------------------------------------------------------------

lab() { timeout -k 5 "${LAB_SECONDS:-120}" scripts/lab "$@"; }
inside() { lab exec -- "$@"; }
virsh() { inside virsh -q "$@"; }
json() { jq -r "$1" <<<"$output"; }
# air SECONDS ARGUMENT...: airbuild inside; sets status and output (standard output; the rest in $scratch/err).
air() {
    status=0
    output=$(timeout -k 10 "$1" scripts/lab exec -- airbuild "${@:2}" 2>"$scratch/err" </dev/null) || status=$?
}
said() { cat "$scratch/err"; }
# ends WHAT STATUS: the last `air` ended so.
ends() { tap "$(($2 != status))" "$1" "expected status $2, saw $status, and:"$'\n'"$output"$'\n'"$(said)"; }
# A launch in the background, in a session of its own as a terminal would have it; Ctrl-C goes to all of it.
launch_aside() {
    setsid scripts/lab exec -- airbuild launch >"$scratch/aside" 2>&1 </dev/null &
    launched=$!
}
ended() { ! kill -0 "$launched" 2>/dev/null; }
# aside_ends WHAT SECONDS STATUS
aside_ends() {
    local verdict=0
    within "$2" ended || kill -KILL -- "-$launched"
    wait "$launched" || verdict=$?
    launched=
    tap "$((verdict != $3))" "$1" "expected status $3, saw $verdict, and:"$'\n'"$(<"$scratch/aside")"
}
running() { virsh list --name | xargs; }
all_run() { [[ $(running | xargs -n 1 | sort | xargs) == "$ALL" ]]; }
is_off() { [[ $(virsh domstate "$1") == 'shut off' ]]; }
domain_ids() { for node in $ALL; do virsh domid "$node"; done | xargs; }
converged() { inside airbuild status; }
typed() { inside bash -c "$1" </dev/null; }
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

launch_aside
check 'all four machines are started' within 120 all_run
ids=$(domain_ids)
air 60 launch
ends 'a second launch at the same time is told to wait' 11
virsh destroy work13
aside_ends 'a machine that powers off while it is awaited ends the launch' 60 13
like 'which names it' 'work13' "$(<"$scratch/aside")"
launch_aside
check 'launch again starts it' within 120 all_run
kill -INT -- "-$launched"
aside_ends 'Ctrl-C ends a launch' 60 130
is 'and the machines go on' "${ids% *}" "$(domain_ids | sed 's/ [^ ]*$//')"
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
master() { inside airbuild status --json | jq -r .master; }
check 'clocks are right after the boot' within 30 clocks_are_right
leader=$(master)
for node in $ALL; do virsh suspend "$node"; done >/dev/null
sleep 20
for node in $ALL; do virsh resume "$node"; done >/dev/null
check_not 'machines that stood still are behind' clocks_are_right
check 'and set their clocks themselves' within 60 clocks_are_right
check 'the cluster is converged' within 60 converged
is 'under the same master' "$leader" "$(master)"
is 'sentinel did not notice' 'sentinel_tilt:0 sentinel_tilt:0 sentinel_tilt:0' \
    "$(typed "for w in $WORKERS; do redis-cli -h \$w -p 26379 info sentinel | grep -o 'sentinel_tilt:.'; done" | xargs)"
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
