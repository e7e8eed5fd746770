#!/bin/bash
# test-drills.sh - drills on a real cluster of four machines, in a lab of its own. Failures are lost writes, two masters
# at once, a cluster that does not converge again; times are told, and judged by no test.
#   tests/e2e/test-drills.sh [NAME...]     without names the three below, or those of DRILLS ("all": every one)
# It leaves build/drills.html, to look at, and build/drills.json.
# Needs root and build/airbuild; images come from AIRBUILD_HOME, or are baked into it.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh

export LAB=airbuild-drills
unset AIRBUILD_STATE REDISCLI_AUTH
readonly BOOT_SECONDS=600 # four machines emulated on two busy cores
readonly DRILL_SECONDS=900
state=${AIRBUILD_LAB_HOME:-/var/lib/airbuild-lab}/$LAB
names=("$@")
((${#names[@]})) || read -r -a names <<<"${DRILLS:-master-off all-off cold-without-first}"
[[ ${names[*]} != all ]] || mapfile -t names < <(build/airbuild drill --list --json | jq -r '.[].drill')
scratch=$(mktemp -d)
cleanup() {
    timeout -k 5 120 scripts/lab down
    rm -rf "$scratch"
} >/dev/null 2>&1
trap cleanup EXIT
trap 'exit 1' INT TERM

# inside SECONDS COMMAND...: in the lab; sets status and output (standard output; the rest is in $scratch/err).
inside() {
    status=0
    output=$(timeout -k 10 "$1" scripts/lab exec -- "${@:2}" 2>"$scratch/err" </dev/null) || status=$?
}
json() { jq -r "$1" <<<"$output"; }
# ends WHAT STATUS: the last `inside` ended so.
ends() { tap "$(($2 != status))" "$1" "expected status $2, saw $status, and:"$'\n'"$output"$'\n'"$(<"$scratch/err")"; }

# field DRILL FIELD: of what was measured.
field() { jq -r --arg d "$1" --arg f "$2" 'map(select(.drill == $d)) | last | .[$f]' "$scratch/drills.json"; }

# judge DRILL: its results, the figures as remarks.
judge() {
    local name=$1 word why
    word=$(field "$name" verdict)
    why=$(field "$name" why)
    tap "$([[ $word == PASS || $word == SLOW ]]; echo $?)" "$name: the cluster behaves" "$word: $why"
    echo "# $word: $(field "$name" lost) of $(field "$name" acked) writes lost, no writes for" \
        "$(field "$name" write_outage_s) s, no reads for $(field "$name" read_outage_s) s, new master after" \
        "$(field "$name" promoted_s) s, converged after $(field "$name" converged_s) s"
    [[ $word != SLOW ]] || echo "# $why"
}

run 1500 build/airbuild images
tap "$status" 'all images are there' "$output"
check 'the lab is up' timeout 120 scripts/lab up
inside $BOOT_SECONDS airbuild launch
ends 'the cluster is launched' 0

inside $((DRILL_SECONDS * ${#names[@]})) airbuild drill --yes --json --html build/drills.html "${names[@]}"
printf '%s\n' "$output" >"$scratch/drills.json"
cp "$scratch/drills.json" build/drills.json
tap "$((status != 0 && status != 15))" 'all drills can be carried out' "$output"$'\n'"$(<"$scratch/err")"
is 'and are told, in order' "${names[*]}" "$(json '[.[].drill] | join(" ")')"
for name in "${names[@]}"; do judge "$name"; done
is 'the exit status says the same' "$(json 'if all(.behaved) then 0 else 15 end')" "$status"
is 'the page has a picture of each' "${#names[@]}" "$(grep -c '<svg viewBox' build/drills.html)"
inside 60 airbuild status --json
ends 'the cluster is whole after all of it' 0
is 'with every machine on' 'running running running running' "$(json '[.nodes[].state] | join(" ")')"
is 'the clients of the drills leave nothing behind' '' "$(
    timeout 60 scripts/lab exec -- sh -c 'redis-cli -h head10 -p 6380 --scan --pattern "airbuild:drill:*:*"' 2>&1)"

# Ctrl-C in the middle of a drill, on all of its session as a terminal would have it. The cable is plugged again.
setsid scripts/lab exec -- airbuild drill master-cut >"$scratch/cut" 2>&1 </dev/null &
cutting=$!
check 'the network of the master is unplugged' within 120 grep -q 'network unplugged' "$scratch/cut"
kill -INT -- "-$cutting"
status=0 && wait $cutting || status=$?
is 'Ctrl-C ends the drill' 130 "$status"
like 'which mends what it broke' 'mending what was broken' "$(<"$scratch/cut")"
inside $BOOT_SECONDS airbuild launch
ends 'and the cluster converges' 0

check 'the lab goes down' timeout 120 scripts/lab down
check_not 'and leaves nothing' test -e "$state"
tap_end
