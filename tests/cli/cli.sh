# shellcheck shell=bash
# cli.sh - helpers for the tests of the command line; sourced after assert.sh. Every test has its own home, a libvirt
# that does not answer, and a cluster that looks launched by its files.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # variables for the tests

# shellcheck source=tests/cli/pretend.sh
. "$(dirname "${BASH_SOURCE[0]}")/pretend.sh"

airbuild=${AIRBUILD:-$PWD/build/airbuild}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export AIRBUILD_HOME=$scratch/home
unset AIRBUILD_STATE AIRBUILD_ASSETS NO_COLOR
mkdir -p "$scratch/bare" && cd "$scratch/bare" || exit 1

# A spec whose libvirt cannot be reached, whatever this machine runs.
unreachable=$scratch/unreachable.yaml
echo 'uri: qemu+unix:///system?socket=/nonexistent/libvirt-sock' >"$unreachable"

# terminal COMMAND...: runs it on a terminal with this standard input; sets status and output.
terminal() {
    status=0
    output=$(TERM=xterm timeout -k 5 60 script -qec "$(printf '%q ' "$@")" /dev/null) || status=$?
}

# separate COMMAND...: run it; sets status, out (standard output) and errors (standard error).
separate() {
    status=0
    out=$(timeout -k 5 60 "$@" 2>"$scratch/errors") || status=$?
    errors=$(cat "$scratch/errors")
}

# error_json NAME STATUS CAUSE COMMAND...: ok when it exits with STATUS and prints the error as JSON and nothing else.
error_json() {
    local verdict=0 seen
    separate "${@:4}"
    seen=$(jq -r '"\(.error.status) \(.error.cause) \(.error.message | length > 0)"' <<<"$out" 2>&1)
    [[ $status == "$2" && $seen == "$2 $3 true" && -z $errors ]] || verdict=1
    tap "$verdict" "reports $1 as JSON" "expected status $2 and cause $3, found status $status, '$seen', '$errors'"
}
