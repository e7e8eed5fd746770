#!/bin/bash
# test-killed.sh - airbuild is killed, interrupted, or runs out of space at every call that changes the host
# (tests/shim/fault.c counts them); then the commands that a person would type next. Without KILL=all: a sample of the points
# of each command, in every way.
# usage: test-killed.sh   KILL=all: every point; KILL=COMMAND:WAY:NUMBER: only this case
#        KILL_JOBS: parallel jobs (one per processor); KILL_SAMPLE: cases per command (5, twice as many for the first launch);
#        KILL_WAYS, KILL_COMMANDS: only these, of 'KILL INT TERM FULL KILL-after INT-after TERM-after' and of those below
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
[[ -n ${KILL_INSIDE-} ]] || KILL_INSIDE=yes exec tests/fast/sandbox "$0"
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/kill/world.sh
. tests/kill/world.sh

jobs=${KILL_JOBS:-$(nproc)}
sample=${KILL_SAMPLE:-5}
read -ra ways <<<"${KILL_WAYS:-KILL INT TERM FULL}"
commands=(launch relaunch start stop destroy export import prune)
scratch_in_memory

# Make the scenes that the commands begin in.
make_scenes() {
    keep_scene none
    AIRBUILD_HOME=$world/home must images export "$world/carried"
    must launch --no-wait
    mark_disks air "${nodes[@]}"
    keep_scene up
    must stop
    keep_scene off
    rm "$folder/nodes/work12/disk.qcow2"
    keep_scene lost
}

scene_of() {
    case $1 in
    launch | export | import) echo none ;;
    relaunch) echo lost ;;
    start) echo off ;;
    *) echo up ;;
    esac
}

# act COMMAND: run the command that the fault happens in.
act() {
    case $1 in
    launch | relaunch | start) air launch --no-wait ;;
    stop) air stop ;;
    destroy) air destroy --yes ;;
    export) air images export "$world/out/images" ;;
    import) AIRBUILD_HOME=$world/second air images import "$world/carried" ;;
    prune) air images prune ;;
    esac
}

# ---- after the fault ------------------------------------------------------------------------------------------------

kept_disks() {
    case $1 in
    relaunch) judge_disks lost head10 work11 work13 ;;
    start) judge_disks off "${nodes[@]}" ;;
    stop | prune | export) [[ $1 == export ]] || judge_disks up "${nodes[@]}" ;;
    esac
}

# after_cluster COMMAND NUMBER: plan, then launch again and destroy; after odd points destroy at once.
after_cluster() {
    judge_plan
    kept_disks "$1"
    judge_images
    if (($2 % 2 == 0)); then
        air status
        ended "'status'"
        succeeds launch --no-wait
        if ((status == 0)); then
            judge_launched
            judge_leftovers "$AIRBUILD_HOME" launch
        fi
        kept_disks "$1"
        judge_images
    fi
    succeeds destroy --yes
    ((status != 0)) || judge_gone
}

# The export is complete or absent, and exporting again succeeds and leaves no temporary files. Copies of a killed export
# stay: airbuild removes nothing from the user's folder that it did not make in the same run.
after_export() {
    [[ ! -e $world/out/images ]] || rm -rf "$world/out/images"
    succeeds images export "$world/out/images"
    AIRBUILD_HOME=$world/second succeeds images import "$world/out/images"
    AIRBUILD_HOME=$world/second succeeds images verify
    rm -rf "$world"/out/.airbuild-export-??????
    judge_leftovers "$world/out" 'export, done again,'
}

after_import() {
    export AIRBUILD_HOME=$world/second
    succeeds images list --json
    is_damaged=$(jq -r '.damaged | length' <<<"$output" 2>/dev/null)
    [[ $is_damaged == 0 ]] || blame "the store has damaged images after import: $output"
    succeeds images import "$world/carried"
    succeeds images verify
    judge_leftovers "$world/second" 'import, done again,'
    while read -r key; do
        [[ -s $world/second/store/images/$key/disk.qcow2 ]] || blame "import, done again, lacks $key"
    done <"$world/air.keys"
    export AIRBUILD_HOME=$world/home
}

after_prune() {
    kept_disks prune
    judge_images
    succeeds images prune
    succeeds images verify
    judge_images
    judge_leftovers "$AIRBUILD_HOME/store" 'prune, done again,'
    while read -r key; do
        ! grep -qx "$key" "$world/sea.keys" "$world/air.keys" || continue
        [[ ! -e $AIRBUILD_HOME/store/images/$key ]] || blame "prune, done again, has left $key"
    done <"$world/unused.keys"
    succeeds stop
    succeeds launch --no-wait
    kept_disks prune
}

# one COMMAND WAY NUMBER: print "COMMAND WAY NUMBER STATUS" and what is wrong, separated by tabs.
one() {
    wrong=()
    set_scene "$(scene_of "$1")"
    limit=60 fault=$2:$3 act "$1"
    local first=$status
    [[ $2 == KILL* && $first == 137 ]] || ended "'$1' itself"
    [[ $2 != KILL* || $first == 137 ]] || blame "the point was not reached: status $first"
    case $1 in
    export | import | prune) "after_$1" "$3" ;;
    *) after_cluster "$1" "$3" ;;
    esac
    judge_strangers
    printf '%s\t%s\t%s\t%s' "$1" "$2" "$3" "$first"
    ((${#wrong[@]} == 0)) || printf '\t%s' "${wrong[@]}"
    printf '\n'
}

# ---- all cases ------------------------------------------------------------------------------------------------------

# make_all INDEX: make the world of a worker, with its scenes.
make_all() {
    make_world "$scratch/$1" >&2 || exit 1
    make_scenes
}

# work INDEX: run cases from the queue, which all workers read through one descriptor.
work() {
    local command way number
    until [[ -e $scratch/ready ]]; do sleep 0.1; done
    while { flock 8 && read -r command way number <&9 && flock -u 8; }; do
        one "$command" "$way" "$number"
    done 8>>"$scratch/lock" >"$scratch/results.$1"
}

# Count the points of every command: files COMMAND.points.
enumerate() {
    local command
    for command in "${commands[@]}"; do
        set_scene "$(scene_of "$command")"
        AIRBUILD_FAULT_LOG=$scratch/$command.points act "$command"
        ((status == 0)) || { echo "Bail out! '$command' without a fault ended with $status: $output" && exit 1; }
    done
}

# Print the cases, always the same: all, or for each command some that are spread over its points and the ways.
choose() {
    local command count index some
    [[ ${KILL-} != *:*:* ]] || { tr : ' ' <<<"$KILL" && return; }
    for command in "${commands[@]}"; do
        count=$(wc -l <"$scratch/$command.points")
        [[ " ${KILL_COMMANDS:-$command} " == *" $command "* ]] || continue
        if [[ ${KILL-} == all ]]; then
            for way in "${ways[@]}"; do
                for ((index = 1; index <= count; index++)); do echo "$command $way $index"; done
            done
            continue
        fi
        some=$sample
        [[ $command != launch ]] || some=$((2 * sample))
        for ((index = 0; index < some; index++)); do
            echo "$command ${ways[index % ${#ways[@]}]} $((1 + (2 * index + 1) * count / (2 * some)))"
        done
    done | sort -u
}

# Print a table with a line for each command and way.
table() {
    awk -F '\t' '{ n[$1 " " $2]++; status[$1 " " $2, $4]++; seen[$4]; if (NF > 4) bad[$1 " " $2]++ }
        END {
            for (key in n) {
                text = ""
                for (s in seen) if ((key, s) in status) text = text " " s "x" status[key, s]
                printf "%s %d %d%s\n", key, n[key], bad[key], text
            }
        }' "$scratch"/results.* | sort | while read -r command way cases bad text; do
        printf '# %-9s %-11s %4d points, %4d cases, %3d wrong; ended with:%s\n' \
            "$command" "$way" "$(wc -l <"$scratch/$command.points")" "$cases" "$bad" " $text"
    done
}

verdicts() {
    local command count bad
    for command in "${commands[@]}"; do
        cut -d ' ' -f 1 "$scratch/queue" | grep -qx "$command" || continue
        count=$(cat "$scratch"/results.* | grep -c "^$command"$'\t')
        bad=$(awk -F '\t' -v c="$command" '$1 == c && NF > 4' "$scratch"/results.*)
        [[ -z $bad && $count -gt 0 ]]
        tap $? "$command recovers from faults at $count points" "$bad"
    done
}

main() {
    local index pids=() began=$SECONDS
    [[ ${KILL-} != *:*:* ]] || jobs=1
    : >"$scratch/queue"
    exec 9<"$scratch/queue"
    for ((index = 1; index < jobs; index++)); do
        make_all $index && work $index &
        pids+=($!)
    done
    make_all 0
    enumerate
    choose >>"$scratch/queue"
    touch "$scratch/ready"
    work 0
    ((jobs == 1)) || wait "${pids[@]}"
    table
    echo "# $(cat "$scratch"/*.points | wc -l) points, $(cat "$scratch"/results.* | wc -l) cases, $((SECONDS - began)) s"
    verdicts
    tap_end
}

main
