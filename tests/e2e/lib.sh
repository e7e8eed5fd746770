# lib.sh - a lab of its own for a test, and airbuild in it. Sourced, after assert.sh.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # for those who source it

readonly BOOT_SECONDS=600 # four machines emulated on two busy cores

# lab_begin NAME: sets state, where its clusters will be, and scratch, a folder; both go when the test ends.
lab_begin() {
    export LAB=$1
    unset AIRBUILD_STATE REDISCLI_AUTH
    state=${AIRBUILD_LAB_HOME:-/var/lib/airbuild-lab}/$LAB/clusters
    scratch=$(mktemp -d)
    trap lab_end EXIT
    trap 'exit 1' INT TERM
}
lab_end() {
    [[ -z ${aside-} ]] || kill -KILL -- "-$aside"
    timeout -k 5 120 scripts/lab down
    rm -rf "$scratch"
} >/dev/null 2>&1

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
typed() { inside bash -c "$1" </dev/null; }
# aside ARGUMENT...: airbuild in the background, in a session of its own as a terminal would have it; Ctrl-C goes to all of
# it.
aside() {
    setsid scripts/lab exec -- airbuild "$@" >"$scratch/aside" 2>&1 </dev/null &
    aside=$!
}
ended() { ! kill -0 "$aside" 2>/dev/null; }
# aside_ends WHAT SECONDS STATUS
aside_ends() {
    local verdict=0
    within "$2" ended || kill -KILL -- "-$aside"
    wait "$aside" || verdict=$?
    aside=
    tap "$((verdict != $3))" "$1" "expected status $3, saw $verdict, and:"$'\n'"$(<"$scratch/aside")"
}
