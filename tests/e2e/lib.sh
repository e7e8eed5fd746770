# lib.sh - a private lab for a test, and airbuild inside it. Sourced after assert.sh.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # for the tests

BOOT_SECONDS=600 # for four emulated machines on two busy cores
aside=
server=

# lab_begin NAME: set state, the folder of its clusters, and scratch, a folder; both are removed when the test ends, and
# $server is killed. A lab of that name, which a killed run left, is removed.
lab_begin() {
    export LAB=$1
    unset AIRBUILD_STATE REDISCLI_AUTH
    state=${AIRBUILD_LAB_HOME:-/var/lib/airbuild-lab}/$LAB/clusters
    scratch=$(mktemp -d)
    trap lab_end EXIT
    trap 'exit 1' INT TERM
    lab down >/dev/null || exit 1
}
lab_end() {
    [[ -z $aside ]] || kill -KILL -- "-$aside"
    [[ -z $server ]] || kill "$server"
    timeout -k 5 120 scripts/lab down
    rm -rf "$scratch"
} >/dev/null 2>&1

lab() { timeout -k 5 "${LAB_SECONDS:-120}" scripts/lab "$@"; }
inside() { lab exec -- "$@"; }
virsh() { inside virsh -q "$@"; }
json() { jq -r "$1" <<<"$output"; }
# lab_run SECONDS COMMAND...: run COMMAND inside; sets status and output (standard error is in $scratch/err).
lab_run() {
    status=0
    output=$(timeout -k 10 "$1" scripts/lab exec -- "${@:2}" 2>"$scratch/err" </dev/null) || status=$?
}
# air SECONDS ARGUMENT...: the same with airbuild.
air() { lab_run "$1" airbuild "${@:2}"; }
errors() { cat "$scratch/err"; }
# ends NAME STATUS: ok if the last lab_run or air ended with STATUS.
ends() { tap "$(($2 != status))" "$1" "expected status $2, found $status, and:"$'\n'"$output"$'\n'"$(errors)"; }
typed() { inside bash -c "$1" </dev/null; }
# aside ARGUMENT...: airbuild in the background, in a session of its own, so that Ctrl-C reaches all of it as on a terminal.
aside() {
    setsid scripts/lab exec -- airbuild "$@" >"$scratch/aside" 2>&1 </dev/null &
    aside=$!
}
ended() { ! kill -0 "$aside" 2>/dev/null; }
# aside_ends NAME SECONDS STATUS
aside_ends() {
    local verdict=0
    within "$2" ended || kill -KILL -- "-$aside"
    wait "$aside" || verdict=$?
    aside=
    tap "$((verdict != $3))" "$1" "expected status $3, found $verdict, and:"$'\n'"$(<"$scratch/aside")"
}

# own_home: use a home with copies of the spec's images, as a frozen set would replace one of the user's home.
own_home() {
    local home=${AIRBUILD_HOME:-/var/lib/airbuild}
    run 300 build/airbuild images export "$scratch/carried"
    tap "$status" 'images are exported' "$output"
    chmod 0711 "$scratch"
    export AIRBUILD_HOME=$scratch/home
    run 300 build/airbuild images import "$scratch/carried"
    tap "$status" 'images are imported' "$output"
    cp "$home/accel.json" "$AIRBUILD_HOME/" 2>/dev/null
    cp "$home/store/base.json" "$AIRBUILD_HOME/store/" 2>/dev/null
    rm -r "$scratch/carried"
}

# begin_cluster: images, the lab and a launched cluster.
begin_cluster() {
    run 1500 build/airbuild images
    tap "$status" 'images bakes what is missing' "$output"
    check 'the lab starts' lab up
    air $BOOT_SECONDS launch
    ends 'launch succeeds' 0
}
