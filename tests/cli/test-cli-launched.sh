#!/bin/bash
# test-cli-launched.sh - the commands that only need the files of a launched cluster: env, seed, ssh, logs, and destroy
# up to its question. No machine runs.
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # some texts are expanded by another shell
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/assert.sh
. tests/assert.sh
# shellcheck source=tests/cli/cli.sh
. tests/cli/cli.sh
pretend_launched air
folder=$AIRBUILD_HOME/clusters/air

# ---- env --------------------------------------------------------------------------------------------------------------
for shell in sh bash; do
    is "$shell can evaluate the output of env" \
        "$(password air app) air 172.31.255.10:6380 172.31.255.10:6379 172.31.255.13 redis-primary" \
        "$(env -i HOME=/ PATH="$PATH" AIRBUILD_HOME="$AIRBUILD_HOME" "$shell" -euc 'eval "$("$1" env)"
            printenv REDISCLI_AUTH AIRBUILD_CLUSTER AIRBUILD_WRITE AIRBUILD_READ AIRBUILD_NODE_WORK13 AIRBUILD_MASTER_NAME
            ' - "$airbuild" | tr '\n' ' ' | sed 's/ $//')"
done
is 'every line of env exports a plain word' '' "$("$airbuild" env | grep -vE '^export [A-Z][A-Z0-9_]*=[A-Za-z0-9.:,-]+$')"
is 'env lists the sentinels' 172.31.255.11:26379,172.31.255.12:26379,172.31.255.13:26379 \
    "$("$airbuild" env --json | jq -r .AIRBUILD_SENTINELS)"
is 'JSON has the same values' "$("$airbuild" env | sed 's/^export //' | sort)" \
    "$("$airbuild" env --json | jq -r 'to_entries[] | "\(.key)=\(.value)"' | sort)"
is 'the password of the application only' '' \
    "$("$airbuild" env | grep -F -e "$(password air admin)" -e "$(password air replica)" -e "$(password air status)")"
is 'env --hosts prints lines for /etc/hosts' '172.31.255.10 head10|172.31.255.11 work11|172.31.255.12 work12|172.31.255.13 work13|' \
    "$("$airbuild" env --hosts | tr '\n' '|')"
printf 'redis: {auth: off}\n' >open.yaml
like 'without passwords an old one is unset' '^unset REDISCLI_AUTH' "$("$airbuild" env -f open.yaml)"
is 'an error prints nothing to evaluate' '' "$("$airbuild" env -f /nonexistent 2>/dev/null)"
# Hostile values: none reaches the shell.
for value in "a'b" 'a"b' '$(touch seen)' '`touch seen`' 'a;touch seen' '../a' 'a b' $'a\nb' '-a' 'a\b' '*'; do
    quoted=$(jq -n --arg v "$value" '$v')
    for spec in "cluster: $quoted" "redis: {master-name: $quoted}" "nodes: {$quoted: {role: redis}}" \
        "network: {subnet: $quoted}" "nodes: {head10: {role: haproxy, address: $quoted}}"; do
        echo "$spec" >hostile.yaml
        run 10 sh -c 'eval "$("$1" env -f hostile.yaml 2>/dev/null)"; "$1" env --hosts -f hostile.yaml' - "$airbuild"
        is "env refuses $(jq -n --arg s "$spec" '$s')" 3 "$status"
    done
done
check_not 'and none of them was run' test -e seen

# ---- seed -------------------------------------------------------------------------------------------------------------
# secret_words: prints every password, and a line of every private key.
secret_words() { jq -r '.passwords[], (.. | .private? // empty | split("\n")[2])' "$folder/secrets.json" | sort -u; }
for node in head10 work12; do
    separate "$airbuild" seed "$node"
    is "seed of $node" '0 ' "$status $errors"
    is "its documents" 'meta-data user-data network-config' "$(sed -n 's/^# ---- \(.*\) ----$/\1/p' <<<"$out" | tr '\n' ' ' | sed 's/ $//')"
    is 'its secrets are hidden' '' "$(grep -Ff <(secret_words) <<<"$out")"
    like 'and marked as hidden' '\(hidden\)' "$out"
    is 'hidden in JSON too' '' "$("$airbuild" seed --json "$node" | grep -Ff <(secret_words))"
done
is 'seed --json has all documents' 'work12 true true true' "$("$airbuild" seed --json work12 |
    jq -r '"\(.node) \(.meta_data | test("instance-id")) \(.user_data | test("^#cloud-config")) \(.network_config | length > 0)"')"
like 'revealed on request' "$(password air replica)" "$("$airbuild" seed --reveal work12)"
is 'the head does not get passwords of other accounts' '' \
    "$("$airbuild" seed --reveal head10 | grep -F -e "$(password air app)" -e "$(password air admin)")"

# ---- ssh --------------------------------------------------------------------------------------------------------------
mkdir bin
printf '#!/bin/sh\nprintf "[%%s]" "$@"\nexit 42\n' >bin/ssh && chmod +x bin/ssh
run 10 env PATH="$PWD/bin:$PATH" "$airbuild" ssh work12 sudo -n ls --json '*' -f x
is 'ssh gets our configuration and the command' \
    "[-F][$folder/ssh/config][--][work12][sudo][-n][ls][--json][*][-f][x]" "$output"
is 'its exit status is returned' 42 "$status"
run 10 env PATH="$PWD/bin:$PATH" "$airbuild" ssh work12 -- ls
like 'airbuild ssh drops -- before the command' '\[work12\]\[ls\]$' "$output"
refuses 'a node that looks like an option' 14 "'-oProxyCommand=touch seen'" \
    env PATH="$PWD/bin:$PATH" "$airbuild" ssh -- '-oProxyCommand=touch seen'
refuses 'ssh on a host without ssh' 6 "'ssh'" \
    unshare -m sh -c 'mount -t tmpfs none /usr/bin && PATH=/usr/bin exec "$1" ssh work12' - "$airbuild"

# ---- logs -------------------------------------------------------------------------------------------------------------
log=$folder/nodes/work11/console.log
refuses 'logs of a node that was never started' 14 "node 'work11' has no console log" "$airbuild" logs work11
printf '\033[2J\033[1;32mBooting\033[0m\r\n\033]0;title\007airbuild: work11: configured\r\nlast\a' >"$log"
is 'escape sequences are removed' $'Booting\nairbuild: work11: configured\nlast' "$("$airbuild" logs work11)"
is 'a log as JSON' '["Booting","airbuild: work11: configured","last"]' "$("$airbuild" logs --json work11 | jq -c .lines)"
"$airbuild" logs -f work11 >followed &
follower=$!
check 'following starts with the existing text' within 10 grep -q last followed
printf ' line\n' >>"$log"
check 'and continues' within 10 grep -q '^last line$' followed
printf 'second boot\n' >"$log.new" && mv "$log.new" "$log"
check 'even in a new file' within 10 grep -q '^second boot$' followed
printf 'cut\n' >"$log"
check 'even when the file was truncated' within 10 grep -q '^cut$' followed
kill -INT $follower
status=0 && wait $follower || status=$?
is 'Ctrl-C is not an error' 0 "$status"

# ---- lost and damaged parts, newer formats, other users ---------------------------------------------------------------
mkdir -p "$folder/nodes/work12" && echo data >"$folder/nodes/work12/disk.qcow2"
cp -a "$folder" "$scratch/whole"
for command in status stop; do
    rm "$folder/secrets.json"
    refuses "$command without secrets" 10 'no secrets .secrets.json.; restore that file' "$airbuild" "$command"
    head -c 100 "$scratch/whole/secrets.json" >"$folder/secrets.json"
    refuses "$command with secrets cut short" 10 'are damaged' "$airbuild" "$command"
    cp "$scratch/whole/secrets.json" "$folder/secrets.json"
    echo '{"format": 1' >"$folder/cluster.json"
    refuses "$command with a record cut short" 10 'is damaged; restore the file' "$airbuild" "$command"
    echo '{"format": 99, "spec": ""}' >"$folder/cluster.json"
    refuses "$command with a newer record" 9 'launched by a newer airbuild' "$airbuild" "$command"
    cp "$scratch/whole/cluster.json" "$folder/cluster.json"
    chown 12345 "$folder"
    refuses "$command for another user's cluster" 4 'belongs to the user 12345; run airbuild as that user' \
        "$airbuild" "$command"
    chown "$(id -u)" "$folder"
done
refuses 'to destroy a newer cluster' 9 'newer airbuild' sh -c '
    echo "{\"format\": 99, \"spec\": \"\"}" >"$2/cluster.json"; exec "$1" destroy --yes' - "$airbuild" "$folder"
cp "$scratch/whole/cluster.json" "$folder/cluster.json"
is 'refused commands change nothing' '' "$(diff -r "$scratch/whole" "$folder")"

# ---- destroy ----------------------------------------------------------------------------------------------------------
terminal "$airbuild" destroy -f "$unreachable" <<<n
is 'an answer other than yes destroys nothing' 1 "$status"
like 'the question names all that is lost' "cluster 'air' with all its data: the machines head10, work11, work12, work13" "$output"
like 'destroy says that nothing was destroyed' 'nothing was destroyed' "$output"
terminal "$airbuild" destroy -f "$unreachable" </dev/null
is 'no answer is no' 1 "$status"
terminal "$airbuild" destroy -f "$unreachable" <<<yes
is 'yes continues, here until libvirt does not answer' 5 "$status"
check 'and so the secrets stay' test -s "$folder/secrets.json"

tap_end
