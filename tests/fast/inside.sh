# shellcheck shell=bash
# inside.sh - sourced first by a fast test with one cluster: continues the test in a sandbox (see there) with a folder in
# memory, $dir. Both are removed when the test ends.
# SPDX-License-Identifier: Apache-2.0

if [[ ${1-} != inside ]]; then
    dir=$(mktemp -d -p /dev/shm)
    trap 'rm -rf "$dir"' EXIT
    trap 'exit 130' INT TERM HUP
    chmod 711 "$dir"
    export dir
    "$(dirname "$0")/sandbox" bash "$0" inside &
    sandbox=$!
    trap 'kill -KILL "$sandbox"; rm -rf "$dir"' EXIT
    wait "$sandbox"
    status=$?
    trap 'rm -rf "$dir"' EXIT
    exit "$status"
fi
