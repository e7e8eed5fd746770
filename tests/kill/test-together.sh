#!/bin/bash
# test-together.sh - two airbuilds at the same time: two processes on one cluster, two homes whose clusters have the same
# name, two users. Both end, at most one fails as busy, and afterwards there is one complete cluster or none.
# usage: test-together.sh   KILL=all: with more delays between the two
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
[[ -n ${KILL_INSIDE-} ]] || KILL_INSIDE=yes exec tests/fast/sandbox "$0"
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/kill/world.sh
. tests/kill/world.sh

scratch_in_memory
# Other users may have no access to the checkout.
cp "$airbuild" "$shim" "$stock" "$scratch/"
airbuild=$scratch/${airbuild##*/} shim=$scratch/${shim##*/} stock=$scratch/${stock##*/}
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
delays=(0 0.2)
[[ ${KILL-} != all ]] || delays=(0 0.05 0.1 0.2 0.4)

# at_once DELAY FIRST SECOND: run two functions at the same time, the second later by DELAY; sets first and second, their
# statuses. Blames crashes and time-outs.
at_once() {
    local pid
    { "$2" && echo "$status ${output##*$'\n'}" >"$scratch/first"; } &
    pid=$!
    sleep "$1"
    { "$3" && echo "$status ${output##*$'\n'}" >"$scratch/second"; }
    wait "$pid"
    read -r status output <"$scratch/first" && ended "'$2' with '$3'" && first=$status
    read -r status output <"$scratch/second" && ended "'$3' with '$2'" && second=$status
    results="$2: $(<"$scratch/first"), $3: $(<"$scratch/second")"
}

launch() { air launch --no-wait; }
destroy() { air destroy --yes; }
prune() { spec=$world/unused.yaml air images prune; }
stop() { air stop; }

# verdict NAME: ok if nothing was blamed.
verdict() {
    tap "$((${#wrong[@]} > 0))" "$1" "$(printf '%s\n' "${wrong[@]-}")"
    wrong=()
}

make_world "$scratch/world" || exit 1
keep_scene none
must launch --no-wait
mark_disks air "${nodes[@]}"
keep_scene up

# ---- two processes ----------------------------------------------------------------------------------------------------
for delay in "${delays[@]}"; do
    set_scene none
    at_once "$delay" launch launch
    [[ $first$second =~ ^(00|011|110)$ ]] || blame "statuses $results"
    succeeds launch --no-wait
    judge_launched
    judge_leftovers "$AIRBUILD_HOME" launch
done
verdict 'launch and launch at once make one cluster'

for delay in "${delays[@]}"; do
    set_scene up
    at_once "$delay" destroy launch
    [[ $first =~ ^(0|11)$ && $second =~ ^(0|11)$ ]] || blame "statuses $results"
    succeeds launch --no-wait
    judge_launched
    set_scene none
    at_once "$delay" launch destroy
    [[ $first =~ ^(0|11)$ && $second =~ ^(0|11)$ ]] || blame "statuses $results"
    succeeds destroy --yes
    judge_gone
done
verdict 'launch and destroy at once leave one cluster or none'

for delay in "${delays[@]}"; do
    set_scene up
    at_once "$delay" destroy destroy
    [[ $first =~ ^(0|11)$ && $second =~ ^(0|11)$ && $first$second != 1111 ]] || blame "statuses $results"
    [[ $first$second != 00 ]] || judge_gone
    succeeds destroy --yes
    judge_gone
    set_scene up
    at_once "$delay" stop destroy
    [[ $first =~ ^(0|9|11|14)$ && $second =~ ^(0|11)$ ]] || blame "statuses $results"
    succeeds destroy --yes
    judge_gone
done
verdict 'destroy with destroy or stop at once leaves no cluster'

for delay in "${delays[@]}"; do
    set_scene none
    at_once "$delay" launch prune
    [[ $second =~ ^(0|11)$ && $first =~ ^(0|14)$ ]] || blame "statuses $results"
    judge_images
    set_scene none
    at_once "$delay" prune launch
    [[ $first =~ ^(0|11)$ && $second =~ ^(0|14)$ ]] || blame "statuses $results"
    judge_images
    succeeds destroy --yes
    judge_gone
done
verdict 'prune and launch at once keep the images of disks'
judge_strangers
verdict 'foreign domains, networks and files are not touched'

# ---- two homes, two users ---------------------------------------------------------------------------------------------

# as_other ARGUMENT...: run airbuild with the other home, as the other user if that is set.
other_user=()
as_other() {
    status=0
    output=$(timeout -k 5 60 "${other_user[@]}" env AIRBUILD_HOME="$other" LD_PRELOAD="$shim" "$airbuild" -q \
        -f "$world/air.yaml" "$@" 2>&1 </dev/null) || status=$?
}
other_launch() { as_other launch --no-wait; }
other_destroy() { as_other destroy --yes; }

# Print the state of the first home's cluster.
first_now() {
    local node commands=('net-info air')
    for node in "${nodes[@]}"; do commands+=("domid $node" "domstate $node" "domuuid $node"); done
    lv "${commands[@]}"
    (cd "$folder" && find . -type f ! -name '*lock*' -exec sha256sum {} + | sort -k 2)
}

unchanged() {
    local now
    now=$(first_now)
    [[ $now == "$before" ]] || blame "$1 touched the other's cluster: $(diff <(echo "$before") <(echo "$now") | head -n 4 | tr '\n' ' ')"
}

# one_name WHAT: the other home uses a cluster of the same name.
one_name() {
    local delay
    other=$world/other
    set_scene up
    rm -rf "$other" && mkdir "$other" && chmod 0711 "$other"
    [[ ${#other_user[@]} == 0 ]] || chown 65534:65534 "$other"
    "${other_user[@]}" env AIRBUILD_HOME="$other" "$stock" "$world/air.yaml" >/dev/null || blame 'no images'
    before=$(first_now)
    as_other plan --json
    ended "the other's plan"
    ! jq -r '.steps[] | "\(.verb) \(.object)"' <<<"$output" | grep -E '^keep (domain|network|disk)' >/dev/null ||
        blame "the other's plan keeps what is not its own"
    for command in other_launch other_destroy 'as_other stop' other_launch 'as_other status' other_destroy; do
        $command
        ended "the other's '$command'"
        [[ $command != other_launch || $status == 9 ]] || blame "the other's launch ended with $status: ${output##*$'\n'}"
        unchanged "$command"
    done
    verdict "$1: a foreign cluster of the same name is never touched"

    for delay in "${delays[@]}"; do
        set_scene none
        rm -rf "$other/clusters"
        at_once "$delay" launch other_launch
        case $first:$second in
        0:0) blame "both have launched: $results" ;;
        0:*)
            judge_launched
            before=$(first_now)
            other_destroy
            ended "the loser's destroy"
            unchanged "the loser's destroy"
            ;;
        *:0)
            succeeds destroy --yes
            as_other plan --json
            ! jq -r '.steps[].verb' <<<"$output" | grep -vq keep ||
                blame "the loser's destroy touched the winner's cluster"
            ;;
        *) ;; # each met a part of the other's cluster, so both removed what they made
        esac
        succeeds destroy --yes
        other_destroy
        ended "the other's destroy"
        judge_gone
    done
    judge_strangers
    verdict "$1: one of two launches at once succeeds"
}

one_name 'two homes'
other_user=("${nobody[@]}")
one_name 'two users'
tap_end
