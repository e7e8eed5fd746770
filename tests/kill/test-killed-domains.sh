#!/bin/bash
# test-killed-domains.sh - test-killed.sh on real domains: airbuild is killed, interrupted or out of space at random points,
# in a private lab; then the cluster is launched again, and a key written before is read at the head.
# usage: test-killed-domains.sh   KILL_COUNT: points (30); SEED: selects others; KILL=COMMAND:WAY:NUMBER: only this case
# Needs root, build/airbuild and its images. With two emulated processors a point takes up to three minutes.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # texts for the shell inside to expand
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/e2e/lib.sh
. tests/e2e/lib.sh

lab_begin airbuild-kill
readonly SHIM=$PWD/build/tests/fault.so BOOT_SECONDS=900
nodes=(head10 work11 work12 work13)
folder=$state/air
own_home
count=${KILL_COUNT:-30}
RANDOM=${SEED:-$(date +%s)}
echo "# SEED=${SEED:-$RANDOM}"
RANDOM=${SEED:-$RANDOM}

# air SECONDS ARGUMENT...: airbuild inside, with the variables in the array fault; sets status and output.
fault=()
air() {
    status=0
    output=$(timeout -k 10 "$1" scripts/lab exec -- env LD_PRELOAD="$SHIM" "${fault[@]}" build/airbuild -q "${@:2}" \
        2>&1 </dev/null) || status=$?
}

wrong=()
blame() { wrong+=("$*"); }
must() {
    air "$@"
    ((status == 0)) || blame "'${*:2}' ended with $status: ${output##*$'\n'}"
}

# ---- the cluster and its data ---------------------------------------------------------------------------------------

command_of() {
    case $1 in
    launch) echo launch --no-wait --cold ;;
    start | relaunch | thaw) echo launch --no-wait ;;
    freeze) echo freeze ;;
    reset) echo reset --yes ;;
    stop) echo stop ;;
    destroy) echo destroy --yes ;;
    esac
}

write_key() {
    inside bash -c 'eval "$(build/airbuild env)" && redis-cli -h head10 -p 6380 set kept "$1" &&
        redis-cli -h head10 -p 6380 wait 2 5000' - "$1" >/dev/null 2>&1 || blame 'the key was not written'
}

read_key() {
    inside bash -c 'eval "$(build/airbuild env)" && redis-cli -h head10 -p 6380 get kept' 2>/dev/null
}

# set_scene COMMAND: make the state that COMMAND begins in: no cluster for launch and thaw, else a converged cluster with a
# key.
set_scene() {
    token=$RANDOM$RANDOM
    if [[ $1 == launch || $1 == thaw ]]; then
        must 300 destroy --yes
        return
    fi
    must $BOOT_SECONDS launch
    write_key "$token"
    [[ $1 != start && $1 != relaunch ]] || must 400 stop
    [[ $1 != relaunch ]] || rm -f "$folder/nodes/work12/disk.qcow2"
}

# after COMMAND: run the commands that a person would type next.
after() {
    air 60 plan --json
    ((status == 0)) || blame "'plan' ended with $status: ${output##*$'\n'}"
    if [[ $1 == launch || $1 == thaw || $1 == destroy ]]; then
        must 300 launch --no-wait
        must 300 destroy --yes
        judge_gone
    else
        must $BOOT_SECONDS launch
        local key
        key=$(read_key)
        [[ $key == "$token" || ($1 == reset && $key == frozen) ]] ||
            blame "the key that was written before is lost: '$key'"
    fi
    [[ $1 != freeze ]] || judge_sets
    [[ $(strangers) == "$strangers_before" ]] || blame 'a foreign domain or network was changed'
}

# A set is whole, and nothing is left beside it once a freeze has ended.
judge_sets() {
    local sets
    must 300 reset --yes
    must 300 freeze
    mapfile -t sets < <(find "$AIRBUILD_HOME/store/frozen" -mindepth 1 -maxdepth 1)
    ((${#sets[@]} == 1)) || blame "freeze leaves ${sets[*]}"
    [[ -z $(find "$folder/nodes" -name memory) ]] || blame 'freeze leaves memory of nodes'
}

judge_gone() {
    local node
    for node in "${nodes[@]}"; do
        ! virsh list --all --name | grep -qx "$node" || blame "destroy leaves the domain '$node'"
    done
    ! virsh net-list --all --name | grep -qx air || blame "destroy leaves the network 'air'"
    [[ -z $(ls -A "$folder/.." 2>/dev/null) ]] || blame "destroy leaves $(ls -A "$folder/..")"
}

make_strangers() {
    echo "<network><name>stranger</name><bridge name='stranger0'/></network>" >"$scratch/net.xml"
    echo "<domain type='qemu'><name>stranger</name><memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>" \
        >"$scratch/domain.xml"
    { virsh net-define "$scratch/net.xml" && virsh define "$scratch/domain.xml" && virsh start --paused stranger; } >/dev/null
}

strangers() { virsh domuuid stranger && virsh domid stranger && virsh domstate stranger && virsh net-info stranger; }

# ---- the points -----------------------------------------------------------------------------------------------------

# enumerate COMMAND...: run each once, in its scene, and count its points.
enumerate() {
    local command
    for command in "$@"; do
        set_scene "$command"
        fault=(AIRBUILD_FAULT_LOG="$scratch/$command.points")
        # shellcheck disable=SC2046 # words
        must 400 $(command_of "$command")
        fault=()
    done
}

# draw COMMAND...: print random cases COMMAND WAY NUMBER.
draw() {
    local ways=(KILL KILL INT TERM FULL) commands=("$@") command points index
    for ((index = 0; index < count; index++)); do
        command=${commands[index % ${#commands[@]}]}
        points=$(wc -l <"$scratch/$command.points")
        echo "$command ${ways[RANDOM % ${#ways[@]}]} $((1 + RANDOM % points))"
    done | sort -k 1,1 -s
}

one() {
    wrong=()
    set_scene "$1"
    fault=(AIRBUILD_FAULT="$2:$3")
    # shellcheck disable=SC2046 # words
    air 400 $(command_of "$1")
    fault=()
    local first=$status point
    point=$(sed -n "${3}p" "$scratch/$1.points" 2>/dev/null | cut -d ' ' -f 2-)
    [[ $2 != KILL || $first == 137 ]] || blame "the point was not reached: status $first"
    after "$1"
    tap "$((${#wrong[@]} > 0))" "$1 $2 at $3 (${point:-?}), which ended with $first" "$(printf '%s\n' "${wrong[@]-}")"
}

main() {
    local command way number
    scripts/lab up || exit 1
    make_strangers
    strangers_before=$(strangers)
    must $BOOT_SECONDS launch
    write_key frozen
    must 300 freeze # nearly all scenes thaw it
    if [[ -n ${KILL-} ]]; then
        tr : ' ' <<<"$KILL" >"$scratch/queue"
    else
        enumerate launch stop start relaunch destroy freeze thaw reset
        ((${#wrong[@]} == 0)) || { echo "Bail out! without a fault: ${wrong[*]}" && exit 1; }
        draw launch stop start relaunch destroy freeze thaw reset >"$scratch/queue"
    fi
    while read -r command way number <&7; do
        one "$command" "$way" "$number"
    done 7<"$scratch/queue"
    tap_end
}

main
