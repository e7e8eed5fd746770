# shellcheck shell=bash
# cli.sh - what the tests of the command line share; sourced after assert.sh. Every test has a home of its own, a libvirt
# that does not answer, and a cluster whose files say that it was launched.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034 # what is set here is for the tests

airbuild=${AIRBUILD:-$PWD/build/airbuild}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export AIRBUILD_HOME=$scratch/home
unset AIRBUILD_STATE AIRBUILD_ASSETS NO_COLOR
mkdir -p "$scratch/bare" && cd "$scratch/bare" || exit 1

# The spec of a host whose libvirt cannot be reached, whatever this machine runs.
unreachable=$scratch/unreachable.yaml
echo 'uri: qemu+unix:///system?socket=/nonexistent/libvirt-sock' >"$unreachable"

# text32: 32 characters as passwords have them.
text32() { tr -dc A-Za-z0-9 </dev/urandom | head -c 32; }

# key_json COMMENT: a fresh key as secrets.json has it.
key_json() {
    local file=$scratch/key
    rm -f "$file" "$file.pub"
    ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$file"
    jq -n --rawfile private "$file" --arg public "$(cat "$file.pub")" '{$private, $public}'
}

# pretend_launched NAME: the files of a cluster that was launched, without its machines.
pretend_launched() {
    local folder=$AIRBUILD_HOME/clusters/$1 key node passwords='{}' nodes='[]'
    mkdir -p "$folder/ssh"
    key=$(key_json airbuild)
    for node in app admin replica sentinel check status; do
        passwords=$(jq --arg a "$node" --arg p "$(text32)" '.[$a] = $p' <<<"$passwords")
    done
    for node in head10 work11 work12 work13; do
        mkdir -p "$folder/nodes/$node"
        nodes=$(jq --arg name "$node" --arg id "$(cat /proc/sys/kernel/random/uuid)" --argjson host_key "$key" \
            '. + [{$name, instance_id: $id, sentinel_id: ("ab" * 20), $host_key}]' <<<"$nodes")
    done
    jq -n --argjson passwords "$passwords" --argjson client_key "$key" --argjson nodes "$nodes" \
        '{format: 1, $passwords, $client_key, $nodes}' >"$folder/secrets.json"
    chmod 0600 "$folder/secrets.json"
    echo '{"format": 1, "spec": "", "images": {}}' >"$folder/cluster.json"
}

# password NAME ACCOUNT
password() { jq -r --arg a "$2" '.passwords[$a]' "$AIRBUILD_HOME/clusters/$1/secrets.json"; }

# terminal COMMAND...: runs it on a terminal, with standard input passed on; sets status and output.
terminal() {
    status=0
    output=$(TERM=xterm timeout -k 5 60 script -qec "$(printf '%q ' "$@")" /dev/null) || status=$?
}

# separate COMMAND...: sets status, out (standard output) and errors (standard error).
separate() {
    status=0
    out=$(timeout -k 5 60 "$@" 2>"$scratch/errors") || status=$?
    errors=$(cat "$scratch/errors")
}

# error_json WHAT STATUS CAUSE COMMAND...: ok when it ends with STATUS, prints the error as JSON and nothing else.
error_json() {
    local verdict=0 seen
    separate "${@:4}"
    seen=$(jq -r '"\(.error.status) \(.error.cause) \(.error.message | length > 0)"' <<<"$out" 2>&1)
    [[ $status == "$2" && $seen == "$2 $3 true" && -z $errors ]] || verdict=1
    tap "$verdict" "$1" "expected status $2 and cause $3, saw status $status, '$seen', '$errors'"
}
