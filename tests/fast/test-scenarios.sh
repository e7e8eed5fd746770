#!/bin/bash
# test-scenarios.sh - the failures of scenarios.sh on real redis, sentinel and haproxy processes with the generated
# configurations, several clusters at a time, each in its own namespaces. No domains, no systemd.
# usage: test-scenarios.sh [-j N] [SCENARIO[:ARGUMENT...][*COUNT]...] (without: the plan below; -j: at a time)
# SPDX-License-Identifier: Apache-2.0
set -u
here=$(cd "$(dirname "$0")" && pwd)
jobs=$(((3 * $(nproc) + 1) / 2)) # with more, healthy masters answer too late
if [[ ${1-} == -j ]]; then
    jobs=$2
    shift 2
fi
# The long ones first. FULL=yes: all, and those that depend on chance often enough to meet one case in a hundred.
if (($# == 0)); then
    elections=1 orders=1
    if [[ ${FULL-} ]]; then
        elections=20 orders=5
        set -- stale-replica pause master-off head-restart reseed return-at-election flushall same-second \
            clean-stop-without-master wrong-clocks mid-sync:copying mid-sync:copied disk-full:work13 disk-full:work11 \
            disk-full:work11,work12 lost:work11:work11:-:joint lost:work12:work12:-:joint lost:work11,work12:work11:-:few-first
    fi
    set -- patience elections*$elections clock new-secrets slow disk-full:work11,work12,work13 two-down all-off master-shutdown replica stale-master \
        sessions master-half-cut write-lease master-cut deaf-head no-persistence damage memory-full boot-order*$orders cut-then-shutdown \
        persistence-off stale-first-alone emptied master-loading lost:work11:work11:work13:few-first lost:work12,work13:work12:-:few-last \
        lost:work11,work13:work12:-:joint cold-without-first few-known \
        lost:work11,work12,work13:work11:-:joint "$@"
fi
declare -a plan=()
for item; do
    count=1
    [[ $item != *\** ]] || count=${item#*\*}
    for ((i = 0; i < count; i++)); do plan+=("${item%\**}"); done
done

scratch=$(mktemp -d -p /dev/shm) # memory, so that nothing waits for a disk
chmod 711 "$scratch"
declare -A running=()

# Kills what still runs.
finish() {
    local child
    for child in "${!running[@]}"; do kill -KILL "$child" 2>/dev/null; done
    wait
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# start NUMBER SCENARIO: run it in the background.
start() {
    mkdir -m 711 "$scratch/$1"
    dir=$scratch/$1 scenario=$2 "$here/sandbox" bash -c "
        . '$here/../assert.sh'
        . '$here/lib.sh'
        for part in '$here'/scenarios*.sh; do . \"\$part\"; done
        scenario_${2//:/ }
        tap_end" >"$scratch/$1.tap" 2>"$scratch/$1.err" &
    running[$!]=$1
}

# collect: wait for one that runs, and print its results; the logs too if it failed.
collect() {
    local child number name line count=0
    wait -n -p child "${!running[@]}"
    number=${running[$child]}
    unset "running[$child]"
    name=${plan[$number]}
    while read -r line; do
        case $line in
        'ok '* | 'not ok '*)
            total=$((total + 1))
            count=$((count + 1))
            echo "${line%%ok *}ok $total - $name: ${line#* - }"
            ;;
        '#'*) echo "$line" ;;
        esac
    done <"$scratch/$number.tap"
    if ! grep -qx "1..$count" "$scratch/$number.tap"; then
        total=$((total + 1))
        echo "not ok $total - $name: did not finish"
        sed 's/^/#   /' "$scratch/$number.err"
    fi
    if grep -q '^not ok' "$scratch/$number.tap"; then
        tail -n 25 "$scratch/$number"/*/log.* "$scratch/$number"/*/console "$scratch/$number/writer.err" | sed 's/^/#   /'
    fi
    rm -rf "${scratch:?}/$number"
}

total=0
for number in "${!plan[@]}"; do
    ((${#running[@]} < jobs)) || collect
    start "$number" "${plan[$number]}"
done
while ((${#running[@]})); do collect; done
echo "1..$total"
